/**
 * Carries out a restore plan.
 *
 * Order
 *  0. begin    the caller writes its journal (see `store/restoreJournal.ts`): from here on a crash is noticed.
 *  1. stage    folders that are closed to changes are opened; new folders; new files under their own names (exclusively
 *              created); content that takes the place of something into temp files. Until here nothing that existed was
 *              touched: an error, or a cancellation, takes all of it back. What could not be staged costs nothing: what
 *              would only have made room for it stays.
 *  2. record   the caller writes down what is going to be done, so that it can be undone whatever happens.
 *  3. commit   removals → emptied folders → folders that take the place of files → renames of the staged files to their
 *              places → permission bits. No content is written any more, so a full disk cannot stop it half-way.
 *
 * In step 3 each path is looked at once more: it must still be what was captured, or it is kept and named. No step
 * follows a symlink below the workspace: every folder on the way is checked to be a real one.
 */

import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { Kept, KeptCode } from "../../shared/restores";
import { describeErrno } from "../fs/describeErrno";
import { errnoOf, lookAt } from "../fs/fileSystem";
import { joinPath, parentPath } from "../fs/osPath";
import { WRITTEN } from "../pipeline/extractTask";
import type { WorkView } from "../pipeline/sharedWork";
import type { OpenedFolder } from "../store/restoreJournal";
import { TREE_DIRECTORY } from "../store/tree";
import { type CapturedFile, CapturedState } from "./capturedState";
import type { Operation, Store } from "./context";
import { type Extraction, extract } from "./extract";
import { holdsContent } from "./fileContent";
import { OpenedFolders } from "./openedFolders";
import { RealFolders } from "./realFolders";
import type { PlannedEntry, RestorePlan } from "./restorePlan";
import { foldersToChange, roomMadeFor, stagingFolder, waitingForRoom } from "./restoreRoom";

export interface Applied {
  /** Why paths of the plan were left as they were after all. */
  readonly kept: readonly Kept[];
  /** These paths, and those that would only have made room for one of them. */
  readonly left: ReadonlySet<ByteString>;
}

export interface ApplyOptions {
  /** What is on disk at paths that the index does not know (see `addUnseen`). */
  readonly unseen: ReadonlyMap<ByteString, CapturedFile>;
  /** Part of the names of temp files. */
  readonly nonce: string;
  /**
   * Step 0: called with the folders that are going to be opened, and again should there be more. If it throws, nothing
   * has changed.
   */
  readonly onBegin: (opened: readonly OpenedFolder[]) => void;
  /** After a failure in step 1: everything is as it was before. */
  readonly onTakenBack: () => void;
  /** Step 2: called with the paths that are left alone so far. If it throws, nothing has changed. */
  readonly onStaged: (left: ReadonlySet<ByteString>) => void;
}

const BECAME_LINK = "a folder above it became a link while the restore was running, so it was left alone";
const APPEARED = "it appeared while the restore was running, so it was left alone";

/**
 * Applies `plan`. Rejects with the cause when staging or `onStaged` fails (then nothing has changed); later problems
 * concern single paths and are reported as kept. Cancelling is possible until step 2 begins.
 */
export async function applyRestore(
  store: Store,
  plan: RestorePlan,
  options: ApplyOptions,
  operation: Operation,
): Promise<Applied> {
  return new Application(store, plan, options, operation).run();
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
  private readonly realFolders: RealFolders;
  private readonly madeFolders: ByteString[] = [];
  private readonly left = new Set<ByteString>();
  private readonly captured: CapturedState;
  private readonly closedFolders: OpenedFolders;
  /** Step 3 has begun. */
  private committing = false;

  constructor(
    private readonly store: Store,
    private readonly plan: RestorePlan,
    private readonly options: ApplyOptions,
    private readonly operation: Operation,
  ) {
    this.captured = new CapturedState(store, options.unseen);
    this.closedFolders = new OpenedFolders(store);
    this.realFolders = new RealFolders(store);
  }

  async run(): Promise<Applied> {
    const { plan } = this;
    const waits = waitingForRoom(plan);
    const [laterFolders, folders] = split(plan.folders, ({ path }) => waits(path));
    const [laterCreations, creations] = split(plan.creations, ({ path }) => waits(path));
    const [linked, modes] = split(plan.modes, (each) => this.hasOtherNames(each));
    this.openFolders(foldersToChange(plan, linked, waits));
    const staged = await this.stage(folders, creations, [...plan.replacements, ...linked], laterCreations, waits);

    this.committing = true;
    for (const path of plan.removals) this.guarded(path, () => this.removeFile(path));
    for (const path of plan.folderRemovals) this.guarded(path, () => this.removeFolder(path));
    for (const each of laterFolders) this.guarded(each.path, () => this.makeFolder(each));
    for (const each of staged) this.settle(each);
    this.setModes(modes);
    return { kept: this.kept, left: this.left };
  }

  private openFolders(folders: Iterable<ByteString>): void {
    const isReal = (path: ByteString): boolean => {
      this.realFolders.forgetMissing();
      return this.realFolders.has(path);
    };
    try {
      this.closedFolders.open([...folders], isReal, this.options.onBegin);
    } catch (error) {
      this.takeBack(undefined);
      throw error;
    }
    this.realFolders.forgetMissing();
  }

  /** Steps 1 and 2. Returns what waits in temp files. */
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
      const temp = joinPath(stagingFolder(path, waits), `${tempPrefix(this.options.nonce)}${staged.length}`);
      // Where the place itself comes into being in step 3, it is looked at then.
      if (!this.isReachable(path, replaces ? path : temp)) return;
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
      if (result !== undefined) for (const path of this.takeBackStrays(result)) failed.add(path);
      for (const path of roomMadeFor(this.plan, this.left)) this.left.add(path);
      this.operation.throwIfCancelled();
      this.options.onStaged(new Set(this.left));
      return staged.filter(({ temp }) => !failed.has(temp));
    } catch (error) {
      this.takeBack(result);
      throw error;
    }
  }

  /**
   * A folder that became a link while new files were written into it has led them elsewhere. What was written there is
   * taken away again; answers the paths as written.
   */
  private takeBackStrays({ view, work }: { view: WorkView; work: readonly Extraction[] }): ByteString[] {
    const { fs, root } = this.store;
    const still = new Map<ByteString, boolean>();
    const isStill = (folder: ByteString): boolean => {
      const known =
        still.get(folder) ?? (folder === "" || (this.realFolders.isFolder(folder) && isStill(parentPath(folder))));
      still.set(folder, known);
      return known;
    };
    const strays = work.filter(({ path }, i) => view.states[i] === WRITTEN && !isStill(parentPath(path)));
    for (const { path, entry, replaces } of strays) {
      const found = lookAt(fs, root.os(path));
      if (found !== undefined && holdsContent(this.store, path, found, entry))
        ignoreFailure(() => fs.unlink(root.os(path)), "it is where somebody led it on purpose, and is reported");
      this.keep(replaces ?? path, "changed", BECAME_LINK);
    }
    for (const path of [...this.madeFolders].reverse()) {
      if (isStill(parentPath(path))) continue;
      ignoreFailure(() => fs.rmdir(root.os(path)), "as above");
      this.keep(path, "changed", BECAME_LINK);
    }
    return strays.map(({ path }) => path);
  }

  /** Removes what staging made. Should something of it stay, the journal does, too. */
  private takeBack(result: { view: WorkView; work: readonly Extraction[] } | undefined): void {
    const { fs, root } = this.store;
    let failed = false;
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch {
        failed = true; // the error that led here is reported; what stays is found by the journal
      }
    };
    result?.work.forEach(({ path }, i) => {
      if (result.view.states[i] === WRITTEN) attempt(() => fs.unlink(root.os(path)));
    });
    for (const path of this.madeFolders.reverse())
      ignoreFailure(() => fs.rmdir(root.os(path)), "somebody put something into the new folder: theirs to keep");
    for (const path of this.closedFolders.paths()) attempt(() => this.closedFolders.close(path));
    if (!failed) this.options.onTakenBack();
  }

  private makeFolder({ path, entry }: PlannedEntry): void {
    if (!this.isReachable(path)) return;
    const other = this.plan.respelled.get(path);
    const { fs, root } = this.store;
    // One that is this folder but for its spelling, and holds what stays, is only renamed.
    if (other !== undefined && this.realFolders.isFolder(other)) fs.rename(root.os(other), root.os(path));
    else {
      // Writable until its content is in; the final mode is set at the end.
      fs.mkdir(root.os(path), entry.mode | 0o700);
      this.madeFolders.push(path);
    }
    this.realFolders.add(path);
  }

  private removeFile(path: ByteString): void {
    if (!this.isReachable(path) || !this.mayTake(path)) return;
    // Comparing content takes a while, and behind a link lies another file of that name.
    if (this.realFolders.isStill(parentPath(path))) this.store.fs.unlink(this.store.root.os(path));
    else this.keep(path, "changed", BECAME_LINK);
  }

  private removeFolder(path: ByteString): void {
    if (!this.isReachable(path)) return;
    try {
      this.store.fs.rmdir(this.store.root.os(path));
      this.realFolders.forget(path);
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
      this.keep(path, "occupied", "the folder holds other files, so it was left");
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

  /** Inner ones first: a folder without write or search permission is filled before it gets its mode. */
  private setModes(modes: readonly PlannedEntry[]): void {
    const steps = new Map<ByteString, () => void>();
    for (const path of this.closedFolders.paths()) steps.set(path, () => this.closedFolders.close(path));
    for (const each of [...modes, ...this.plan.folders])
      if (!this.left.has(each.path)) steps.set(each.path, () => this.setMode(each));
    const inOrder = [...steps].sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [path, step] of inOrder) this.attempt(path, step);
  }

  private setMode({ path, entry }: PlannedEntry): void {
    if (!this.isReachable(path)) return;
    const { fs, root } = this.store;
    // chmod follows links, so what is a link by now must not be given a mode.
    if (!(entry.type === TREE_DIRECTORY ? this.realFolders.isFolder(path) : this.mayTake(path))) return;
    if (this.realFolders.isStill(parentPath(path))) fs.chmod(root.os(path), entry.mode);
    else this.keep(path, "changed", BECAME_LINK);
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
    this.keep(path, "changed", "it changed while the restore was running, so it was left alone");
    return false;
  }

  private isFree(path: ByteString): boolean {
    if (this.store.fs.lstat(this.store.root.os(path)) === undefined) return true;
    this.keep(path, "changed", APPEARED);
    return false;
  }

  /** Whether every folder above `path`, or above where it is written, is a real one and no link. Otherwise reported. */
  private isReachable(path: ByteString, written = path): boolean {
    if (this.realFolders.has(parentPath(written))) return true;
    this.keep(path, "denied", "a folder above it is missing or is a link, so nothing was written there");
    return false;
  }

  /** Runs one path's step; a failure that concerns only this path is reported. */
  private guarded(path: ByteString, step: () => void): void {
    if (!this.left.has(path)) this.attempt(path, step);
  }

  private attempt(path: ByteString, step: () => void): void {
    try {
      step();
    } catch (error) {
      const errno = errnoOf(error);
      if (error instanceof CheckpointError || errno === undefined) throw error;
      // A full disk concerns everything, as long as everything can still be taken back.
      if (!this.committing && (errno === "ENOSPC" || errno === "EDQUOT")) throw error;
      this.keep(path, "denied", describeErrno(error));
    }
  }

  /** Paths (as written) of extractions that failed, after reporting each under its real path. */
  private noteFailures(extracted: Awaited<ReturnType<typeof extract>>): ByteString[] {
    return extracted.failed.map(({ extraction, failure, message }) => {
      const [code, text]: [KeptCode, string] = failure === "exists" ? ["changed", APPEARED] : [failure, message];
      this.keep(extraction.replaces ?? extraction.path, code, text);
      return extraction.path;
    });
  }

  private keep(path: ByteString, code: KeptCode, reason: string): void {
    if (this.left.has(path)) return;
    this.left.add(path);
    this.kept.push({ path: pathToText(path), reason, code });
  }
}

/** How the names of a restore's temp files begin. */
export const tempPrefix = (nonce: string): string => `${TEMP_PREFIX}${nonce}-`;

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
