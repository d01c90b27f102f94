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
import { naming } from "./namedDamage";
import { applyRestore } from "./restoreApply";
import type { Job } from "./restoreJob";
import { type Outcome, restoreResult, type States, statesOf } from "./restoreOutcome";
import { planRestore, type RestorePlan } from "./restorePlan";
import { commitCapture, commitState, storeTrees } from "./save";
import type { TreeStore } from "./treeStore";
import { withUnsaved } from "./unsavedContents";
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
  const { capture, safety, unsaved } = await secure(store, job, operation);
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
  const result = restoreResult(job, outcome(left, kept), safety?.id ?? null, false);
  return unsaved === undefined ? result : { ...result, unsavedId: unsaved.id };
}

interface Secured {
  readonly capture: Capture;
  /** Holds the present state, if asked for: an existing checkpoint with this state, or a new one. */
  readonly safety: Checkpoint | undefined;
  /** Holds the editors' texts. */
  readonly unsaved: Checkpoint | undefined;
}

/** Makes sure that nothing can be lost. Rejects with `safety-failed` (or `cancelled`). */
async function secure(store: Store, job: Job, operation: Operation): Promise<Secured> {
  try {
    const capture = await captureWorkspace(store, { scan: job.scan, store: true, chunkBytes: 0 }, operation);
    const unsaved = keepUnsaved(store, job, capture, operation);
    const existing = store.catalog.checkpoints.find((each) => each.rootTree === capture.rootTree);
    if (!job.safety || existing !== undefined) {
      // Of an existing state only trees that the store has lost are new.
      storeTrees(store, capture);
      rememberCapture(store, capture);
      return { capture, safety: job.safety ? existing : undefined, unsaved };
    }
    const request = { kind: "safety", trigger: job.trigger, scan: job.scan } as const;
    return { capture, safety: commitCapture(store, capture, request, operation), unsaved };
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

/**
 * Makes the captured state with the editors' texts a checkpoint, all of them: whoever sent them is going to let go of
 * them. It is one more than the safety checkpoint, because undo must find what was on disk in a checkpoint.
 */
function keepUnsaved(
  store: Store,
  { unsaved, scan }: Job,
  onDisk: Capture,
  operation: Operation,
): Checkpoint | undefined {
  const { capture, refused, ignored } = withUnsaved(store, onDisk, unsaved, { scan, chunkBytes: 0 });
  const faults = [...refused.map(({ path, message }) => `${path}: ${message}`), ...ignored];
  if (faults.length > 0)
    throw new CheckpointError(
      "usage",
      `The unsaved text of an editor cannot go into a checkpoint (${faults[0]}). Save or revert that file, then try again.`,
    );
  if (capture.rootTree === onDisk.rootTree) return undefined;
  const existing = store.catalog.checkpoints.find((each) => each.rootTree === capture.rootTree);
  if (existing !== undefined) {
    storeTrees(store, capture);
    return existing;
  }
  return commitState(store, capture, { kind: "safety", trigger: "unsaved", scan }, operation);
}

/** What `job` means for the state `currentRoot`. */
export function planFor(store: Store, job: Job, currentRoot: Hash, trees: TreeStore): RestorePlan {
  return naming(job.target, () =>
    planRestore(store, {
      currentRoot,
      targetRoot: job.targetRoot,
      target: job.respectPastRules ? job.target : undefined,
      selection: job.selection,
      keepNew: job.keepNew,
      trees,
    }),
  );
}
