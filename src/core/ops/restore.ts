/**
 * Restoring, and taking a restore back.
 *
 * A restore first makes the present state a checkpoint (or finds one that already holds it) and refuses when that fails;
 * then it plans against that state, writes down what it is going to do, and does it (see `restoreRun`). So "before" is
 * always a checkpoint, and undoing is a restore of it, limited to the paths the restore changed, with its own safety
 * checkpoint: nothing is ever lost by either, and edits made elsewhere since stay.
 */
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import type { RecoveryKind, RestoreRequest, RestoreResult } from "../../shared/restores";
import type { ScanOptions, UnsavedFile } from "../../shared/saves";
import { type RestoreIntent, removeIntent, writeIntent } from "../store/restoreJournal";
import type { RestoreRow } from "../store/restoreRows";
import { captureWorkspace } from "./capture";
import { journalOf, type Operation, type Store } from "./context";
import { resolveRef } from "./refs";
import { type Job, requestedJob, reverting } from "./restoreJob";
import { restoreResult } from "./restoreOutcome";
import { leaveInterrupted, nothingToRecover, recoveryOf, rollBackInterrupted } from "./restoreRecovery";
import { carryOut, type Ledger, planFor, type Run } from "./restoreRun";
import { checkpointBefore, stackTop } from "./restoreStack";
import { addUnseen, nothingUnseen } from "./unseenState";
import { takeInChanges, withLock } from "./withLock";

/** What `restore` would do now; `request.dryRun` is taken for granted. Nothing is written. */
export async function previewRestore(
  store: Store,
  request: RestoreRequest,
  operation: Operation,
): Promise<RestoreResult> {
  return preview(store, requestedJob(store, request), operation);
}

/** What `undo` or `redo` would do now. Nothing is written. */
export async function previewReversal(
  store: Store,
  kind: "undo" | "redo",
  scan: ScanOptions,
  operation: Operation,
): Promise<RestoreResult> {
  const interrupted = kind === "undo" ? recoveryOf(store, "rollBack", scan) : undefined;
  return preview(store, interrupted ?? reverting(store, kind, rowFor(store, kind), scan), operation);
}

/** What the end of the interrupted restore would do now. Nothing is written. */
export async function previewRecovery(
  store: Store,
  how: RecoveryKind,
  scan: ScanOptions,
  operation: Operation,
): Promise<RestoreResult> {
  return preview(store, recoveryOf(store, how, scan) ?? nothingToRecover(), operation);
}

async function preview(store: Store, job: Job, operation: Operation): Promise<RestoreResult> {
  const capture = await captureWorkspace(store, { scan: job.scan, store: false, chunkBytes: 0 }, operation);
  const captured = store.trees.with(capture.newTrees);
  const current =
    job.unseen === undefined
      ? nothingUnseen(capture.rootTree)
      : addUnseen({ ...store, trees: captured }, capture.rootTree, job.unseen.states, job.unseen.paths);
  const trees = captured.with(current.newTrees);
  const plan = planFor(store, job, current.root, trees);
  return restoreResult(job, { plan, left: new Set(), kept: current.kept, trees }, null, true);
}

/** One that was interrupted before ends where it is, and can be undone after this one. */
export async function restore(store: Store, request: RestoreRequest, operation: Operation): Promise<RestoreResult> {
  // A wrong reference waits for no lock and brings no store into being.
  takeInChanges(store);
  resolveRef(store.catalog.checkpoints, request.ref);
  return withLock(store, operation, () => {
    const superseded = leaveInterrupted(store);
    return carryOut(store, requestedJob(store, request), (run) => newLedger(store, run, superseded), operation);
  });
}

/** Takes back the last restore (or redo) that has not been taken back, or one that was interrupted. */
export function undo(
  store: Store,
  scan: ScanOptions,
  unsaved: readonly UnsavedFile[],
  operation: Operation,
): Promise<RestoreResult> {
  return withLock(store, operation, async () => {
    const rolledBack = await rollBackInterrupted(store, scan, unsaved, operation);
    return rolledBack ?? step(store, "undo", { scan, unsaved }, operation);
  });
}

/** Repeats the restore that was taken back last. */
export function redo(
  store: Store,
  scan: ScanOptions,
  unsaved: readonly UnsavedFile[],
  operation: Operation,
): Promise<RestoreResult> {
  return withLock(store, operation, () => {
    return step(store, "redo", { scan, unsaved }, operation, leaveInterrupted(store));
  });
}

function step(
  store: Store,
  kind: "undo" | "redo",
  { scan, unsaved }: Pick<Job, "scan" | "unsaved">,
  operation: Operation,
  superseded?: RestoreIntent,
): Promise<RestoreResult> {
  const job = reverting(store, kind, rowFor(store, kind), scan, unsaved);
  return carryOut(store, job, (run) => newLedger(store, run, superseded), operation);
}

/** What would be taken back or repeated; throws when nothing can be. */
function rowFor(store: Store, kind: "undo" | "redo"): RestoreRow {
  const { undoable, redoable } = stackTop(store);
  const row = kind === "undo" ? undoable : redoable;
  if (row !== undefined) return row;
  if (kind === "redo")
    throw new CheckpointError("nothing-to-redo", "No restore was taken back just before, so there is none to repeat.");
  throw new CheckpointError(
    "nothing-to-undo",
    store.catalog.restores().some((each) => checkpointBefore(store, each) === undefined)
      ? "The restore cannot be taken back: the checkpoint that held what was there before was deleted. Look for it in the checkpoints that are left."
      : "There is no restore to take back. Restore a checkpoint first.",
  );
}

/** `superseded`: an interrupted restore whose journal is still there. */
function newLedger(
  store: Store,
  { job, plan, safety, nonce, states }: Run,
  superseded: RestoreIntent | undefined,
): Ledger {
  const isNothing = plan.changes.length === 0;
  const at = store.now();
  const planned = states(new Set());
  const about = { at, kind: job.kind, targetId: job.target.id, originId: job.originId };
  let row: { readonly id: number; readonly left: number } | undefined;
  const closeJournal = (): void =>
    ignoreFailure(() => removeIntent(journalOf(store)), "what is left to be finished of this restore is nothing");
  return {
    begin: (folders) => {
      if (isNothing) return;
      const intent = { row: { ...about, ...planned, beforeId: safety?.id ?? null }, nonces: [nonce], folders };
      writeIntent(journalOf(store), intent, store.nonce());
    },
    // Before anything takes its place: a restore that could not be undone must not happen.
    staged: (left) => {
      if (safety === undefined || (isNothing && job.kind === "restore")) return;
      const { baseRoot, resultRoot, files } = left.size === 0 ? planned : states(left);
      const id = store.catalog.addRestore({ ...about, beforeId: safety.id, baseRoot, resultRoot, files });
      store.catalog.commit();
      row = { id, left: left.size };
    },
    done: (left) => {
      if (row !== undefined && left.size !== row.left) amend(store, row.id, () => states(left));
      closeJournal();
    },
    takenBack: () => {
      if (superseded === undefined) closeJournal();
      else writeIntent(journalOf(store), superseded, store.nonce());
    },
  };
}

function amend(store: Store, id: number, states: () => Parameters<Store["catalog"]["amendRestore"]>[1]): void {
  ignoreFailure(() => {
    store.catalog.amendRestore(id, states());
    store.catalog.commit();
  }, "the row says what was planned: undoing that leaves alone what already is as it was");
}
