/**
 * What the host knows of each folder's checkpoints: the list, what can be undone, where the store is.
 *
 * Loaded on first use, so that opening a window starts no engine. What is shown before that (the age of the newest
 * checkpoint) is remembered from the last time in the workspace state. A watcher on each store's catalog notices
 * checkpoints made by other windows and the command line.
 */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import { Disposable } from "../shared/disposable";
import type { ErrorMessages } from "./errorMessages";
import { type FolderCheckpoints, isSameKnowledge } from "./folderCheckpoints";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

/** What stays known while no engine runs. */
interface Remembered {
  readonly newestAt: number | null;
  readonly storeFolder: string;
  readonly storeRoot: string;
}

const CATALOG_FILE = "catalog.sqlite";
/** A save replaces the catalog once, but other processes may make several in a row. */
const SETTLE_MS = 150;

export class CheckpointCatalog extends Disposable {
  private readonly known = new Map<Root, FolderCheckpoints>();
  private readonly loading = new Map<Root, Promise<FolderCheckpoints>>();
  private readonly watchers = new Map<Root, vscode.Disposable>();
  private readonly changed = this.register(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly memory: vscode.Memento,
    private readonly errors: ErrorMessages,
  ) {
    super();
    this.register(folders.onDidChange(() => this.onFoldersChanged()));
    this.register(
      vscode.window.onDidChangeWindowState((state) => {
        // A watcher can miss events (network drives, a store made after the watcher); coming back to the window is cheap.
        if (state.focused) for (const root of this.known.keys()) void this.refreshQuietly(root);
      }),
    );
    this.register({ dispose: () => this.unwatch() });
    this.watchRemembered();
    this.updateContext();
  }

  /** The checkpoints of a folder; starts the engine the first time. */
  get(root: Root): Promise<FolderCheckpoints> {
    const known = this.known.get(root);
    return known ? Promise.resolve(known) : this.refresh(root);
  }

  /** What is known without asking the engine. */
  peek(root: Root): FolderCheckpoints | undefined {
    return this.known.get(root);
  }

  /** Creation time of the newest checkpoint of all folders as far as known, or null. */
  newestAt(): number | null {
    let newest: number | null = null;
    for (const root of this.folders.all) {
      const known = this.known.get(root);
      const at = known ? (known.checkpoints[0]?.createdAt ?? null) : (this.remembered(root)?.newestAt ?? null);
      if (at !== null && (newest === null || at > newest)) newest = at;
    }
    return newest;
  }

  /** The newest checkpoint of all folders; undefined before the engine was asked. */
  newest(): Checkpoint | undefined {
    const each = this.folders.all
      .map((root) => this.known.get(root)?.checkpoints[0])
      .filter((one) => one !== undefined);
    return each.sort((a, b) => b.createdAt - a.createdAt)[0];
  }

  find(root: Root, id: string | null): Checkpoint | undefined {
    return this.known.get(root)?.checkpoints.find((checkpoint) => checkpoint.id === id);
  }

  /** Reads the catalog anew. Readings of one folder run one after the other, so an older answer never wins. */
  async refresh(root: Root): Promise<FolderCheckpoints> {
    const running = this.loading.get(root);
    const next = (running ?? Promise.resolve())
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => this.read(root));
    this.loading.set(root, next);
    try {
      return await next;
    } finally {
      if (this.loading.get(root) === next) this.loading.delete(root);
    }
  }

  /**
   * The same after something was done: that nobody can tell what came of it does not undo it, so a failure is only
   * logged, and answered with undefined.
   */
  async refreshQuietly(root: Root): Promise<FolderCheckpoints | undefined> {
    try {
      return await this.refresh(root);
    } catch (error) {
      this.errors.record(error);
      return undefined;
    }
  }

  private async read(root: Root): Promise<FolderCheckpoints> {
    const before = this.known.get(root);
    const [checkpoints, undo] = await Promise.all([root.engine.list(), root.engine.undoState()]);
    const storeFolder = before?.storeFolder ?? (await root.engine.stats()).folder;
    const after: FolderCheckpoints = { checkpoints, undo, storeFolder };
    if (this.isDisposed || !this.folders.all.includes(root)) return after;
    if (before && isSameKnowledge(before, after)) return before;
    this.known.set(root, after);
    this.watch(root, storeFolder);
    await this.memory.update(memoryKey(root), {
      newestAt: checkpoints[0]?.createdAt ?? null,
      storeFolder,
      storeRoot: root.address.storeRoot,
    } satisfies Remembered);
    this.updateContext();
    this.changed.fire();
    return after;
  }

  private watch(root: Root, storeFolder: string): void {
    if (this.watchers.has(root)) return;
    const pattern = new vscode.RelativePattern(vscode.Uri.file(storeFolder), CATALOG_FILE);
    const watcher = vscode.workspace.createFileSystemWatcher(pattern);
    let timer: NodeJS.Timeout | undefined;
    const onEvent = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.refreshQuietly(root), SETTLE_MS);
    };
    watcher.onDidCreate(onEvent);
    watcher.onDidChange(onEvent);
    this.watchers.set(root, {
      dispose: () => {
        clearTimeout(timer);
        watcher.dispose();
      },
    });
  }

  private watchRemembered(): void {
    for (const root of this.folders.all) {
      const remembered = this.remembered(root);
      if (remembered) this.watch(root, remembered.storeFolder);
    }
  }

  private unwatch(): void {
    for (const watcher of this.watchers.values()) watcher.dispose();
    this.watchers.clear();
  }

  private onFoldersChanged(): void {
    for (const root of [...this.known.keys()]) if (!this.folders.all.includes(root)) this.known.delete(root);
    for (const [root, watcher] of [...this.watchers]) {
      if (this.folders.all.includes(root)) continue;
      watcher.dispose();
      this.watchers.delete(root);
    }
    this.watchRemembered();
    this.updateContext();
    this.changed.fire();
  }

  private remembered(root: Root): Remembered | undefined {
    const remembered = this.memory.get<Remembered>(memoryKey(root));
    // A store elsewhere (the setting changed) is another store.
    return remembered?.storeRoot === root.address.storeRoot ? remembered : undefined;
  }

  /**
   * `canUndo` and `canRedo` are only known once the engine was asked; until then (`isLoaded` is false) the commands stay
   * enabled, because right after a reload is when people need them.
   */
  private updateContext(): void {
    const roots = this.folders.all;
    const known = roots.map((root) => this.known.get(root));
    const set = (key: string, value: boolean) =>
      void vscode.commands.executeCommand("setContext", `checkpoint.${key}`, value);
    set("hasCheckpoints", this.newestAt() !== null);
    set(
      "canUndo",
      known.some((folder) => folder?.undo.undo),
    );
    set(
      "canRedo",
      known.some((folder) => folder?.undo.redo),
    );
    set("isLoaded", roots.length > 0 && known.every((folder) => folder !== undefined));
  }
}

function memoryKey(root: Root): string {
  return `checkpoint.folder:${root.key}`;
}
