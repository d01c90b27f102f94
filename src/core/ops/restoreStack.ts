/**
 * What can be undone and redone, from the catalog's rows of restores.
 *
 * A row names the checkpoint that holds the state before (`beforeId`), and two trees: `baseRoot`, that state with what
 * the scan did not see but the restore dealt with, and `resultRoot`, what the restore made of it. The difference of the
 * two is exactly what was done. So a row is small whatever a restore was about, and needs neither the checkpoint that
 * was restored nor the rules of then to be taken back.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { UndoState } from "../../shared/restores";
import type { Hash } from "../store/hash";
import { type RestoreIntent, readIntent } from "../store/restoreJournal";
import type { RestoreRow } from "../store/restoreRows";
import { journalOf, type Store } from "./context";
import { diffTrees } from "./diffTrees";
import { EVERYTHING } from "./pathSelection";

export interface StackTop {
  readonly undoable: RestoreRow | undefined;
  readonly redoable: RestoreRow | undefined;
}

/**
 * Replays the rows: a restore or redo can be undone, an undo can be redone; a new restore ends what could be redone.
 * Rows whose state before was deleted keep their places, so that the others keep theirs, and are passed over.
 */
export function stackTop(store: Store): StackTop {
  const { undoable, redoable } = stacks(store);
  return { undoable: undoable.at(-1), redoable: redoable.at(-1) };
}

/** The checkpoints that undoing and redoing, as often as that is possible, would go back to. */
export function reversalTargets(store: Store): string[] {
  const { undoable, redoable } = stacks(store);
  return [...undoable, ...redoable].map((row) => row.beforeId);
}

/** The next one last. */
function stacks(store: Store): { readonly undoable: readonly RestoreRow[]; readonly redoable: readonly RestoreRow[] } {
  let undoable: RestoreRow[] = [];
  let redoable: RestoreRow[] = [];
  const without = (rows: RestoreRow[], origin: number): RestoreRow[] => rows.filter((row) => originOf(row) !== origin);
  for (const row of store.catalog.restores()) {
    if (row.kind === "undo") {
      undoable = without(undoable, originOf(row));
      redoable.push(row);
    } else {
      redoable = row.kind === "redo" ? without(redoable, originOf(row)) : [];
      undoable.push(row);
    }
  }
  const isAlive = (row: RestoreRow): boolean => checkpointBefore(store, row) !== undefined;
  return { undoable: undoable.filter(isAlive), redoable: redoable.filter(isAlive) };
}

/** Of a restore that was interrupted undoing says first what it was about, as that is what it would roll back. */
export function undoState(store: Store): UndoState {
  const { undoable, redoable } = stackTop(store);
  const describe = (row: Pick<RestoreRow, "targetId" | "at" | "files"> | undefined) =>
    row === undefined ? null : { checkpointId: row.targetId, at: row.at, files: row.files };
  return { undo: describe(interruptedRow(store) ?? undoable), redo: describe(redoable) };
}

function interruptedRow(store: Store): RestoreIntent["row"] | undefined {
  try {
    return readIntent(journalOf(store))?.row;
  } catch (error) {
    if (!CheckpointError.is(error)) throw error;
    return undefined; // whoever asks for the interrupted restore itself hears of it
  }
}

/** By its id alone: a checkpoint may be named like another's id. */
export function checkpointBefore(store: Store, row: RestoreRow): Checkpoint | undefined {
  return store.catalog.checkpoints.find((each) => each.id === row.beforeId);
}

/** The restore that a row takes back or repeats, or is. */
export function originOf(row: RestoreRow): number {
  return row.originId ?? row.id;
}

/** The paths that the restore behind `row` changed: undoing and redoing concern these alone. */
export function pathsOf(store: Store, row: RestoreRow): ByteString[] {
  const origin = store.catalog.restores().find((each) => each.id === originOf(row)) ?? row;
  return diffTrees(store.trees, origin.baseRoot as Hash, origin.resultRoot as Hash, EVERYTHING).map(({ path }) => path);
}
