/**
 * Undoing and redoing what a person means. Between the moment they decide and the moment something is done, minutes can
 * pass (a notification's button, a question about unsaved files), in which this window, another one or a terminal
 * restores something else. No vscode.
 */
import type { UndoState } from "../shared/restores";

export type ReversalKind = keyof UndoState;
/** One restore (or undo) that can be reversed. */
export type RestoreStep = NonNullable<UndoState[ReversalKind]>;
/** Why nothing was done: something else came since, or the checkpoint with the state to go back to was deleted. */
export type Refusal = "superseded" | "deleted";

export interface ReversalActions<Result> {
  readonly state: () => Promise<UndoState>;
  /** Asks about unsaved editors; resolves with whether there was anything to ask. */
  readonly settle: () => Promise<boolean>;
  readonly reverse: () => Promise<Result>;
}

/**
 * Reverses `meant`, or what is on top now if that is left out; resolves with the result, or with why nothing was done.
 * Where there is nothing to reverse at all, `reverse` is called without questions: the engine has the words for it.
 * Rejects as the actions do.
 */
export async function reverseRestore<Result>(
  kind: ReversalKind,
  actions: ReversalActions<Result>,
  meant?: RestoreStep,
): Promise<{ readonly result: Result } | { readonly refusal: Refusal }> {
  const before = await actions.state();
  const step = meant ?? before[kind];
  if (step) {
    let refusal = refusalOf(kind, step, before);
    if (!refusal && (await actions.settle())) refusal = refusalOf(kind, step, await actions.state());
    if (refusal) return { refusal };
  }
  return { result: await actions.reverse() };
}

/** Undefined: `meant` is still what would be reversed. */
export function refusalOf(kind: ReversalKind, meant: RestoreStep, now: UndoState): Refusal | undefined {
  const next = now[kind];
  if (next?.at === meant.at && next.checkpointId === meant.checkpointId) return undefined;
  // The engine passes over a step whose state was deleted; then nothing that is on top is newer than what was meant.
  return Math.max(now.undo?.at ?? 0, now.redo?.at ?? 0) > meant.at ? "superseded" : "deleted";
}
