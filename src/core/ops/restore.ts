/**
 * Restoring, and taking a restore back.
 *
 * A restore first makes the present state a checkpoint (or finds one that already holds it) and refuses when that fails;
 * then it plans against that state and carries the plan out. So "before" is always a checkpoint, and undoing is a
 * restore of it, limited to the paths the restore was about, with its own safety checkpoint: nothing is ever lost by
 * either, and edits made elsewhere since stay.
 */
import type {
  Change,
  Checkpoint,
  RestoreRequest,
  RestoreResult,
  ScanOptions,
  Trigger,
  UndoState,
} from "../../shared/api";
import { CheckpointError } from "../../shared/errors";
import { textToPaths } from "../../shared/pathText";
import type { RestoreRow } from "../store/catalog";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY } from "../store/tree";
import { type Capture, captureWorkspace } from "./capture";
import { countChanges, toChanges } from "./changes";
import type { Operation, Store } from "./context";
import { diffTrees } from "./diffTrees";
import { EVERYTHING, type PathSelection, selectExactly, selectPaths } from "./pathSelection";
import { resolveRef } from "./refs";
import { applyRestore } from "./restoreApply";
import { planRestore, type RestorePlan } from "./restorePlan";
import { commitCapture, storeTrees } from "./save";
import type { TreeStore } from "./treeStore";
import { takeInChanges, withLock } from "./withLock";

interface Job {
  readonly kind: RestoreRow["kind"];
  readonly trigger: Trigger;
  readonly target: Checkpoint;
  readonly selection: PathSelection;
  readonly paths: readonly string[];
  readonly scan: ScanOptions;
  readonly keepNew: boolean;
  readonly safety: boolean;
  /** Past ignore rules matter when going to a checkpoint, not when going back to what was there a moment ago. */
  readonly respectPastRules: boolean;
  readonly origin: RestoreRow | undefined;
}

export async function restore(store: Store, request: RestoreRequest, operation: Operation): Promise<RestoreResult> {
  const job = (): Job => {
    const target = resolveRef(store.catalog.checkpoints, request.ref);
    return {
      kind: "restore",
      trigger: "restore",
      target,
      selection: existingSelection(store, target, request.paths),
      paths: request.paths ?? [],
      scan: request.scan,
      keepNew: request.keepNew ?? false,
      safety: request.safety ?? true,
      respectPastRules: true,
      origin: undefined,
    };
  };
  if (request.dryRun === true) {
    takeInChanges(store);
    return preview(store, job(), operation);
  }
  // A wrong reference waits for no lock and brings no store into being.
  takeInChanges(store);
  resolveRef(store.catalog.checkpoints, request.ref);
  return withLock(store, operation, () => carryOut(store, job(), operation));
}

/** Takes back the last restore (or redo) that has not been taken back. */
export function undo(store: Store, scan: ScanOptions, operation: Operation): Promise<RestoreResult> {
  return withLock(store, operation, () => {
    const { undoable } = stackTop(store);
    if (undoable === undefined)
      throw new CheckpointError("nothing-to-undo", "There is no restore to take back. Restore a checkpoint first.");
    return carryOut(store, reverting(store, "undo", undoable, scan), operation);
  });
}

/** Repeats the restore that was taken back last. */
export function redo(store: Store, scan: ScanOptions, operation: Operation): Promise<RestoreResult> {
  return withLock(store, operation, () => {
    const { redoable } = stackTop(store);
    if (redoable === undefined)
      throw new CheckpointError(
        "nothing-to-redo",
        "No restore was taken back just before, so there is none to repeat.",
      );
    return carryOut(store, reverting(store, "redo", redoable, scan), operation);
  });
}

export function undoState(store: Store): UndoState {
  takeInChanges(store);
  const { undoable, redoable } = stackTop(store);
  const describe = (row: RestoreRow | undefined) =>
    row === undefined ? null : { checkpointId: row.targetId, at: row.at, files: row.files };
  return { undo: describe(undoable), redo: describe(redoable) };
}

/**
 * Replays the rows: a restore or redo can be undone, an undo can be redone; a new restore ends what could be redone.
 * Rows whose "before" was deleted are gone, and with them what they could bring back.
 */
function stackTop(store: Store): { undoable: RestoreRow | undefined; redoable: RestoreRow | undefined } {
  const undoable: RestoreRow[] = [];
  let redoable: RestoreRow[] = [];
  for (const row of store.catalog.restores()) {
    if (row.kind === "undo") {
      undoable.pop();
      redoable.push(row);
    } else {
      if (row.kind === "redo") redoable.pop();
      else redoable = [];
      undoable.push(row);
    }
  }
  return { undoable: undoable.at(-1), redoable: redoable.at(-1) };
}

/** Back to the state before `row`, for the paths that the restore it belongs to was about. */
function reverting(store: Store, kind: "undo" | "redo", row: RestoreRow, scan: ScanOptions): Job {
  const origin = store.catalog.restores().find((each) => each.id === row.originId) ?? row;
  const before = resolveRef(store.catalog.checkpoints, origin.beforeId);
  const selected = selectPaths(origin.paths);
  const untouched = selectExactly(origin.untouched, true);
  const differences = diffTrees(store.trees, before.rootTree as Hash, origin.targetRoot as Hash, selected)
    .filter((each) => (!origin.keepNew || each.after !== undefined) && !untouched.includes(each.path))
    .map((each) => each.path);
  return {
    kind,
    trigger: kind,
    target: resolveRef(store.catalog.checkpoints, row.beforeId),
    selection: selectExactly(differences, false),
    paths: origin.paths,
    scan,
    keepNew: false,
    safety: true,
    respectPastRules: false,
    origin,
  };
}

/** Nothing is written: what the restore would do, from a state that exists in memory only. */
async function preview(store: Store, job: Job, operation: Operation): Promise<RestoreResult> {
  const capture = await captureWorkspace(store, { scan: job.scan, store: false, chunkBytes: 0 }, operation);
  const trees = store.trees.with(capture.newTrees);
  const plan = planFor(store, job, capture, trees);
  return result(job, plan, trees, [], null, true);
}

async function carryOut(store: Store, job: Job, operation: Operation): Promise<RestoreResult> {
  const { capture, safety } = await secure(store, job, operation);
  if (safety === undefined) storeTrees(store, capture);
  store.index.apply(capture.indexUpdate);

  operation.report({ phase: "plan", done: 0, total: 0 });
  const plan = planFor(store, job, capture, store.trees);
  const { kept, keptPaths } = await applyRestore(store, plan, operation);
  const answer = result(job, plan, store.trees, kept, safety?.id ?? null, false);
  if (safety !== undefined && (plan.changes.length > 0 || job.kind !== "restore")) {
    store.catalog.addRestore({
      at: store.now(),
      kind: job.kind,
      beforeId: safety.id,
      targetId: job.target.id,
      targetRoot: job.target.rootTree,
      paths: job.paths,
      keepNew: job.keepNew,
      originId: job.origin?.id ?? null,
      files: answer.changes.length,
      untouched: [...plan.untouched, ...keptPaths],
    });
    store.catalog.commit();
  }
  return answer;
}

/** The present state, and the checkpoint that holds it (if asked for): an existing one with this state, or a new one. */
async function secure(
  store: Store,
  job: Job,
  operation: Operation,
): Promise<{ capture: Capture; safety: Checkpoint | undefined }> {
  try {
    const capture = await captureWorkspace(store, { scan: job.scan, store: true, chunkBytes: 0 }, operation);
    if (!job.safety) return { capture, safety: undefined };
    const existing = store.catalog.checkpoints.find((each) => each.rootTree === capture.rootTree);
    if (existing !== undefined) return { capture, safety: existing };
    const request = { kind: "safety", trigger: job.trigger, scan: job.scan } as const;
    return { capture, safety: commitCapture(store, capture, request, operation) };
  } catch (cause) {
    if (CheckpointError.is(cause, "cancelled") || !job.safety) throw cause;
    const { message } = CheckpointError.from(cause);
    throw new CheckpointError(
      "safety-failed",
      `Nothing was restored, because the present state could not be saved first: ${message}`,
      { cause },
    );
  }
}

function planFor(store: Store, job: Job, capture: Capture, trees: TreeStore): RestorePlan {
  return planRestore(store, {
    currentRoot: capture.rootTree,
    targetRoot: job.target.rootTree as Hash,
    target: job.respectPastRules ? job.target : undefined,
    selection: job.selection,
    keepNew: job.keepNew,
    trees,
  });
}

function result(
  job: Job,
  plan: RestorePlan,
  trees: TreeStore,
  keptWhileApplying: RestoreResult["kept"],
  safetyId: string | null,
  dryRun: boolean,
): RestoreResult {
  const left = new Set(keptWhileApplying.map((each) => each.path));
  const changes: Change[] = toChanges(trees, plan.changes).filter((each) => !left.has(each.path.replace(/\/$/, "")));
  const pathsOf = (kinds: readonly Change["kind"][]): string[] =>
    changes.filter((each) => kinds.includes(each.kind)).map((each) => each.path);
  const counts = countChanges(changes);
  const total = countFiles(job, trees);
  return {
    checkpoint: job.target,
    ...counts,
    unchanged: Math.max(
      0,
      total - changes.filter((each) => each.after !== undefined && !each.path.endsWith("/")).length,
    ),
    kept: [...plan.kept, ...keptWhileApplying],
    safetyId,
    dryRun,
    paths: { added: pathsOf(["added"]), changed: pathsOf(["changed", "typeChanged"]), removed: pathsOf(["removed"]) },
    changes,
  };
}

/** Files and links of the target that the restore is about. */
function countFiles(job: Job, trees: TreeStore): number {
  if (job.selection === EVERYTHING) return job.target.files;
  return diffTrees(trees, undefined, job.target.rootTree as Hash, job.selection).filter(
    ({ after }) => after?.type !== TREE_DIRECTORY,
  ).length;
}

/** The selection, after making sure that each path means something now or then. */
function existingSelection(store: Store, target: Checkpoint, paths: readonly string[] | undefined): PathSelection {
  const { fs, root, trees } = store;
  for (const text of paths ?? []) {
    const candidates = textToPaths(text.replace(/^(\.?\/)+/, "").replace(/\/+$/, ""));
    const known = candidates.some(
      (path) =>
        path === "" ||
        path === "." ||
        (!path.split("/").includes("..") &&
          (trees.find(target.rootTree as Hash, path) !== undefined || fs.lstat(root.os(path)) !== undefined)),
    );
    if (!known)
      throw new CheckpointError(
        "not-found",
        `"${text}" is neither in checkpoint #${target.number} nor in the workspace. Check the path.`,
        {
          details: { path: text },
        },
      );
  }
  return selectPaths(paths);
}
