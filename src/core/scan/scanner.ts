/**
 * Walks the workspace and finds out what may have changed since the index was written.
 *
 * Where an `Expectation` vouches for a folder, its record is taken for what is there. Elsewhere every entry is looked
 * at once (lstat); nothing is opened but ignore files. For a folder whose names and stats all equal its index record no
 * object per file is made. Symlinks are entries, never followed. Sorting is by name bytes, as in tree objects.
 *
 * What is left out is in no record and has to be reported each time, so the folder that it lies in gets no `listing`:
 * it is looked at again. Folders further out do get one. Their records lead to it, by name.
 */

import { cancelled } from "../../shared/errors";
import { DEPENDENCIES, isNeverSaved } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { Skipped, SkipReason } from "../../shared/saves";
import { describeErrno } from "../fs/describeErrno";
import { errnoOf, type FileStat, type FileSystem, isDirectory, isFile, isSymlink, permissions } from "../fs/fileSystem";
import { joinPath, type PathRoot } from "../fs/osPath";
import type { DirectoryRecord } from "./directoryRecord";
import type { Expectation } from "./expectation";
import type { FileIndex } from "./fileIndex";
import { FolderRuleFiles } from "./folderRuleFiles";
import { CACHEDIR_TAG, type FolderRules } from "./ignoreRules";
import { FILE, FOLDER, SYMLINK } from "./recordLayout";
import { collectFiles, type ScannedFile, type ScannedFolder, totalCounts } from "./scannedFolder";

interface ScanResult {
  readonly root: ScannedFolder;
  readonly skipped: readonly Skipped[];
  /** Folders left out because they are marked as caches. */
  readonly caches: readonly ByteString[];
  /** Downloaded dependencies are in, because the options or an ignore file say so. */
  readonly hasDependencies: boolean;
}

interface ScanDeps {
  readonly fs: FileSystem;
  readonly root: PathRoot;
  readonly index: FileIndex;
  readonly rules: FolderRules;
  /** Answers for folders below others whose rules are as recorded; for the root, if it was recorded under these. */
  readonly expected: Expectation;
  readonly includeDependencies: boolean;
  readonly maxFileBytes: number;
  /** A folder inside the workspace that is never entered: the store, should it lie there. */
  readonly excludedFolder: ByteString | undefined;
  readonly isCancelled: () => boolean;
  readonly onProgress: (entries: number) => void;
  /**
   * Called for every folder of which something may differ from its record, with all its files. Where folders are
   * expected to be as recorded (not so without an index), one that turns out not to be is told of again.
   */
  readonly onFolder?: ((path: ByteString, files: readonly ScannedFile[]) => void) | undefined;
}

/** Names seen between two progress reports and looks at the cancel flag. */
const REPORT_EVERY = 2_000;
const ROOT = "" as ByteString;

/** Scans everything. Throws when the root folder cannot be read; anything deeper is reported as skipped. */
export function scanWorkspace(deps: ScanDeps): ScanResult {
  const walk = new Walk(deps);
  const root = walk.root();
  if (root === undefined) throw walk.rootError;
  const { skipped, caches, hasDependencies } = walk;
  return { root, skipped, caches, hasDependencies };
}

/** Worked out when first asked for: most folders that are as recorded need no rules. */
type LazyRules = () => FolderRules;

interface Compared extends Pick<ScannedFolder, "rulesId" | "record" | "files" | "folders" | "own" | "all"> {
  /** How much was left out in the subfolders that are in. */
  readonly leftOutBelow: number;
}

class Walk {
  readonly skipped: Skipped[] = [];
  readonly caches: ByteString[] = [];
  hasDependencies = false;
  rootError: unknown;
  private seen = 0;
  private reportAt = REPORT_EVERY;
  private readonly ruleFiles: FolderRuleFiles;

  constructor(private readonly deps: ScanDeps) {
    this.ruleFiles = new FolderRuleFiles(deps.fs, deps.root, (path, error) =>
      this.skip(path, "unreadable", describeErrno(error)),
    );
  }

  root(): ScannedFolder | undefined {
    const { rules, fs, root } = this.deps;
    return this.asExpected(ROOT, "", () => rules) ?? this.look(ROOT, "", fs.lstat(root.os(ROOT)), rules, false);
  }

  /** The folder as its record says, if that is to be relied on; `outer` gives the rules that hold around it. */
  private asExpected(path: ByteString, name: string, outer: LazyRules): ScannedFolder | undefined {
    const record = this.deps.index.record(path);
    if (record === undefined) return undefined;
    const expected = this.deps.expected(path);
    if (expected.what === "look") return undefined;
    this.noteDependencies(name);
    if (expected.what === "untouched") return expected.folder;

    const { own } = expected;
    this.countNames(own.files + own.symlinks + own.folders);
    const rules = once(() => {
      const names = record.entries().filter((entry) => entry.type === FILE);
      return this.ruleFiles.within(
        path,
        names.map((entry) => entry.name),
        outer(),
      );
    });
    const skippedBefore = this.skipped.length;
    const cachesBefore = this.caches.length;
    const folders: ScannedFolder[] = [];
    for (const each of record.folderNames()) {
      const childPath = joinPath(path, each);
      const child =
        this.asExpected(childPath, each, () => rules().afterReadmission(childPath, each)) ??
        this.lookAtSubfolder(childPath, each, record, rules);
      if (child === undefined) {
        // It went meanwhile, or is under other rules: this folder is not what it was.
        this.skipped.length = skippedBefore;
        this.caches.length = cachesBefore;
        return undefined;
      }
      folders.push(child);
    }
    const { mode, rulesId, listing } = record;
    const all = totalCounts(own, folders);
    return { path, name, mode, rulesId, folders, own, all, isUntouched: false, record, files: undefined, listing };
  }

  /** `parent`: the record of the folder it lies in, which `outer` are the rules in. */
  private lookAtSubfolder(
    path: ByteString,
    name: string,
    parent: DirectoryRecord,
    outer: LazyRules,
  ): ScannedFolder | undefined {
    const stat = this.stat(path);
    if (stat === undefined || !isDirectory(stat)) return undefined;
    const rules = outer();
    // An ignore file has just changed, or cannot be read now. What is recorded here under other rules than those that
    // the parent's record names would be taken for settled for ever.
    if (rules.id !== parent.rulesId) return undefined;
    return this.look(path, name, stat, rules.afterReadmission(path, name), rules.readmits(path, name));
  }

  /** Undefined: the folder is out (vanished, unreadable and reported, or marked as a cache). */
  private look(
    path: ByteString,
    name: string,
    stat: FileStat | undefined,
    outer: FolderRules,
    readmitted: boolean,
  ): ScannedFolder | undefined {
    const { fs, root, index } = this.deps;
    this.noteDependencies(name);
    let names: string[];
    try {
      names = fs.readdir(root.os(path)).sort();
    } catch (error) {
      this.rootError ??= error;
      if (errnoOf(error) !== "ENOENT") this.skip(path, "unreadable", describeErrno(error));
      return undefined;
    }
    this.countNames(names.length);
    const isTagged = names.includes(CACHEDIR_TAG);
    // Whoever opens a cache as a workspace wants what is in it.
    const mayBeCache = isTagged && path !== ROOT && !readmitted && !this.deps.includeDependencies;
    if (mayBeCache && this.ruleFiles.isCache(path)) {
      this.caches.push(path);
      return undefined;
    }
    const leftOutBefore = this.leftOut;
    const rules = this.ruleFiles.within(path, names, outer);
    const { leftOutBelow, ...found } = this.compare(path, rules, names, index.record(path));
    // Whether a tag marks a cache is not seen in its stat.
    const isSettled = !isTagged && this.leftOut - leftOutBefore === leftOutBelow;
    return {
      path,
      name,
      mode: stat === undefined ? 0 : permissions(stat),
      isUntouched: false,
      listing: stat !== undefined && isSettled ? stat : undefined,
      ...found,
    };
  }

  private compare(
    path: ByteString,
    rules: FolderRules,
    names: readonly string[],
    record: DirectoryRecord | undefined,
  ): Compared {
    // Equal rules judged the recorded names before: they are in, and need no second verdict.
    const judged = record !== undefined && record.rulesId === rules.id;
    const cursor = record?.cursor();
    const stats: FileStat[] = [];
    const present: string[] = [];
    const folders: ScannedFolder[] = [];
    let same = record !== undefined;
    let files = 0;
    let bytes = 0;
    let leftOutBelow = 0;

    for (const each of names) {
      if (isNeverSaved(each)) continue;
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
        const leftOutBefore = this.leftOut;
        const folder = this.subfolder(childPath, each, stat, rules, judged && known);
        if (folder === undefined) continue;
        leftOutBelow += this.leftOut - leftOutBefore;
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
      if (type === FILE) files++;
      if (known && !cursor.racy && cursor.matches(stat, permissions(stat))) cursor.next();
      else same = false;
    }
    if (cursor?.name !== undefined) same = false;
    const own = { files, symlinks: present.length - files, folders: folders.length, bytes };
    const collected = same ? undefined : collectFiles(present, stats, record);
    if (collected !== undefined) this.deps.onFolder?.(path, collected);
    return {
      rulesId: rules.id,
      record,
      files: collected,
      folders,
      own,
      all: totalCounts(own, folders),
      leftOutBelow,
    };
  }

  /** `judged`: the folder's record names it, and was made under the same rules. */
  private subfolder(
    path: ByteString,
    name: string,
    stat: FileStat,
    rules: FolderRules,
    judged: boolean,
  ): ScannedFolder | undefined {
    if (path === this.deps.excludedFolder) return undefined;
    if (judged && this.deps.index.record(path)?.mode === permissions(stat)) {
      const folder = this.asExpected(path, name, () => rules.afterReadmission(path, name));
      if (folder !== undefined) return folder;
    }
    if (!judged && rules.excludes(path, name, true)) return undefined;
    return this.look(path, name, stat, rules.afterReadmission(path, name), rules.readmits(path, name));
  }

  private get leftOut(): number {
    return this.skipped.length + this.caches.length;
  }

  private noteDependencies(folder: string): void {
    if (DEPENDENCIES.has(folder)) this.hasDependencies = true;
  }

  private stat(path: ByteString): FileStat | undefined {
    try {
      return this.deps.fs.lstat(this.deps.root.os(path));
    } catch (error) {
      this.skip(path, "unreadable", describeErrno(error));
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

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
