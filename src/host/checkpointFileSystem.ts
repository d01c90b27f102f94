/** Saved files and folders as a read-only file system: text, images, notebooks and hex views all work on it. */
import * as vscode from "vscode";
import type { EntryState } from "../shared/changes";
import { CheckpointError } from "../shared/errors";
import { CallLimit } from "./callLimit";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { type CheckpointLocation, isEmptyUri, parseCheckpointUri, storeIdOf, timeOfId } from "./checkpointUris";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

/** Enough to keep the engine busy. */
const MAX_CALLS = 16;

export class CheckpointFileSystem implements vscode.FileSystemProvider {
  private readonly limit = new CallLimit(MAX_CALLS);
  private readonly emitter = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  /** Never fires: what a checkpoint holds does not change. */
  readonly onDidChangeFile = this.emitter.event;

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
  ) {}

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    if (isEmptyUri(uri))
      return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: 0, permissions: vscode.FilePermission.Readonly };
    const { root, location } = await this.locate(uri);
    const state = await this.limit.run(() =>
      translated(uri, () => root.engine.stat(location.checkpointId, location.path)),
    );
    const at = timeOfId(location.checkpointId);
    return {
      type: fileType(state),
      ctime: at,
      mtime: at,
      size: state.size,
      permissions: vscode.FilePermission.Readonly,
    };
  }

  async readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    const { root, location } = await this.locate(uri);
    const entries = await translated(uri, () => root.engine.readDirectory(location.checkpointId, location.path));
    return entries.map((entry) => [entry.name, fileType(entry)]);
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    if (isEmptyUri(uri)) return new Uint8Array();
    const { root, location } = await this.locate(uri);
    return this.limit.run(() => translated(uri, () => root.engine.readFile(location.checkpointId, location.path)));
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  /** Finds the folder whose store the URI names. After a reload an editor may ask before anything else was loaded. */
  private async locate(uri: vscode.Uri): Promise<{ root: Root; location: CheckpointLocation }> {
    const location = parseCheckpointUri(uri);
    if (!location) throw vscode.FileSystemError.FileNotFound(uri);
    const owns = (storeFolder: string | undefined) =>
      storeFolder !== undefined && storeIdOf(storeFolder) === location.storeId;
    const known = this.folders.all.find((root) => owns(this.catalog.peek(root)?.storeFolder));
    if (known) return { root: known, location: { ...location, path: known.pathOfSaved(location) } };
    for (const root of this.folders.all) {
      if (owns((await translated(uri, () => this.catalog.get(root))).storeFolder))
        return { root, location: { ...location, path: root.pathOfSaved(location) } };
    }
    throw vscode.FileSystemError.FileNotFound(
      vscode.l10n.t("This checkpoint belongs to a folder that is not open in this window."),
    );
  }
}

function fileType(state: EntryState): vscode.FileType {
  switch (state.type) {
    case "directory":
      return vscode.FileType.Directory;
    case "symlink":
      // Its content, the target, is shown as a file.
      return vscode.FileType.SymbolicLink | vscode.FileType.File;
    case "file":
      return vscode.FileType.File;
  }
}

async function translated<T>(uri: vscode.Uri, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (CheckpointError.is(error, "not-found")) throw vscode.FileSystemError.FileNotFound(uri);
    throw vscode.FileSystemError.Unavailable(CheckpointError.from(error).message);
  }
}
