/** The "Checkpoints" view: (folders →) days → checkpoints → what changed in them. */
import * as vscode from "vscode";
import type { Checkpoint, CheckpointDetail } from "../shared/api";
import { Disposable } from "../shared/disposable";
import { buildChangeTree, type ChangeNode as TreeChange } from "./changeTree";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointTooltip, checkpointTreeItem } from "./checkpointItems";
import {
  ChangeNode,
  CheckpointNode,
  type CheckpointTreeNode,
  DayNode,
  FolderNode,
  MoreNode,
  RootNode,
} from "./checkpointNodes";
import type { ErrorMessages } from "./errorMessages";
import { startOfDay } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

export const CHECKPOINT_VIEW = "checkpoint.checkpoints";
/** Changes of one checkpoint shown at first; "more" shows MORE_FACTOR times as many. Rows cost VS Code about 20 µs each. */
const FIRST_CHANGES = 500;
const MORE_FACTOR = 4;
/** Folders of a checkpoint start open while all of it fits on a screen or two. */
const MAX_OPEN_ROWS = 60;

export class CheckpointTree extends Disposable implements vscode.TreeDataProvider<CheckpointTreeNode> {
  readonly view: vscode.TreeView<CheckpointTreeNode>;
  private readonly changed = this.register(new vscode.EventEmitter<CheckpointTreeNode | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly limits = new Map<string, number>();

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly errors: ErrorMessages,
  ) {
    super();
    this.view = this.register(
      vscode.window.createTreeView(CHECKPOINT_VIEW, {
        treeDataProvider: this,
        canSelectMany: true,
        showCollapseAll: true,
      }),
    );
    this.register(catalog.onDidChange(() => this.changed.fire(undefined)));
    this.register(startOfDayTimer(() => this.changed.fire(undefined)));
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  getTreeItem(node: CheckpointTreeNode): vscode.TreeItem {
    return checkpointTreeItem(node, Date.now());
  }

  resolveTreeItem(item: vscode.TreeItem, node: CheckpointTreeNode): vscode.TreeItem {
    if (node instanceof CheckpointNode) item.tooltip = checkpointTooltip(node.checkpoint);
    return item;
  }

  async getChildren(node?: CheckpointTreeNode): Promise<CheckpointTreeNode[]> {
    try {
      const children = await this.childrenOf(node);
      this.view.message = "";
      return children;
    } catch (error) {
      // Thrown from here VS Code would show it as an unexplained notification.
      const known = this.errors.record(error);
      if (known) this.view.message = known.message;
      return [];
    }
  }

  private async childrenOf(node: CheckpointTreeNode | undefined): Promise<CheckpointTreeNode[]> {
    if (node === undefined) {
      const [only, ...others] = this.folders.all;
      if (!only) return [];
      return others.length === 0 ? this.days(only) : this.rootsWithCheckpoints();
    }
    if (node instanceof RootNode) return this.days(node.root);
    if (node instanceof DayNode) return node.checkpoints.map((checkpoint) => new CheckpointNode(node.root, checkpoint));
    if (node instanceof CheckpointNode) return this.changes(node);
    if (node instanceof FolderNode) return this.below(node.root, node, node.folder.children, node.isOpen);
    return [];
  }

  /** All folders once one of them has a checkpoint; none before, so that the welcome text shows. */
  private async rootsWithCheckpoints(): Promise<CheckpointTreeNode[]> {
    const known = await Promise.all(this.folders.all.map((root) => this.catalog.get(root)));
    const some = known.some((folder) => folder.checkpoints.length > 0);
    return some ? this.folders.all.map((root) => new RootNode(root)) : [];
  }

  private async days(root: Root): Promise<CheckpointTreeNode[]> {
    const { checkpoints } = await this.catalog.get(root);
    const days = new Map<number, Checkpoint[]>();
    for (const checkpoint of checkpoints) {
      const day = startOfDay(checkpoint.createdAt);
      const ofDay = days.get(day);
      if (ofDay) ofDay.push(checkpoint);
      else days.set(day, [checkpoint]);
    }
    return [...days].map(([day, ofDay]) => new DayNode(root, day, ofDay));
  }

  private async changes(node: CheckpointNode): Promise<CheckpointTreeNode[]> {
    const { root, checkpoint } = node;
    const limit = this.limits.get(checkpoint.id) ?? FIRST_CHANGES;
    const detail: CheckpointDetail = await root.engine.show(checkpoint.id, { limit });
    const children = this.below(root, node, buildChangeTree(detail.changes), detail.changes.length <= MAX_OPEN_ROWS);
    const remaining = detail.totalChanges - detail.changes.length;
    if (remaining > 0) {
      const loadMore = () => {
        this.limits.set(checkpoint.id, limit * MORE_FACTOR);
        this.changed.fire(node);
      };
      children.push(new MoreNode(remaining, loadMore, `more:${root.key}:${checkpoint.id}:${limit}`));
    }
    return children;
  }

  private below(
    root: Root,
    { checkpoint }: Pick<CheckpointNode, "checkpoint">,
    nodes: readonly TreeChange[],
    isOpen: boolean,
  ): CheckpointTreeNode[] {
    return nodes.map((node) =>
      node.type === "folder"
        ? new FolderNode(root, checkpoint, node, isOpen)
        : new ChangeNode(root, checkpoint, node.change, node.name),
    );
  }
}

/** Calls back shortly after each midnight: "Today" becomes "Yesterday". */
function startOfDayTimer(callback: () => void): vscode.Disposable {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const now = Date.now();
    const nextMidnight = new Date(now).setHours(24, 0, 1, 0);
    timer = setTimeout(() => {
      callback();
      arm();
    }, nextMidnight - now);
  };
  arm();
  return new vscode.Disposable(() => clearTimeout(timer));
}
