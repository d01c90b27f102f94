/** What a scan finds, folder by folder. */
import type { ByteString } from "../../shared/pathText";
import { type FileStat, isSymlink, permissions } from "../fs/fileSystem";
import type { Hash } from "../store/hash";
import type { DirectoryRecord } from "./directoryRecord";
import { FILE, type Listing, SYMLINK } from "./recordLayout";

/** A file or symlink as found; `mode` is the permission bits alone. */
export interface ScannedFile extends FileStat {
  readonly name: string;
  readonly type: typeof FILE | typeof SYMLINK;
  /** Known from the index; absent: must be read. */
  readonly hash: Hash | undefined;
}

export interface EntryCounts {
  readonly files: number;
  readonly symlinks: number;
  readonly folders: number;
  readonly bytes: number;
}

export interface ScannedFolder {
  readonly path: ByteString;
  readonly name: string;
  readonly mode: number;
  readonly rulesId: string;
  readonly folders: readonly ScannedFolder[];
  /** What lies in this very folder, and what lies in it at any depth. */
  readonly own: EntryCounts;
  readonly all: EntryCounts;
  /** True: neither this folder nor anything below was looked at; it is as the index and the last scan say. */
  readonly isUntouched: boolean;
  readonly record: DirectoryRecord | undefined;
  /** Present when something in this very folder may differ from the record; all its files then. */
  readonly files: readonly ScannedFile[] | undefined;
  /** Undefined: the names must be read again next time. */
  readonly listing: Listing | undefined;
}

/** The files of a folder in which something changed, with the hashes of those that did not. */
export function collectFiles(
  names: readonly string[],
  stats: readonly FileStat[],
  record: DirectoryRecord | undefined,
): ScannedFile[] {
  const cursor = record?.cursor();
  return names.map((name, i) => {
    const stat = stats[i] as FileStat;
    const type = isSymlink(stat) ? SYMLINK : FILE;
    const mode = permissions(stat);
    if (cursor !== undefined) while (cursor.name !== undefined && cursor.name < name) cursor.next();
    const unchanged =
      cursor !== undefined &&
      cursor.name === name &&
      cursor.type === type &&
      !cursor.racy &&
      cursor.matches(stat, mode);
    const { size, mtimeMs, ctimeMs, ino, dev, nlink } = stat;
    return { name, type, mode, size, mtimeMs, ctimeMs, ino, dev, nlink, hash: unchanged ? cursor.hash : undefined };
  });
}

function addCounts(a: EntryCounts, b: EntryCounts): EntryCounts {
  return {
    files: a.files + b.files,
    symlinks: a.symlinks + b.symlinks,
    folders: a.folders + b.folders,
    bytes: a.bytes + b.bytes,
  };
}

/** A folder's counts with those of its subfolders. */
export function totalCounts(own: EntryCounts, folders: readonly ScannedFolder[]): EntryCounts {
  return folders.reduce((sum, each) => addCounts(sum, each.all), own);
}

/** The same folders for the next scan to start from, without what only this one needs. */
export function asUntouched(folder: ScannedFolder): ScannedFolder {
  if (folder.isUntouched) return folder;
  return {
    ...folder,
    folders: folder.folders.map(asUntouched),
    isUntouched: true,
    record: undefined,
    files: undefined,
    listing: undefined,
  };
}
