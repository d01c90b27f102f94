/**
 * Carrying out a restore, an undo or a redo, or what is left of one that was interrupted.
 *
 *   the present state is captured and made a checkpoint (or one that already holds it is found) → plan → the states it
 *   goes from and to are in the store → journal → everything is staged → undo stack (catalog commit) → places are taken
 *   → journal removed
 *
 * Killed before the journal: nothing was touched. With it: `restoreRecovery` finishes the restore or takes it back,
 * from these states and from what it finds. Killed at its end: there is nothing left to finish.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { Kept, RestoreResult } from "../../shared/restores";
import type { Hash } from "../store/hash";
import type { OpenedFolder } from "../store/restoreJournal";
import { type Capture, captureWorkspace, rememberCapture } from "./capture";
import type { Operation, Store } from "./context";
import { applyRestore } from "./restoreApply";
import type { Job } from "./restoreJob";
import { type Outcome, restoreResult, type States, statesOf } from "./restoreOutcome";
import { planRestore, type RestorePlan } from "./restorePlan";
import { commitCapture, storeTrees } from "./save";
import type { TreeStore } from "./treeStore";
import { addUnseen, nothingUnseen } from "./unseenState";

/** What is written down of a restore while it runs, and afterwards. */
export interface Ledger {
  /** Before anything is touched; again if there are more folders to be opened. If it throws, nothing has changed. */
  begin(opened: readonly OpenedFolder[]): void;
  /** Everything is staged, but for what concerns the paths in `left`. If it throws, all of it is taken back. */
  staged(left: ReadonlySet<ByteString>): void;
  /** Nothing is left to be done; the paths in `left` are as they were. */
  done(left: ReadonlySet<ByteString>): void;
  /** It failed before `staged` was over, and everything is as it was. */
  takenBack(): void;
}

/** A restore about to begin. */
export interface Run {
  readonly job: Job;
  readonly plan: RestorePlan;
  readonly safety: Checkpoint | undefined;
  /** In the names of its temp files. */
  readonly nonce: string;
  /** From what to what it goes if the paths in `left` stay as they are; the store has the trees of both. */
  readonly states: (left: ReadonlySet<ByteString>) => States;
}

/** Rejects with `safety-failed` if the present state cannot be saved; the caller holds the lock. */
export async function carryOut(
  store: Store,
  job: Job,
  ledgerOf: (run: Run) => Ledger,
  operation: Operation,
): Promise<RestoreResult> {
  const { capture, safety } = await secure(store, job, operation);
  // From here on the workspace is not what any scan found.
  store.lastScan.forget();

  operation.report({ phase: "plan", done: 0, total: 0 });
  const current =
    job.unseen === undefined
      ? nothingUnseen(capture.rootTree)
      : addUnseen(store, capture.rootTree, job.unseen.states, job.unseen.paths);
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
  const nonce = store.nonce();
  const ledger = ledgerOf({ job, plan, safety, nonce, states });
  const { kept, left } = await applyRestore(
    store,
    plan,
    {
      unseen: current.found,
      nonce,
      onBegin: (opened) => ledger.begin(opened),
      onStaged: (stagedLeft) => ledger.staged(stagedLeft),
      onTakenBack: () => ledger.takenBack(),
    },
    operation,
  );
  ledger.done(left);
  return restoreResult(job, outcome(left, kept), safety?.id ?? null, false);
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

/** What `job` means for the state `currentRoot`. */
export function planFor(store: Store, job: Job, currentRoot: Hash, trees: TreeStore): RestorePlan {
  return planRestore(store, {
    currentRoot,
    targetRoot: job.targetRoot,
    target: job.respectPastRules ? job.target : undefined,
    selection: job.selection,
    keepNew: job.keepNew,
    trees,
  });
}
