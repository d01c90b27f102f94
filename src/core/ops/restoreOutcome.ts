/** What a restore did or would do: for whoever asked, and for the undo stack. */
import type { Change } from "../../shared/changes";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { Kept, RestoreResult } from "../../shared/restores";
import { permissions } from "../fs/fileSystem";
import { parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { countChanges, toChanges } from "./changes";
import type { Store } from "./context";
import { diffTrees } from "./diffTrees";
import { EVERYTHING } from "./pathSelection";
import type { Job } from "./restoreJob";
import type { RestorePlan } from "./restorePlan";
import { editTree, type TreeEdit } from "./treeEdit";
import type { TreeStore } from "./treeStore";

export interface Outcome {
  readonly plan: RestorePlan;
  /** Paths of the plan that were left as they were after all. */
  readonly left: ReadonlySet<ByteString>;
  /** Why, in addition to what the plan keeps. */
  readonly kept: readonly Kept[];
  /** Knows the trees of both sides. */
  readonly trees: TreeStore;
}

export function restoreResult(job: Job, outcome: Outcome, safetyId: string | null, dryRun: boolean): RestoreResult {
  const changes = doneChanges(outcome);
  const pathsOf = (kinds: readonly Change["kind"][]): string[] =>
    changes.filter((each) => kinds.includes(each.kind)).map((each) => each.path);
  return {
    checkpoint: job.target,
    ...countChanges(changes),
    unchanged: countFiles(job, outcome.trees) - outcome.plan.differingFiles,
    kept: [...outcome.plan.kept, ...outcome.kept],
    safetyId,
    dryRun,
    paths: { added: pathsOf(["added"]), changed: pathsOf(["changed", "typeChanged"]), removed: pathsOf(["removed"]) },
    changes,
  };
}

function doneChanges({ plan, left, trees }: Outcome): Change[] {
  const texts = new Set(Array.from(left, pathToText));
  return toChanges(trees, plan.changes).filter((each) => !texts.has(each.path.replace(/\/$/, "")));
}

/** Files and links of the target that the restore is about. */
function countFiles(job: Job, trees: TreeStore): number {
  if (job.selection === EVERYTHING) return job.target.files;
  return diffTrees(trees, undefined, job.targetRoot, job.selection).filter(
    ({ after }) => after?.type !== TREE_DIRECTORY,
  ).length;
}

/** The states between which a restore went, in the terms of the undo stack (see restoreStack). */
export interface States {
  readonly baseRoot: Hash;
  readonly resultRoot: Hash;
  readonly files: number;
  /** Trees of these states that the store does not have. */
  readonly newTrees: ReadonlyMap<Hash, Uint8Array>;
}

export function statesOf(store: Store, job: Job, currentRoot: Hash, outcome: Outcome): States {
  const { plan, left, trees } = outcome;
  const files = doneChanges(outcome).length;
  // The usual case, and the one with the most changes: everything was restored, and all of it could be.
  if (plan.isComplete && left.size === 0 && job.selection === EVERYTHING)
    return { baseRoot: currentRoot, resultRoot: job.targetRoot, files, newTrees: new Map() };
  const done = plan.changes.filter(({ path }) => !left.has(path));
  const base = editTree(store, trees, currentRoot, unseenFolders(store, trees, currentRoot, done));
  const result = editTree(store, trees.with(base.newTrees), base.root, done);
  const newTrees = new Map([...base.newTrees, ...result.newTrees]);
  return { baseRoot: base.root, resultRoot: result.root, files, newTrees };
}

/** Folders that were there all along, unseen, and got something: they must not look as if the restore had made them. */
function unseenFolders(store: Store, trees: TreeStore, base: Hash, done: readonly TreeEdit[]): TreeEdit[] {
  const known = new Set(done.filter(({ after }) => after?.type === TREE_DIRECTORY).map(({ path }) => path));
  const edits: TreeEdit[] = [];
  for (const { path, after } of done) {
    if (after === undefined) continue;
    for (let folder = parentPath(path); folder !== "" && !known.has(folder); folder = parentPath(folder)) {
      known.add(folder);
      if (trees.find(base, folder)?.type === TREE_DIRECTORY) continue;
      const stat = store.fs.lstat(store.root.os(folder));
      if (stat !== undefined) edits.push({ path: folder, after: folderEntry(folder, permissions(stat)) });
    }
  }
  return edits;
}

function folderEntry(path: ByteString, mode: number): TreeEntry {
  return { type: TREE_DIRECTORY, mode, size: 0, hash: "" as Hash, name: path };
}
