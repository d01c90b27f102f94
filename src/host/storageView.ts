/**
 * The "Storage" view: what the checkpoints of this workspace take, which paths take most of it, and the other stores
 * beside it. Which paths those are is found out when somebody opens that row, and kept until asked for anew: it reads all
 * trees. Closing the row, or the view, stops it.
 */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { StoreUsage } from "../shared/retention";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { ErrorMessages } from "./errorMessages";
import { storageTreeItem, storeFigures } from "./storageItems";
import {
  AllStoresNode,
  LargePathNode,
  LargestNode,
  type StorageNode,
  StoreNode,
  WorkspaceStoreNode,
} from "./storageNodes";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

const STORAGE_VIEW = "checkpoint.storage";
/** More than this nobody goes through; what takes most is on top. */
const SHOWN_PATHS = 50;
/** A save changes the catalog more than once. */
const SETTLE_MS = 1_000;

export class StorageView extends Disposable implements vscode.TreeDataProvider<StorageNode> {
  private readonly view: vscode.TreeView<StorageNode>;
  private readonly changed = this.register(new vscode.EventEmitter<StorageNode | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly usages = new Map<Root, StoreUsage>();
  private readonly running = new Map<Root, AbortController>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly folders: WorkspaceFolders,
    catalog: CheckpointCatalog,
    private readonly errors: ErrorMessages,
  ) {
    super();
    this.view = this.register(
      vscode.window.createTreeView<StorageNode>(STORAGE_VIEW, { treeDataProvider: this, showCollapseAll: true }),
    );
    this.register(catalog.onDidChange(() => this.refreshSoon()));
    this.register(
      this.view.onDidCollapseElement(({ element }) => {
        if (element instanceof LargestNode) this.stop(element.root);
      }),
    );
    this.register(
      this.view.onDidChangeVisibility(({ visible }) => {
        if (visible) this.refreshSoon();
        else for (const root of [...this.running.keys()]) this.stop(root);
      }),
    );
    this.register({ dispose: () => clearTimeout(this.timer) });
  }

  /** Counts everything anew. */
  refresh(): void {
    this.usages.clear();
    this.changed.fire(undefined);
  }

  getTreeItem(node: StorageNode): vscode.TreeItem {
    return storageTreeItem(node, Date.now());
  }

  async getChildren(node?: StorageNode): Promise<StorageNode[]> {
    try {
      const children = await this.childrenOf(node);
      if (node === undefined) this.view.message = "";
      return children;
    } catch (error) {
      // Thrown from here VS Code would show it as an unexplained notification.
      const known = this.errors.record(error);
      if (known) this.view.message = known.message;
      return [];
    }
  }

  private async childrenOf(node: StorageNode | undefined): Promise<StorageNode[]> {
    if (node === undefined) return this.top();
    if (node instanceof WorkspaceStoreNode) return storeFigures(node, Date.now());
    if (node instanceof LargestNode) return this.largest(node);
    if (node instanceof AllStoresNode) return node.stores.map((summary) => new StoreNode(node.root, summary));
    return [];
  }

  private async top(): Promise<StorageNode[]> {
    const roots = this.folders.all;
    const [first] = roots;
    if (!first) return [];
    const stats = await Promise.all(roots.map((root) => root.engine.stats()));
    const stores = await first.engine.stores();
    const hasSeveral = roots.length > 1;
    return [
      ...roots.flatMap((root, i): StorageNode[] => {
        const own = stats[i];
        if (own === undefined) return [];
        const node = new WorkspaceStoreNode(root, own);
        return own.checkpoints === 0 ? [node] : [node, new LargestNode(root, hasSeveral)];
      }),
      new AllStoresNode(first, stores, stats[0]?.freeDiskBytes ?? null),
    ];
  }

  private async largest(node: LargestNode): Promise<StorageNode[]> {
    const { root } = node;
    const usage = this.usages.get(root) ?? (await this.measure(root));
    // Stopped: asked for anew when the row is opened the next time.
    if (usage === undefined) return [];
    this.usages.set(root, usage);
    return usage.largest.map((each) => new LargePathNode(root, each));
  }

  /** Undefined when it was stopped. */
  private async measure(root: Root): Promise<StoreUsage | undefined> {
    this.stop(root);
    const abort = new AbortController();
    this.running.set(root, abort);
    try {
      return await vscode.window.withProgress({ location: { viewId: STORAGE_VIEW } }, () =>
        root.controlled({ signal: abort.signal }).usage({ limit: SHOWN_PATHS }),
      );
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      return undefined;
    } finally {
      if (this.running.get(root) === abort) this.running.delete(root);
    }
  }

  private stop(root: Root): void {
    const abort = this.running.get(root);
    if (!abort) return;
    this.running.delete(root);
    abort.abort();
    this.refreshSoon();
  }

  private refreshSoon(): void {
    clearTimeout(this.timer);
    if (this.isDisposed || !this.view.visible) return;
    this.timer = setTimeout(() => this.changed.fire(undefined), SETTLE_MS);
  }
}
