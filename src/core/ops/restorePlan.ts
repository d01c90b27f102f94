/**
 * What a restore will do, as data. Preview, dry run, tests and execution use the same plan; making it changes nothing.
 *
 * A path is only ever overwritten or removed if its present content is in the captured state (and so in the store);
 * what lies on disk but is not in that state, because it is ignored, too large or unreadable, is kept and named.
 */
import type { Checkpoint, Kept } from "../../shared/api";
import { type ByteString, pathToText } from "../../shared/pathText";
import { isDirectory } from "../fs/fileSystem";
import { parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, TREE_SYMLINK, type TreeEntry } from "../store/tree";
import type { Store } from "./context";
import { diffTrees, type TreeChange } from "./diffTrees";
import { PastRules } from "./pastRules";
import type { PathSelection } from "./pathSelection";
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
  readonly kept: readonly Kept[];
  /** The differences that the steps above carry out. */
  readonly changes: readonly TreeChange[];
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

const NOT_CAPTURED = "it is there now but in no checkpoint (ignored, too large or unreadable), so it was left alone";
const LEFT_OUT_THEN = "the checkpoint says nothing about it (ignored or skipped then), so it was left alone";

class Planner {
  private readonly removals: ByteString[] = [];
  private readonly folderRemovals: ByteString[] = [];
  private readonly folders: PlannedEntry[] = [];
  private readonly creations: PlannedEntry[] = [];
  private readonly replacements: PlannedEntry[] = [];
  private readonly modes: PlannedEntry[] = [];
  private readonly kept: Kept[] = [];
  private readonly changes: TreeChange[] = [];
  /** Folders that will be there for certain, and hold nothing unknown: what goes into them meets nothing. */
  private readonly fresh = new Set<ByteString>();
  /** Paths that stay what they are, with all that would have come below them. */
  private readonly blocked = new Set<ByteString>();
  private pastRules: PastRules | undefined;

  constructor(
    private readonly store: Store,
    private readonly request: PlanRequest,
  ) {}

  plan(): RestorePlan {
    const { trees, currentRoot, targetRoot, selection } = this.request;
    for (const change of diffTrees(trees, currentRoot, targetRoot, selection)) this.consider(change);
    const { removals, folderRemovals, folders, creations, replacements, modes, kept, changes } = this;
    folderRemovals.reverse();
    return { removals, folderRemovals, folders, creations, replacements, modes, kept, changes };
  }

  private consider(change: TreeChange): void {
    const { path, before, after } = change;
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
    if (before === undefined) {
      if (!this.meets(planned)) return;
    } else if (wasFolder !== isFolder) {
      // Room is made first: the old thing goes, and with it (as removals of their own) the entries of a folder.
      if (wasFolder) this.folderRemovals.push(path);
      else this.removals.push(path);
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

  /** Whether a path that the captured state lacks may be created. False: something is there, and is reported. */
  private meets({ path, entry }: PlannedEntry): boolean {
    if (this.fresh.has(parentPath(path))) return true;
    const found = this.store.fs.lstat(this.store.root.os(path));
    if (found === undefined) return true;
    // An ignored folder that is there anyway: what it lacks may still be put into it.
    if (entry.type === TREE_DIRECTORY && isDirectory(found)) return false;
    this.blocked.add(path);
    this.kept.push({ path: pathToText(path), reason: NOT_CAPTURED });
    return false;
  }

  private remove(change: TreeChange, before: TreeEntry): void {
    const { path } = change;
    if (this.request.keepNew) return;
    const isFolder = before.type === TREE_DIRECTORY;
    if (this.isLeftOut(path, isFolder)) {
      if (!isFolder) this.kept.push({ path: pathToText(path), reason: LEFT_OUT_THEN });
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
