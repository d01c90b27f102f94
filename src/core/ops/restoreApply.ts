/**
 * Carries out a restore plan.
 *
 * Order
 *  1. stage    new folders; content of replaced files into temp files beside them; new files under their own names
 *              (exclusively created). Until here nothing that existed was touched: an error takes all of it back.
 *  2. commit   removals → emptied folders → folders and files that take the place of something removed → renames of the
 *              staged files over their targets → permission bits.
 *
 * In step 2 each path is looked at once more: it must still be what was captured, or it is kept and named. No step
 * follows a symlink below the workspace: every folder on the way is checked to be a real one.
 */
import type { Kept } from "../../shared/api";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import { errnoOf, isDirectory, isSymlink, permissions } from "../fs/fileSystem";
import { baseName, joinPath, parentPath } from "../fs/osPath";
import { TEMP_PREFIX } from "../fs/publishFile";
import { WRITTEN } from "../pipeline/extractTask";
import type { WorkView } from "../pipeline/sharedWork";
import { type IndexedEntry, SYMLINK } from "../scan/directoryRecord";
import { describeErrno } from "../scan/scanner";
import { TREE_DIRECTORY } from "../store/tree";
import type { Operation, Store } from "./context";
import { type Extraction, extract } from "./extract";
import type { PlannedEntry, RestorePlan } from "./restorePlan";

export interface Applied {
  /** Paths of the plan that were left as they were after all. */
  readonly kept: readonly Kept[];
}

/**
 * Applies `plan`. Rejects with the cause when staging fails (then nothing has changed); later problems concern single
 * paths and are reported as kept. Cancelling is possible until step 2 begins.
 */
export async function applyRestore(store: Store, plan: RestorePlan, operation: Operation): Promise<Applied> {
  return new Application(store, plan, operation).run();
}

class Application {
  private readonly kept: Kept[] = [];
  private readonly realFolders = new Map<ByteString, boolean>();
  private readonly madeFolders: ByteString[] = [];
  private readonly keptPaths = new Set<ByteString>();
  private captured: { folder: ByteString; entries: ReadonlyMap<string, IndexedEntry> } | undefined;
  private readonly nonce: string;

  constructor(
    private readonly store: Store,
    private readonly plan: RestorePlan,
    private readonly operation: Operation,
  ) {
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
    const staged = await this.stage(folders, creations);

    for (const path of plan.removals) this.guarded(path, () => this.removeFile(path));
    for (const path of plan.folderRemovals) this.guarded(path, () => this.removeFolder(path));
    for (const each of laterFolders) this.guarded(each.path, () => this.makeFolder(each));
    this.noteFailures(
      await extract(
        this.store,
        laterCreations.filter(({ path }) => this.isReachable(path)),
        this.operation,
      ),
    );
    for (const [each, temp] of staged) this.guarded(each.path, () => this.replace(each, temp));
    for (const each of plan.modes) this.guarded(each.path, () => this.setMode(each));
    // Last, so that a folder without write permission can be filled first.
    for (const { path, entry } of [...plan.folders].reverse())
      this.guarded(path, () => this.store.fs.chmod(this.store.root.os(path), entry.mode));
    return { kept: this.kept };
  }

  /** Step 1. Returns the staged replacements with their temp paths. */
  private async stage(
    folders: readonly PlannedEntry[],
    creations: readonly PlannedEntry[],
  ): Promise<Map<PlannedEntry, ByteString>> {
    const temps = new Map<PlannedEntry, ByteString>();
    const work: Extraction[] = [];
    let result: { view: WorkView; work: readonly Extraction[] } | undefined;
    try {
      for (const each of folders) this.guarded(each.path, () => this.makeFolder(each));
      for (const each of creations) if (this.isReachable(each.path)) work.push(each);
      this.plan.replacements.forEach((each, i) => {
        if (!this.isReachable(each.path)) return;
        const temp = joinPath(parentPath(each.path), `${TEMP_PREFIX}${this.nonce}-${i}`);
        temps.set(each, temp);
        work.push({ ...each, path: temp, replaces: each.path });
      });
      const extracted = await extract(this.store, work, this.operation, (started) => {
        result = started;
      });
      for (const each of this.noteFailures(extracted))
        for (const [planned, temp] of temps) if (temp === each) temps.delete(planned);
      this.operation.throwIfCancelled();
      return temps;
    } catch (error) {
      this.takeBack(result);
      throw error;
    }
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
    if (this.isReachable(path) && this.isAsCaptured(path)) this.store.fs.unlink(this.store.root.os(path));
  }

  private removeFolder(path: ByteString): void {
    if (!this.isReachable(path)) return;
    try {
      this.store.fs.rmdir(this.store.root.os(path));
      this.realFolders.delete(path);
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
      this.keep(path, "the folder holds files that are in no checkpoint, so it was left");
    }
  }

  private replace({ path }: PlannedEntry, temp: ByteString): void {
    const { fs, root } = this.store;
    try {
      if (this.isAsCaptured(path)) {
        fs.rename(root.os(temp), root.os(path));
        return;
      }
    } catch (error) {
      ignoreFailure(() => fs.unlink(root.os(temp)), "scans leave it out by its name, and the error is reported");
      throw error;
    }
    fs.unlink(root.os(temp));
  }

  private setMode({ path, entry }: PlannedEntry): void {
    if (!this.isReachable(path)) return;
    const { fs, root } = this.store;
    const found = fs.lstat(root.os(path));
    // chmod follows links, so what is a link by now must not be given a mode.
    if (entry.type === TREE_DIRECTORY ? isRealFolder(found) : this.isAsCaptured(path))
      fs.chmod(root.os(path), entry.mode);
  }

  /** False, and reported: the path is not what was captured a moment ago. */
  private isAsCaptured(path: ByteString): boolean {
    const { fs, root } = this.store;
    const found = fs.lstat(root.os(path));
    const known = this.capturedIn(parentPath(path)).get(baseName(path));
    if (
      found !== undefined &&
      known !== undefined &&
      isSymlink(found) === (known.type === SYMLINK) &&
      permissions(found) === known.mode &&
      found.size === known.size &&
      found.mtimeMs === known.mtimeMs &&
      found.ctimeMs === known.ctimeMs &&
      found.ino === known.ino
    )
      return true;
    this.keep(path, "it changed while the restore was running, so it was left alone");
    return false;
  }

  /** What the index knows of a folder's entries. Paths come folder by folder, so one folder is remembered. */
  private capturedIn(folder: ByteString): ReadonlyMap<string, IndexedEntry> {
    if (this.captured?.folder !== folder) {
      const entries = this.store.index.record(folder)?.entries() ?? [];
      this.captured = { folder, entries: new Map(entries.map((entry) => [entry.name, entry])) };
    }
    return this.captured.entries;
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
      if (error instanceof CheckpointError || errnoOf(error) === undefined) throw error;
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

function isRealFolder(stat: Parameters<typeof isDirectory>[0] | undefined): boolean {
  return stat !== undefined && isDirectory(stat);
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
