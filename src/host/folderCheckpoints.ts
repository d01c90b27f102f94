import type { Checkpoint } from "../shared/checkpoints";
import type { UndoState } from "../shared/restores";

/** What is known of one folder's checkpoints. */
export interface FolderCheckpoints {
  /** Newest first. */
  readonly checkpoints: readonly Checkpoint[];
  readonly undo: UndoState;
  readonly storeFolder: string;
}

/** Whether two readings say the same. There can be a thousand checkpoints, read anew at every focus of the window. */
export function isSameKnowledge(one: FolderCheckpoints, other: FolderCheckpoints): boolean {
  return (
    one.storeFolder === other.storeFolder &&
    hasSameFields(one.undo.undo, other.undo.undo) &&
    hasSameFields(one.undo.redo, other.undo.redo) &&
    one.checkpoints.length === other.checkpoints.length &&
    one.checkpoints.every((checkpoint, index) => hasSameFields(checkpoint, other.checkpoints[index]))
  );
}

/** Field by field. Values that are objects themselves would count as other ones, and cost a redraw. */
function hasSameFields<T extends object>(one: T | null, other: T | null | undefined): boolean {
  if (one === null || other === null || other === undefined) return one === other;
  const names = Object.keys(one) as (keyof T)[];
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
