/**
 * What a restore will do, as data. Preview, dry run, tests and execution use the same plan; making it changes nothing.
 *
 * A path is only ever overwritten or removed if its present content is in the captured state (and so in the store);
 * what lies on disk but is not in that state, because it is ignored, too large or unreadable, is kept and named.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { isNeverSaved, isTakenForNeverSaved } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { Kept, KeptCode } from "../../shared/restores";
import { describeErrno } from "../fs/describeErrno";
import { errnoOf, type FileStat, isDirectory } from "../fs/fileSystem";
import { baseName, joinPath, parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, TREE_SYMLINK, type TreeEntry } from "../store/tree";
import { storesInsideWorkspace } from "./capture";
import type { Store } from "./context";
import { diffTrees, type TreeChange } from "./diffTrees";
import { OtherSpellings } from "./folderNames";
import { PastRules } from "./pastRules";
import type { PathSelection } from "./pathSelection";
import { RealFolders } from "./realFolders";
import type { TreeStore } from "./treeStore";

export interface PlannedEntry {
  readonly path: ByteString;
  readonly entry: TreeEntry;
}

export interface RestorePlan {
  /** Files and links to take away, because they are not in the target or make room for a folder. */
  readonly removals: readonly ByteString[];
  /** Folders to take away if empty by then; inner ones first. */
  readonly folderRemovals: readonly ByteString[];
  /** Outer ones first. */
  readonly folders: readonly PlannedEntry[];
  /** Files and links where nothing is (any more). */
  readonly creations: readonly PlannedEntry[];
  /** Files and links over a file or link. */
  readonly replacements: readonly PlannedEntry[];
  /** Only the permission bits differ. */
  readonly modes: readonly PlannedEntry[];
  /** Folders, files and links whose place is free once another spelling of their name (here) has been taken away. */
  readonly respelled: ReadonlyMap<ByteString, ByteString>;
  readonly kept: readonly Kept[];
  /** The differences that the steps above carry out. */
  readonly changes: readonly TreeChange[];
  /** These are all the differences there are. */
  readonly isComplete: boolean;
  /** Files and links of the target that are not there now, or not as in the target; also those that are kept. */
  readonly differingFiles: number;
}

export interface PlanRequest {
  /** State on disk, as captured just now. */
  readonly currentRoot: Hash;
  readonly targetRoot: Hash;
  /** Whose rules say what was merely not looked at; undefined: nothing is protected by past rules. */
  readonly target: Checkpoint | undefined;
  readonly selection: PathSelection;
  readonly keepNew: boolean;
  readonly trees: TreeStore;
}

export function planRestore(store: Store, request: PlanRequest): RestorePlan {
  return new Planner(store, request).plan();
}

type Reason = Pick<Kept, "reason" | "code">;

const because = (code: KeptCode, reason: string): Reason => ({ reason, code });

const NOT_CAPTURED = because(
  "protected",
  "it is there now but in no checkpoint (ignored, too large or unreadable), so it was left alone",
);
const LEFT_OUT_THEN = because(
  "protected",
  "the checkpoint says nothing about it (ignored or skipped then), so it was left alone",
);
const NO_FOLDER = because("occupied", "a folder above it is something else now, so it was not restored");
const NEVER_SAVED = because(
  "protected",
  "no checkpoint is to hold it (version control, unfinished files, or the checkpoints themselves), so it was left alone",
);
const OTHER_SPELLING = because(
  "occupied",
  "it is there now under another spelling, which is not part of this, so it was left alone",
);
const HOLDS_MORE = because("occupied", "the folder holds other files (ignored, or not part of this), so it was left");
const STAYS_FOLDER = because(
  "occupied",
  "a folder is there now that holds other files (ignored, or not part of this), so it was left alone",
);

class Planner {
  private readonly removals: ByteString[] = [];
  private folderRemovals: ByteString[] = [];
  private readonly folders: PlannedEntry[] = [];
  private readonly creations: PlannedEntry[] = [];
  private readonly replacements: PlannedEntry[] = [];
  private readonly modes: PlannedEntry[] = [];
  private readonly respelled = new Map<ByteString, ByteString>();
  private readonly kept: Kept[] = [];
  private readonly changes: TreeChange[] = [];
  /** Folders that will be there for certain, and hold nothing unknown: what goes into them meets nothing. */
  private readonly fresh = new Set<ByteString>();
  /** Paths that stay what they are, with all that would have come below them. */
  private readonly blocked = new Set<ByteString>();
  /** Folders that make room for a file or link. */
  private readonly swaps = new Set<ByteString>();
  private readonly realFolders: RealFolders;
  private readonly spellings: OtherSpellings;
  private differingFiles = 0;
  private pastRules: PastRules | undefined;
  private stores: { readonly path: ByteString | undefined } | undefined;

  constructor(
    private readonly store: Store,
    private readonly request: PlanRequest,
  ) {
    this.realFolders = new RealFolders(store);
    this.spellings = new OtherSpellings(store, request.trees, request.currentRoot);
  }

  plan(): RestorePlan {
    const { trees, currentRoot, targetRoot, selection } = this.request;
    const differences = diffTrees(trees, currentRoot, targetRoot, selection);
    for (const change of differences) this.consider(change);
    const stuck = this.settleFolderRemovals();
    const goes = (path: ByteString): boolean => !stuck.has(path);
    const planned = ({ path }: { readonly path: ByteString }): boolean => goes(path);
    const { folders, replacements, modes, respelled, kept, differingFiles } = this;
    const changes = this.changes.filter(planned);
    return {
      removals: this.removals.filter(goes),
      folderRemovals: this.folderRemovals.filter(goes),
      folders,
      creations: this.creations.filter(planned),
      replacements,
      modes,
      respelled,
      kept,
      changes,
      isComplete: changes.length === differences.length,
      differingFiles,
    };
  }

  /**
   * Puts folder removals in order (inner ones first) and finds those that cannot be: the folder holds something that
   * stays. Where such a folder was to make room, everything in it stays as well. Returns what is not to be done.
   */
  private settleFolderRemovals(): Set<ByteString> {
    const stuck = new Set<ByteString>();
    this.folderRemovals.reverse();
    const going = new Set<ByteString>(this.removals);
    const named = new Set(this.kept.map((each) => each.path));
    for (const path of this.folderRemovals) {
      const staying = this.namesIn(path)
        .map((name) => joinPath(path, name))
        .filter((each) => !going.has(each));
      if (staying.length === 0) {
        going.add(path);
        continue;
      }
      stuck.add(path);
      const makesRoom = this.swaps.has(path);
      // What is named already, or holds something named, explains itself.
      if (makesRoom || staying.some((each) => !stuck.has(each) && !named.has(pathToText(each))))
        this.kept.push({ path: pathToText(path), ...(makesRoom ? STAYS_FOLDER : HOLDS_MORE) });
    }
    for (const { path } of this.changes)
      for (let at = parentPath(path); at !== ""; at = parentPath(at))
        if (stuck.has(at) && this.swaps.has(at)) stuck.add(path);
    return stuck;
  }

  private namesIn(folder: ByteString): string[] {
    try {
      return this.store.fs.readdir(this.store.root.os(folder));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      if (errnoOf(error) === undefined) throw error;
      return ["?"]; // unreadable: nobody knows what else is in it
    }
  }

  private consider(change: TreeChange): void {
    const { path, before, after } = change;
    if (after !== undefined && after.type !== TREE_DIRECTORY) this.differingFiles++;
    if (this.blocked.has(parentPath(path)) && after !== undefined) {
      this.blocked.add(path);
      return;
    }
    if (after === undefined) {
      if (before !== undefined) this.remove(change, before);
      return;
    }
    const planned = { path, entry: after };
    const wasFolder = before?.type === TREE_DIRECTORY;
    const isFolder = after.type === TREE_DIRECTORY;
    const fault = this.faultOf(path);
    if (fault !== undefined) {
      this.block(path, fault);
      return;
    }
    if (before === undefined) {
      if (!this.meets(planned)) return;
    } else if (wasFolder !== isFolder) {
      // Room is made first: the old thing goes, and with it (as removals of their own) the entries of a folder.
      if (wasFolder) {
        this.folderRemovals.push(path);
        this.swaps.add(path);
      } else this.removals.push(path);
    }
    this.changes.push(change);
    if (before !== undefined && wasFolder === isFolder) {
      if (isFolder || (before.type === after.type && before.hash === after.hash)) {
        // A link's mode means nothing and cannot be set.
        if (after.type !== TREE_SYMLINK) this.modes.push(planned);
      } else this.replacements.push(planned);
    } else if (isFolder) {
      this.folders.push(planned);
      this.fresh.add(path);
    } else this.creations.push(planned);
  }

  /**
   * Why a path must not be made, whatever a checkpoint says: a tree that no scan made (forged, or from another system)
   * may name a repository's hooks, the store, or what is a path out of the folder here. What lies below is left as well.
   */
  private faultOf(path: ByteString): Reason | undefined {
    const { fs, ignoreCase } = this.store;
    const name = baseName(path);
    if (isNeverSaved(name) || (ignoreCase && isTakenForNeverSaved(pathToText(name)))) return NEVER_SAVED;
    this.stores ??= { path: storesInsideWorkspace(this.store) };
    if (path === this.stores.path) return NEVER_SAVED;
    const refusal = fs.refusesName?.(pathToText(name));
    return refusal === undefined ? undefined : because("denied", refusal);
  }

  /** Whether a path that the captured state lacks may be created. False: something is there, and is reported. */
  private meets({ path, entry }: PlannedEntry): boolean {
    const parent = parentPath(path);
    if (this.fresh.has(parent)) return true;
    if (!this.realFolders.has(parent)) return this.block(path, NO_FOLDER);
    let found: FileStat | undefined;
    try {
      found = this.store.fs.lstat(this.store.root.os(path));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return this.block(path, because("denied", describeErrno(error)));
    }
    if (found === undefined) return true;
    const other = this.spellings.of(path, found);
    if (other !== undefined) {
      if (!this.goes(other)) return this.block(path, OTHER_SPELLING);
      this.respelled.set(path, other);
      return true;
    }
    // An ignored folder that is there anyway: what it lacks may still be put into it.
    if (entry.type === TREE_DIRECTORY && isDirectory(found)) return false;
    return this.block(path, NOT_CAPTURED);
  }

  /** Whether a captured path is to be taken away. */
  private goes(path: ByteString): boolean {
    const { trees, currentRoot, targetRoot, selection, keepNew } = this.request;
    if (keepNew || !selection.includes(path) || trees.find(targetRoot, path) !== undefined) return false;
    return !this.isLeftOut(path, trees.find(currentRoot, path)?.type === TREE_DIRECTORY);
  }

  private block(path: ByteString, reason: Reason): false {
    this.blocked.add(path);
    this.kept.push({ path: pathToText(path), ...reason });
    return false;
  }

  private remove(change: TreeChange, before: TreeEntry): void {
    const { path } = change;
    if (this.request.keepNew) return;
    const isFolder = before.type === TREE_DIRECTORY;
    if (this.isLeftOut(path, isFolder)) {
      if (!isFolder) this.kept.push({ path: pathToText(path), ...LEFT_OUT_THEN });
      return;
    }
    this.changes.push(change);
    if (isFolder) this.folderRemovals.push(path);
    else this.removals.push(path);
  }

  private isLeftOut(path: ByteString, isFolder: boolean): boolean {
    if (this.request.target === undefined) return false;
    this.pastRules ??= new PastRules(this.store, this.request.target);
    return this.pastRules.leftOut(path, isFolder);
  }
}
