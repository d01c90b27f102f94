/**
 * Restoring, and taking a restore back.
 *
 * A restore first makes the present state a checkpoint (or finds one that already holds it) and refuses when that fails;
 * then it plans against that state, writes down what it is going to do, and does it. So "before" is always a checkpoint,
 * and undoing is a restore of it, limited to the paths the restore changed, with its own safety checkpoint: nothing is
 * ever lost by either, and edits made elsewhere since stay.
 */
import type { Checkpoint, Trigger } from "../../shared/checkpoints";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { type ByteString, textToPaths } from "../../shared/pathText";
import type { Kept, RestoreRequest, RestoreResult } from "../../shared/restores";
import type { ScanOptions } from "../../shared/saves";
import type { Hash } from "../store/hash";
import type { RestoreRow } from "../store/restoreRows";
import { type Capture, captureWorkspace, rememberCapture } from "./capture";
import type { Operation, Store } from "./context";
import { type PathSelection, selectExactly, selectPaths, typedPaths } from "./pathSelection";
import { resolveRef } from "./refs";
import { applyRestore } from "./restoreApply";
import { type Outcome, restoreResult, type States, statesOf } from "./restoreOutcome";
import { planRestore, type RestorePlan } from "./restorePlan";
import { checkpointBefore, originOf, pathsOf, stackTop } from "./restoreStack";
import { commitCapture, storeTrees } from "./save";
import type { TreeStore } from "./treeStore";
import { addUnseen, nothingUnseen } from "./unseenState";
import { takeInChanges, withLock } from "./withLock";

/** One restore, undo or redo, as asked for. */
export interface Job {
  readonly kind: RestoreRow["kind"];
  readonly trigger: Trigger;
  readonly target: Checkpoint;
  /** The target's tree, or that with what its scan did not see. */
  readonly targetRoot: Hash;
  readonly selection: PathSelection;
  readonly scan: ScanOptions;
  readonly keepNew: boolean;
  readonly safety: boolean;
  /** Past ignore rules matter when going to a checkpoint, not when going back to what was there a moment ago. */
  readonly respectPastRules: boolean;
  /** For undo and redo: what is taken back, and the paths it was about. */
  readonly reverts: { readonly row: RestoreRow; readonly paths: readonly ByteString[] } | undefined;
}

/** What `restore` would do now; `request.dryRun` is taken for granted. Nothing is written. */
export async function previewRestore(
  store: Store,
  request: RestoreRequest,
  operation: Operation,
): Promise<RestoreResult> {
  const job = requestedJob(store, request);
  const capture = await captureWorkspace(store, { scan: job.scan, store: false, chunkBytes: 0 }, operation);
  const trees = store.trees.with(capture.newTrees);
  const plan = planFor(store, job, capture.rootTree, trees);
  return restoreResult(job, { plan, left: new Set(), kept: [], trees }, null, true);
}

export async function restore(store: Store, request: RestoreRequest, operation: Operation): Promise<RestoreResult> {
  // A wrong reference waits for no lock and brings no store into being.
  takeInChanges(store);
  resolveRef(store.catalog.checkpoints, request.ref);
  return withLock(store, operation, () => carryOut(store, requestedJob(store, request), operation));
}

function requestedJob(store: Store, request: RestoreRequest): Job {
  const target = resolveRef(store.catalog.checkpoints, request.ref);
  return {
    kind: "restore",
    trigger: "restore",
    target,
    targetRoot: target.rootTree as Hash,
    selection: requestedSelection(store, target, request),
    scan: request.scan,
    keepNew: request.keepNew ?? false,
    safety: request.safety ?? true,
    respectPastRules: true,
    reverts: undefined,
  };
}

/** Takes back the last restore (or redo) that has not been taken back. */
export function undo(store: Store, scan: ScanOptions, operation: Operation): Promise<RestoreResult> {
  return withLock(store, operation, () => {
    const { undoable } = stackTop(store);
    if (undoable === undefined)
      throw new CheckpointError(
        "nothing-to-undo",
        store.catalog.restores().some((row) => checkpointBefore(store, row) === undefined)
          ? "The restore cannot be taken back: the checkpoint that held what was there before was deleted. Look for it in the checkpoints that are left."
          : "There is no restore to take back. Restore a checkpoint first.",
      );
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

/** Back to the state before `row`, for the paths that the restore it belongs to was about. */
function reverting(store: Store, kind: "undo" | "redo", row: RestoreRow, scan: ScanOptions): Job {
  const target = checkpointBefore(store, row);
  if (target === undefined)
    throw new CheckpointError("internal", "The undo stack offered a state that is gone. Please report it.");
  const paths = pathsOf(store, row);
  return {
    kind,
    trigger: kind,
    target,
    targetRoot: row.baseRoot as Hash,
    selection: selectExactly(paths, false),
    scan,
    keepNew: false,
    safety: true,
    respectPastRules: false,
    reverts: { row, paths },
  };
}

async function carryOut(store: Store, job: Job, operation: Operation): Promise<RestoreResult> {
  const { capture, safety } = await secure(store, job, operation);
  // From here on the workspace is not what any scan found.
  store.lastScan.forget();

  operation.report({ phase: "plan", done: 0, total: 0 });
  const { reverts } = job;
  const current =
    reverts === undefined
      ? nothingUnseen(capture.rootTree)
      : addUnseen(store, capture.rootTree, reverts.row.resultRoot as Hash, reverts.paths);
  const trees = current.newTrees.size === 0 ? store.trees : store.trees.with(current.newTrees);
  const plan = planFor(store, job, current.root, trees);
  const named = new Set(plan.kept.map((each) => each.path));
  const unseenKept = current.kept.filter((each) => !named.has(each.path));
  const outcome = (left: ReadonlySet<ByteString>, kept: readonly Kept[]): Outcome => ({
    plan,
    left,
    kept: [...unseenKept, ...kept],
    trees,
  });
  const states = (left: ReadonlySet<ByteString>): States => {
    const found = statesOf(store, job, current.root, outcome(left, []));
    const unstored = [...current.newTrees, ...found.newTrees].filter(([hash]) => !store.treePacks.has(hash));
    storeTrees(store, { newTrees: new Map(unstored) });
    return found;
  };

  let row: { readonly id: number; readonly left: number } | undefined;
  // Before anything is touched: a restore that could not be undone must not begin.
  const record = (left: ReadonlySet<ByteString>): void => {
    if (safety === undefined || (plan.changes.length === 0 && job.kind === "restore")) return;
    const id = addRow(store, job, safety, states(left));
    store.catalog.commit();
    row = { id, left: left.size };
  };
  const { kept, left } = await applyRestore(store, plan, { unseen: current.found, onStaged: record }, operation);
  if (row !== undefined && left.size !== row.left) amendRow(store, row.id, () => states(left));
  return restoreResult(job, outcome(left, kept), safety?.id ?? null, false);
}

function addRow(store: Store, job: Job, safety: Checkpoint, { baseRoot, resultRoot, files }: States): number {
  return store.catalog.addRestore({
    at: store.now(),
    kind: job.kind,
    beforeId: safety.id,
    targetId: job.target.id,
    baseRoot,
    resultRoot,
    originId: job.reverts === undefined ? null : originOf(job.reverts.row),
    files,
  });
}

function amendRow(store: Store, id: number, states: () => States): void {
  ignoreFailure(() => {
    store.catalog.amendRestore(id, states());
    store.catalog.commit();
  }, "the row says what was planned: undoing that leaves alone what already is as it was");
}

/** The present state, and the checkpoint that holds it (if asked for): an existing one with this state, or a new one. */
async function secure(
  store: Store,
  job: Job,
  operation: Operation,
): Promise<{ capture: Capture; safety: Checkpoint | undefined }> {
  try {
    const capture = await captureWorkspace(store, { scan: job.scan, store: true, chunkBytes: 0 }, operation);
    const existing = store.catalog.checkpoints.find((each) => each.rootTree === capture.rootTree);
    if (!job.safety || existing !== undefined) {
      // Of an existing state only trees that the store has lost are new.
      storeTrees(store, capture);
      rememberCapture(store, capture);
      return { capture, safety: job.safety ? existing : undefined };
    }
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

function planFor(store: Store, job: Job, currentRoot: Hash, trees: TreeStore): RestorePlan {
  return planRestore(store, {
    currentRoot,
    targetRoot: job.targetRoot,
    target: job.respectPastRules ? job.target : undefined,
    selection: job.selection,
    keepNew: job.keepNew,
    trees,
  });
}

/** The selection, after making sure that each path means something now or then. */
function requestedSelection(store: Store, target: Checkpoint, request: RestoreRequest): PathSelection {
  const { fs, root, trees } = store;
  const { paths } = request;
  // Those come from a preview; what has gone since on both sides is nothing to do.
  if (request.exact === true) return selectExactly((paths ?? []).flatMap(textToPaths), false);
  for (const text of paths ?? []) {
    const candidates = typedPaths(text);
    const known = candidates.some(
      (path) =>
        path === "" ||
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
