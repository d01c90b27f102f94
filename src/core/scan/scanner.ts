/**
 * Walks the workspace and finds out what may have changed since the index was written.
 *
 * Every entry is looked at once (lstat); nothing is opened but ignore files. For a folder whose names and stats all
 * equal its index record no object per file is made: 80,000 unchanged files cost a walk and a comparison in place.
 * Symlinks are entries, never followed. Sorting is by name bytes, as in tree objects.
 */
import { constants } from "node:fs";
import type { Skipped, SkipReason } from "../../shared/api";
import { cancelled } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import { errnoOf, type FileStat, type FileSystem, isDirectory, isFile, isSymlink, permissions } from "../fs/fileSystem";
import { joinPath, type PathRoot } from "../fs/osPath";
import { readFully } from "../fs/publishFile";
import type { Hash } from "../store/hash";
import { type DirectoryRecord, FILE, FOLDER, SYMLINK } from "./directoryRecord";
import type { FileIndex } from "./fileIndex";
import { CACHEDIR_SIGNATURE, CACHEDIR_TAG, type FolderRules, type IgnoreFile, isAlwaysOut } from "./ignoreRules";

/** A file or symlink as found; `mode` is the permission bits alone. */
export interface ScannedFile extends FileStat {
  readonly name: string;
  readonly type: typeof FILE | typeof SYMLINK;
  /** Known from the index; absent: must be read. */
  readonly hash: Hash | undefined;
}

export interface ScannedFolder {
  readonly path: ByteString;
  readonly name: string;
  readonly mode: number;
  readonly rulesId: string;
  readonly record: DirectoryRecord | undefined;
  /** Present when something in this very folder may differ from the record; all its files then. */
  readonly files: readonly ScannedFile[] | undefined;
  readonly folders: readonly ScannedFolder[];
  readonly fileCount: number;
  readonly symlinkCount: number;
  readonly bytes: number;
}

export interface ScanResult {
  readonly root: ScannedFolder;
  readonly skipped: readonly Skipped[];
  /** Folders left out because they are marked as caches. */
  readonly caches: readonly ByteString[];
}

export interface ScanDeps {
  readonly fs: FileSystem;
  readonly root: PathRoot;
  readonly index: FileIndex;
  readonly rules: FolderRules;
  readonly includeDependencies: boolean;
  readonly maxFileBytes: number;
  /** A folder inside the workspace that is never entered: the store, should it lie there. */
  readonly excludedFolder: ByteString | undefined;
  readonly isCancelled: () => boolean;
  readonly onProgress: (entries: number) => void;
}

/** Names seen between two progress reports and looks at the cancel flag. */
const REPORT_EVERY = 2_000;
const IGNORE_FILE_MAX_BYTES = 1024 * 1024;

/** Scans everything. Throws when the root folder cannot be read; anything deeper is reported as skipped. */
export function scanWorkspace(deps: ScanDeps): ScanResult {
  const walk = new Walk(deps);
  const root = walk.folder("" as ByteString, "", 0, deps.rules, false);
  if (root === undefined) throw walk.rootError;
  return { root, skipped: walk.skipped, caches: walk.caches };
}

class Walk {
  readonly skipped: Skipped[] = [];
  readonly caches: ByteString[] = [];
  rootError: unknown;
  private seen = 0;
  private reportAt = REPORT_EVERY;

  constructor(private readonly deps: ScanDeps) {}

  /** Undefined: the folder is out (vanished, unreadable and reported, or marked as a cache). */
  folder(
    path: ByteString,
    name: string,
    mode: number,
    outer: FolderRules,
    readmitted: boolean,
  ): ScannedFolder | undefined {
    const { fs, root, index } = this.deps;
    let names: string[];
    try {
      names = fs.readdir(root.os(path)).sort();
    } catch (error) {
      this.rootError ??= error;
      if (errnoOf(error) !== "ENOENT") this.skip(path, "unreadable", describeErrno(error));
      return undefined;
    }
    this.countNames(names.length);
    if (!readmitted && !this.deps.includeDependencies && names.includes(CACHEDIR_TAG) && this.isCache(path)) {
      this.caches.push(path);
      return undefined;
    }

    const ruleFiles = names.filter((each) => outer.isRuleFile(each));
    const rules = outer.within(path, ruleFiles.map((each) => this.readIgnoreFile(path, each)).filter(isPresent));
    const record = index.record(path);
    return this.compare(path, name, mode, rules, names, record);
  }

  private compare(
    path: ByteString,
    name: string,
    mode: number,
    rules: FolderRules,
    names: readonly string[],
    record: DirectoryRecord | undefined,
  ): ScannedFolder {
    // Equal rules judged the recorded names before: they are in, and need no second verdict.
    const judged = record !== undefined && record.rulesId === rules.id;
    const cursor = record?.cursor();
    const stats: FileStat[] = [];
    const present: string[] = [];
    const folders: ScannedFolder[] = [];
    let same = record !== undefined;
    let fileCount = 0;
    let symlinkCount = 0;
    let bytes = 0;

    for (const each of names) {
      if (isAlwaysOut(each)) continue;
      const childPath = joinPath(path, each);
      const stat = this.stat(childPath);
      if (stat === undefined) continue;
      if (cursor !== undefined)
        while (cursor.name !== undefined && cursor.name < each) {
          same = false;
          cursor.next();
        }
      const recorded = cursor !== undefined && cursor.name === each;

      if (isDirectory(stat)) {
        const known = recorded && cursor.type === FOLDER;
        const folder = this.subfolder(childPath, each, permissions(stat), rules, judged && known);
        if (folder === undefined) continue;
        folders.push(folder);
        if (known) cursor.next();
        else same = false;
        continue;
      }
      const type = isFile(stat) ? FILE : isSymlink(stat) ? SYMLINK : undefined;
      const known = recorded && cursor.type === type;
      if (!(judged && known) && rules.excludes(childPath, each, false)) continue;
      if (type === undefined) {
        this.skip(childPath, "special-file", "a device, socket or pipe has no content to save");
        continue;
      }
      if (type === FILE && stat.size > this.deps.maxFileBytes) {
        this.skip(childPath, "too-large", `${stat.size} bytes is above the limit of ${this.deps.maxFileBytes}`);
        continue;
      }
      present.push(each);
      stats.push(stat);
      bytes += stat.size;
      if (type === FILE) fileCount++;
      else symlinkCount++;
      if (known && !cursor.racy && cursor.matches(stat, permissions(stat))) cursor.next();
      else same = false;
    }
    if (cursor?.name !== undefined) same = false;
    const files = same ? undefined : collect(present, stats, record);
    return { path, name, mode, rulesId: rules.id, record, files, folders, fileCount, symlinkCount, bytes };
  }

  private subfolder(
    path: ByteString,
    name: string,
    mode: number,
    rules: FolderRules,
    judged: boolean,
  ): ScannedFolder | undefined {
    if (path === this.deps.excludedFolder) return undefined;
    if (!judged && rules.excludes(path, name, true)) return undefined;
    return this.folder(path, name, mode, rules.afterReadmission(path, name), rules.readmits(path, name));
  }

  private stat(path: ByteString): FileStat | undefined {
    try {
      return this.deps.fs.lstat(this.deps.root.os(path));
    } catch (error) {
      this.skip(path, "unreadable", describeErrno(error));
      return undefined;
    }
  }

  private readIgnoreFile(folder: ByteString, name: string): IgnoreFile | undefined {
    const text = this.readHead(joinPath(folder, name), IGNORE_FILE_MAX_BYTES);
    return text === undefined ? undefined : { name, text };
  }

  private isCache(folder: ByteString): boolean {
    return this.readHead(joinPath(folder, CACHEDIR_TAG), CACHEDIR_SIGNATURE.length) === CACHEDIR_SIGNATURE;
  }

  /** The first bytes of a regular file as text; undefined when it is none or cannot be read (then it is reported). */
  private readHead(path: ByteString, maxBytes: number): string | undefined {
    const { fs, root } = this.deps;
    try {
      const fd = fs.open(root.os(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const stat = fs.fstat(fd);
        if (!isFile(stat)) return undefined;
        const bytes = readFully(fs, fd, Math.min(stat.size, maxBytes), 0);
        return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
      } finally {
        fs.close(fd);
      }
    } catch (error) {
      // As with git, a symlink is no ignore file; a vanished one has no rules.
      if (!["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) this.skip(path, "unreadable", describeErrno(error));
      return undefined;
    }
  }

  private skip(path: ByteString, reason: SkipReason, message: string): void {
    this.skipped.push({ path: pathToText(path), reason, message });
  }

  private countNames(count: number): void {
    this.seen += count;
    if (this.seen < this.reportAt) return;
    this.reportAt = this.seen + REPORT_EVERY;
    if (this.deps.isCancelled()) throw cancelled();
    this.deps.onProgress(this.seen);
  }
}

/** The files of a folder in which something changed, with the hashes of those that did not. */
function collect(
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

/** A system error in a few words for people. */
export function describeErrno(error: unknown): string {
  switch (errnoOf(error)) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EIO":
      return "the disk reported a read error";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open on this machine";
    case "ENAMETOOLONG":
      return "the path is too long for the file system";
    case "EBUSY":
      return "the file is locked by another program";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
