/**
 * Listens to the file watcher and to the editor, from its making until it is disposed of, and keeps for each workspace
 * folder what may have changed. When that can be believed is decided in `ChangedPathSet`.
 */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import { DEPENDENCIES } from "../shared/leftOutNames";
import { ChangedPathSet, type Look, TICK_MS } from "./changedPathSet";
import { EventFlood } from "./eventFlood";
import { FolderProbe } from "./folderProbe";
import { covers } from "./pathCover";
import { savedPathFor } from "./watchedPath";
import { watcherHidesSaved } from "./watcherExcludes";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

const EXCLUDE_SETTING = "files.watcherExclude";

interface Watched {
  /** The path of the stores, should they lie inside: never saved, and no reason for the next save. */
  readonly stores: string | undefined;
  readonly set: ChangedPathSet;
  readonly probe: FolderProbe;
}

export class WorkspaceListener extends Disposable {
  /** By `Root`: a folder that is closed and opened again, or whose store moves, starts anew. */
  private readonly watched = new WeakMap<Root, Watched>();
  private readonly flood = new EventFlood();

  /** `onNotice` is told of whatever a save may be concerned with. */
  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly onNotice: () => void,
  ) {
    super();
    // One pattern without a base costs VS Code nothing: it watches workspace folders in any case.
    const watcher = this.register(vscode.workspace.createFileSystemWatcher("**/*"));
    const onEvent = (uri: vscode.Uri, mayBeNewFolder: boolean) => this.onEvent(uri, mayBeNewFolder);
    this.register(watcher.onDidCreate((uri) => onEvent(uri, true)));
    // A folder that was removed and made again at once is reported as changed.
    this.register(watcher.onDidChange((uri) => onEvent(uri, true)));
    this.register(watcher.onDidDelete((uri) => onEvent(uri, false)));
    this.register(vscode.workspace.onDidSaveTextDocument(({ uri }) => this.onWritten(uri)));
    this.register(vscode.workspace.onDidSaveNotebookDocument(({ uri }) => this.onWritten(uri)));
    this.register(vscode.workspace.onDidCreateFiles(({ files }) => this.onWritten(...files)));
    this.register(vscode.workspace.onDidDeleteFiles(({ files }) => this.onWritten(...files)));
    this.register(
      vscode.workspace.onDidRenameFiles(({ files }) => {
        for (const { oldUri, newUri } of files) this.onWritten(oldUri, newUri);
      }),
    );
    this.register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        for (const root of folders.all)
          if (event.affectsConfiguration(EXCLUDE_SETTING, root.folder.uri)) this.of(root).set.watcherRestarted();
      }),
    );
    const clock = setInterval(() => this.tick(), TICK_MS);
    this.register({ dispose: () => clearInterval(clock) });
    this.startSets();
    this.register(folders.onDidChange(() => this.startSets()));
  }

  /** See `ChangedPathSet.take`. */
  take(root: Root, wanted: "all" | "changed"): Look {
    const { set } = this.of(root);
    const scan = root.scanOptions();
    const excludes: unknown = vscode.workspace.getConfiguration(undefined, root.folder.uri).get(EXCLUDE_SETTING);
    // An authority is another machine (\\server\share): what that one writes is not always reported.
    const watcherHides = root.folder.uri.authority !== "" || watcherHidesSaved(excludes, root.folder.uri.path, scan);
    return set.take(wanted, { rules: JSON.stringify(scan), watcherHides });
  }

  private onEvent(uri: vscode.Uri, mayBeNewFolder: boolean): void {
    if (this.flood.note(Date.now())) for (const root of this.folders.all) this.of(root).set.flooded();
    this.forEachRoot(uri, (path, { set, probe }) => {
      set.heard(path);
      if (mayBeNewFolder && path !== "" && !IS_RECURSIVE) probe.ask(path);
    });
  }

  private onWritten(...uris: readonly vscode.Uri[]): void {
    for (const uri of uris)
      this.forEachRoot(uri, (path, { set }, root) => {
        // `watcherHidesSaved` takes excludes of these for harmless, so the watcher may be silent about them by order.
        const isWatched = !path.split("/").some((name) => DEPENDENCIES.has(name));
        if (set.written(path, isWatched)) void this.forgiveLink(root, path, set);
      });
  }

  /** A watcher does not follow links: that it says nothing of what is behind one is as it should be. */
  private async forgiveLink(root: Root, path: string, set: ChangedPathSet): Promise<void> {
    const names = path.split("/");
    for (let depth = 1; depth <= names.length; depth++)
      if ((await typeOf(root.uriOf(names.slice(0, depth).join("/")))) & vscode.FileType.SymbolicLink)
        return set.writtenThroughLink(path);
  }

  /** A path can lie in several workspace folders: one may contain another. */
  private forEachRoot(uri: vscode.Uri, note: (path: string, watched: Watched, root: Root) => void): void {
    let isConcerned = false;
    for (const root of this.folders.all) {
      const reported = root.pathOf(uri);
      const watched = this.of(root);
      if (reported === undefined || (watched.stores !== undefined && covers(watched.stores, reported))) continue;
      const path = savedPathFor(reported, process.platform);
      if (path === undefined) continue;
      note(path, watched, root);
      isConcerned = true;
    }
    if (isConcerned) this.onNotice();
  }

  private tick(): void {
    for (const root of this.folders.all) this.of(root).set.tick();
  }

  private startSets(): void {
    for (const root of this.folders.all) this.of(root);
  }

  private of(root: Root): Watched {
    const known = this.watched.get(root);
    if (known) return known;
    const set = new ChangedPathSet({ now: Date.now, followsNewFolders: IS_RECURSIVE });
    const probe = new FolderProbe({
      isFolder: async (path) => (await typeOf(root.uriOf(path))) === vscode.FileType.Directory,
      onFolder: (path) => set.sawFolder(path),
      onOverflow: () => set.flooded(),
    });
    const stores = root.pathOf(vscode.Uri.joinPath(vscode.Uri.file(root.address.storeRoot), "stores"));
    const watched: Watched = { stores, set, probe };
    this.watched.set(root, watched);
    return watched;
  }
}

/** Linux has no recursive watching: VS Code adds a watch for each folder, and not for those inside one moved in. */
const IS_RECURSIVE = process.platform === "darwin" || process.platform === "win32";

async function typeOf(uri: vscode.Uri): Promise<vscode.FileType> {
  try {
    return (await vscode.workspace.fs.stat(uri)).type;
  } catch {
    // Gone again, which is an event of its own, or not to be read by anybody.
    return vscode.FileType.Unknown;
  }
}
