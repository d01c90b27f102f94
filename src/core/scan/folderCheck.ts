/** Whether a folder is still exactly as the index says: one lstat of the folder and one of each of its files. */
import { type FileStat, type FileSystem, isDirectory, isFile, isSymlink, permissions } from "../fs/fileSystem";
import type { PathRoot } from "../fs/osPath";
import type { DirectoryRecord } from "./directoryRecord";
import { FILE, FOLDER, SYMLINK } from "./recordLayout";
import type { EntryCounts } from "./scannedFolder";

interface FolderCheckDeps {
  readonly fs: FileSystem;
  readonly root: PathRoot;
  /** The device that is known to tell changes of listings; a mount inside the workspace has another. */
  readonly device: number;
  readonly maxFileBytes: number;
}

/**
 * What lies in the folder when its names and every stat equal the record; undefined when anything differs, cannot be
 * looked at, or is not for a comparison to decide (racy entries, files above the limit): somebody must look then.
 * Subfolders are not looked at: each has a record of its own.
 */
export function checkFolder(deps: FolderCheckDeps, record: DirectoryRecord): EntryCounts | undefined {
  const { fs, root } = deps;
  try {
    const folder = fs.lstat(root.os(record.path));
    if (folder === undefined || folder.dev !== deps.device || !isUnchangedFolder(folder, record)) return undefined;
    const osPath = root.entriesOf(record.path);
    let files = 0;
    let symlinks = 0;
    let folders = 0;
    let bytes = 0;
    for (const cursor = record.cursor(); cursor.name !== undefined; cursor.next()) {
      if (cursor.type === FOLDER) {
        folders++;
        continue;
      }
      if (cursor.racy) return undefined;
      const found = fs.lstat(osPath(cursor.name));
      if (found === undefined || !cursor.matches(found, permissions(found))) return undefined;
      if (cursor.type === FILE && isFile(found) && found.size <= deps.maxFileBytes) files++;
      else if (cursor.type === SYMLINK && isSymlink(found)) symlinks++;
      else return undefined;
      bytes += found.size;
    }
    return { files, symlinks, folders, bytes };
  } catch {
    // Whoever looks will meet the same error and say it.
    return undefined;
  }
}

function isUnchangedFolder(found: FileStat, record: DirectoryRecord): boolean {
  return isDirectory(found) && permissions(found) === record.mode && record.isListedAs(found);
}
