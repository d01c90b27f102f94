/**
 * Carries out a restore plan.
 *
 * Order
 *  1. stage    new folders; new files under their own names (exclusively created); content that takes the place of
 *              something into temp files. Until here nothing that existed was touched: an error, or a cancellation,
 *              takes all of it back.
 *  2. commit   removals → emptied folders → folders that take the place of files → renames of the staged files to their
 *              places → permission bits. No content is written any more, so a full disk cannot stop it half-way.
 *
 * In step 2 each path is looked at once more: it must still be what was captured, or it is kept and named. No step
 * follows a symlink below the workspace: every folder on the way is checked to be a real one.
 */
import type { Kept } from "../../shared/api";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import { errnoOf, type FileStat, isDirectory } from "../fs/fileSystem";
import { joinPath, parentPath } from "../fs/osPath";
import { TEMP_PREFIX } from "../fs/publishFile";
import { WRITTEN } from "../pipeline/extractTask";
import type { WorkView } from "../pipeline/sharedWork";
import { describeErrno } from "../scan/scanner";
import { TREE_DIRECTORY } from "../store/tree";
import { CapturedState } from "./capturedState";
import type { Operation, Store } from "./context";
import { type Extraction, extract } from "./extract";
import type { PlannedEntry, RestorePlan } from "./restorePlan";

export interface Applied {
  /** Paths of the plan that were left as they were after all. */
  readonly kept: readonly Kept[];
  /** The same paths as bytes. */
  readonly keptPaths: readonly ByteString[];
}

/** A temp name is longer than most names: beside paths longer than this (limits: 1,024 on macOS, 4,096) it may not fit. */
const LONG_PATH_BYTES = 900;

/**
 * Applies `plan`. Rejects with the cause when staging fails (then nothing has changed); later problems concern single
 * paths and are reported as kept. Cancelling is possible until step 2 begins.
 */
export async function applyRestore(store: Store, plan: RestorePlan, operation: Operation): Promise<Applied> {
  return new Application(store, plan, operation).run();
}

/** A file or link whose content lies in a temp file, waiting for its place. */
interface Staged {
  readonly path: ByteString;
  readonly temp: ByteString;
  /** Something captured is there until then; otherwise the place is empty by then. */
  readonly replaces: boolean;
}

class Application {
  private readonly kept: Kept[] = [];
  private readonly realFolders = new Map<ByteString, boolean>();
  private readonly madeFolders: ByteString[] = [];
  private readonly keptPaths = new Set<ByteString>();
  private readonly captured: CapturedState;
  private readonly nonce: string;
  /** Step 2 has begun. */
  private committing = false;

  constructor(
    private readonly store: Store,
    private readonly plan: RestorePlan,
    private readonly operation: Operation,
  ) {
    this.captured = new CapturedState(store.index);
    this.nonce = store.nonce();
  }

  async run(): Promise<Applied> {
    const { plan } = this;
    const inTheWay = new Set<ByteString>([...plan.removals, ...plan.folderRemovals]);
    const waits = (path: ByteString): boolean => {
      for (let at: ByteString = path; at !== ""; at = parentPath(at)) if (inTheWay.has(at)) return true;
      return false;
    };
    const [laterFolders, folders] = split(plan.folders, ({ path }) => waits(path));
    const [laterCreations, creations] = split(plan.creations, ({ path }) => waits(path));
    const [linked, modes] = split(plan.modes, (each) => this.hasOtherNames(each));
    const staged = await this.stage(folders, creations, [...plan.replacements, ...linked], laterCreations, waits);

    this.committing = true;
    for (const path of plan.removals) this.guarded(path, () => this.removeFile(path));
    for (const path of plan.folderRemovals) this.guarded(path, () => this.removeFolder(path));
    for (const each of laterFolders) this.guarded(each.path, () => this.makeFolder(each));
    for (const each of staged) this.settle(each);
    // Inner ones first, and new folders last of all: one without write or search permission is filled before it gets it.
    for (const each of [...modes].reverse()) this.guarded(each.path, () => this.setMode(each));
    for (const { path, entry } of [...plan.folders].reverse())
      this.guarded(path, () => this.store.fs.chmod(this.store.root.os(path), entry.mode));
    return { kept: this.kept, keptPaths: [...this.keptPaths] };
  }

  /** Step 1. Returns what waits in temp files. */
  private async stage(
    folders: readonly PlannedEntry[],
    creations: readonly PlannedEntry[],
    replacements: readonly PlannedEntry[],
    laterCreations: readonly PlannedEntry[],
    waits: (path: ByteString) => boolean,
  ): Promise<Staged[]> {
    const staged: Staged[] = [];
    const work: Extraction[] = [];
    let result: { view: WorkView; work: readonly Extraction[] } | undefined;
    const prepare = ({ path, entry }: PlannedEntry, replaces: boolean): void => {
      const temp = this.tempFor(path, staged.length, waits);
      // Where the place itself comes into being in step 2, it is looked at then.
      if (!(replaces ? this.isReachable(path) : this.hasRealParents(temp))) return;
      staged.push({ path, temp, replaces });
      work.push({ path: temp, entry, replaces: path });
    };
    try {
      for (const each of folders) this.guarded(each.path, () => this.makeFolder(each));
      for (const each of creations) if (this.isReachable(each.path)) work.push(each);
      for (const each of replacements) prepare(each, true);
      for (const each of laterCreations) prepare(each, false);
      const extracted = await extract(this.store, work, this.operation, (started) => {
        result = started;
      });
      const failed = new Set(this.noteFailures(extracted));
      this.operation.throwIfCancelled();
      return staged.filter(({ temp }) => !failed.has(temp));
    } catch (error) {
      this.takeBack(result);
      throw error;
    }
  }

  /** Beside its target, or above it where that folder is not there yet or the name would not fit. */
  private tempFor(path: ByteString, number: number, waits: (path: ByteString) => boolean): ByteString {
    let folder = parentPath(path);
    while (folder !== "" && (folder.length > LONG_PATH_BYTES || waits(folder))) folder = parentPath(folder);
    return joinPath(folder, `${TEMP_PREFIX}${this.nonce}-${number}`);
  }

  /** Removes what staging made. */
  private takeBack(result: { view: WorkView; work: readonly Extraction[] } | undefined): void {
    const { fs, root } = this.store;
    result?.work.forEach(({ path }, i) => {
      if (result.view.states[i] === WRITTEN)
        ignoreFailure(
          () => fs.unlink(root.os(path)),
          "the error that led here is reported; this file is named like a temp file or is new",
        );
    });
    for (const path of this.madeFolders.reverse())
      ignoreFailure(() => fs.rmdir(root.os(path)), "somebody put something into the new folder: theirs to keep");
  }

  private makeFolder({ path, entry }: PlannedEntry): void {
    if (!this.isReachable(path)) return;
    // Writable until its content is in; the final mode is set at the end.
    this.store.fs.mkdir(this.store.root.os(path), entry.mode | 0o700);
    this.madeFolders.push(path);
    this.realFolders.set(path, true);
  }

  private removeFile(path: ByteString): void {
    if (this.isReachable(path) && this.mayTake(path)) this.store.fs.unlink(this.store.root.os(path));
  }

  private removeFolder(path: ByteString): void {
    if (!this.isReachable(path)) return;
    try {
      this.store.fs.rmdir(this.store.root.os(path));
      this.realFolders.delete(path);
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
      this.keep(path, "the folder holds other files, so it was left");
    }
  }

  /** Brings a staged file to its place; when it must not go there, the temp file goes. */
  private settle({ path, temp, replaces }: Staged): void {
    const { fs, root } = this.store;
    let placed = false;
    this.guarded(path, () => {
      if (!this.isReachable(path) || !(replaces ? this.mayTake(path) : this.isFree(path))) return;
      fs.rename(root.os(temp), root.os(path));
      placed = true;
    });
    if (!placed)
      ignoreFailure(() => fs.unlink(root.os(temp)), "scans leave it out by its name; why it stayed is reported");
  }

  private setMode({ path, entry }: PlannedEntry): void {
    if (!this.isReachable(path)) return;
    const { fs, root } = this.store;
    // chmod follows links, so what is a link by now must not be given a mode.
    if (entry.type === TREE_DIRECTORY ? isRealFolder(fs.lstat(root.os(path))) : this.mayTake(path))
      fs.chmod(root.os(path), entry.mode);
  }

  /** A file that other names share cannot have its own mode: it becomes a file of its own. */
  private hasOtherNames({ path, entry }: PlannedEntry): boolean {
    if (entry.type === TREE_DIRECTORY) return false;
    const { fs, root } = this.store;
    let shared = false;
    this.guarded(path, () => {
      shared = (fs.lstat(root.os(path))?.nlink ?? 1) > 1;
    });
    return shared;
  }

  /** False, and reported: the path is not what was captured a moment ago. */
  private mayTake(path: ByteString): boolean {
    const found = this.store.fs.lstat(this.store.root.os(path));
    if (found !== undefined && this.captured.holds(path, found)) {
      this.captured.aboutToChange(found);
      return true;
    }
    this.keep(path, "it changed while the restore was running, so it was left alone");
    return false;
  }

  private isFree(path: ByteString): boolean {
    if (this.store.fs.lstat(this.store.root.os(path)) === undefined) return true;
    this.keep(path, "it appeared while the restore was running, so it was left alone");
    return false;
  }

  /** Whether every folder above `path` is a real folder, not a link to somewhere else. Otherwise reported. */
  private isReachable(path: ByteString): boolean {
    if (this.hasRealParents(path)) return true;
    this.keep(path, "a folder above it is missing or is a link, so nothing was written there");
    return false;
  }

  private hasRealParents(path: ByteString): boolean {
    const parent = parentPath(path);
    if (parent === "") return true;
    const known = this.realFolders.get(parent);
    if (known !== undefined) return known;
    const { fs, root } = this.store;
    const real = this.hasRealParents(parent) && isRealFolder(fs.lstat(root.os(parent)));
    this.realFolders.set(parent, real);
    return real;
  }

  /** Runs one path's step; a failure that concerns only this path is reported. */
  private guarded(path: ByteString, step: () => void): void {
    if (this.keptPaths.has(path)) return;
    try {
      step();
    } catch (error) {
      const errno = errnoOf(error);
      if (error instanceof CheckpointError || errno === undefined) throw error;
      // A full disk concerns everything, as long as everything can still be taken back.
      if (!this.committing && (errno === "ENOSPC" || errno === "EDQUOT")) throw error;
      this.keep(path, describeErrno(error));
    }
  }

  /** Paths (as written) of extractions that failed, after reporting each under its real path. */
  private noteFailures(extracted: Awaited<ReturnType<typeof extract>>): ByteString[] {
    return extracted.failed.map(({ extraction, failure, message }) => {
      const text = failure === "exists" ? "it appeared while the restore was running, so it was left alone" : message;
      this.keep(extraction.replaces ?? extraction.path, text);
      return extraction.path;
    });
  }

  private keep(path: ByteString, reason: string): void {
    if (this.keptPaths.has(path)) return;
    this.keptPaths.add(path);
    this.kept.push({ path: pathToText(path), reason });
  }
}

function isRealFolder(stat: FileStat | undefined): boolean {
  return stat !== undefined && isDirectory(stat);
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
