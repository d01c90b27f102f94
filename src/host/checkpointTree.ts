/** The "Checkpoints" view: (folders →) days → checkpoints → what changed in them. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import { Disposable } from "../shared/disposable";
import { type ChangeLevel, changeTree } from "./changeTree";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointTooltip, checkpointTreeItem } from "./checkpointItems";
import {
  ChangeNode,
  CheckpointNode,
  type CheckpointTreeNode,
  DayNode,
  FolderNode,
  NotListedNode,
  RootNode,
} from "./checkpointNodes";
import type { ErrorMessages } from "./errorMessages";
import { LevelPages } from "./levelPages";
import { startOfDay } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

const CHECKPOINT_VIEW = "checkpoint.checkpoints";
/** All changes of a checkpoint are fetched at once, so that every folder and count is true; 78,000 take about 12 MB. */
const MAX_CHANGES = 100_000;
/** Changes of this many checkpoints are kept: the tree asks for all open ones again after each save. */
const KEPT_LISTS = 8;
/** Folders of a checkpoint start open while all of it fits on a screen or two. */
const MAX_OPEN_ROWS = 60;

export class CheckpointTree extends Disposable implements vscode.TreeDataProvider<CheckpointTreeNode> {
  readonly view: vscode.TreeView<CheckpointTreeNode>;
  private readonly changed = this.register(new vscode.EventEmitter<CheckpointTreeNode | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly pages = new LevelPages();
  private readonly kept = new Map<string, ChangeList>();

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
    if (node instanceof FolderNode) return this.page(node, node.path, node.folder.children, node.isOpen);
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
    const { nodes, total, listed } = await this.changeList(node);
    const rows = this.page(node, "", nodes, total <= MAX_OPEN_ROWS);
    // Nothing more to click: what is beyond the limit is found through Compare, folder by folder.
    if (listed < total) rows.push(new NotListedNode(total - listed, `unlisted:${node.root.key}:${node.checkpoint.id}`));
    return rows;
  }

  private async changeList({ root, checkpoint }: CheckpointNode): Promise<ChangeList> {
    // After a deletion the same checkpoint has another parent, and so another list.
    const key = `${root.key}:${checkpoint.id}:${checkpoint.parentId}`;
    let list = this.kept.get(key);
    if (!list) {
      const { changes, totalChanges } = await root.engine.show(checkpoint.id, { limit: MAX_CHANGES });
      list = { nodes: changeTree(changes), total: totalChanges, listed: changes.length };
    }
    // Put back at the end: the first one is the one not used for longest.
    this.kept.delete(key);
    this.kept.set(key, list);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT_LISTS) break;
      this.kept.delete(oldest);
    }
    return list;
  }

  private page(
    parent: CheckpointNode | FolderNode,
    path: string,
    nodes: ChangeLevel,
    isOpen: boolean,
  ): CheckpointTreeNode[] {
    const { root, checkpoint } = parent;
    return this.pages.page<CheckpointTreeNode>(
      `${root.key}:${checkpoint.id}:${path}`,
      nodes,
      (node) =>
        node.type === "folder"
          ? new FolderNode(root, checkpoint, node, isOpen)
          : new ChangeNode(root, checkpoint, node.change, node.name),
      () => this.changed.fire(parent),
    );
  }
}

/** What one checkpoint changed, as folders and files. */
interface ChangeList {
  readonly nodes: ChangeLevel;
  readonly total: number;
  /** Less than `total` beyond MAX_CHANGES. */
  readonly listed: number;
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
