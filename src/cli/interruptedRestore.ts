import type { EngineApi } from "../shared/api";
import { CheckpointError } from "../shared/errors";
import type { InterruptedRestore } from "../shared/restores";
import { forCommandLine } from "./advice";
import { formatTime, printable } from "./output";
import { titleOrDeleted } from "./titleOrDeleted";

/** What is said in front of any answer while a restore waits for a decision; nothing when none does. */
export async function interruptedLines(engine: EngineApi): Promise<string[]> {
  try {
    const found = await engine.interrupted();
    if (found === null) return [];
    return [`${await describeInterrupted(engine, found)} "checkpoint recover" finishes it or rolls it back.`];
  } catch (error) {
    // It is not what was asked for, so it must not be in the way of that.
    if (CheckpointError.is(error)) return [printable(forCommandLine(error.message))];
    throw error;
  }
}

/** One sentence: what was interrupted. */
export async function describeInterrupted(
  engine: EngineApi,
  { kind, checkpointId, at }: InterruptedRestore,
): Promise<string> {
  const checkpoint = await titleOrDeleted(engine, checkpointId, "a checkpoint deleted since");
  const what = { restore: `The restore of ${checkpoint}`, undo: "An undo", redo: "A redo" }[kind];
  return `${what}, begun at ${formatTime(at)}, was interrupted.`;
}
