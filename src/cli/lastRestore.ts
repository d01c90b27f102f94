import type { EngineApi } from "../shared/api";
import { formatTime } from "./output";
import { titleOrDeleted } from "./titleOrDeleted";

/**
 * Says what an undo or redo is about to do, for the line that is printed when it is done: the engine itself answers
 * with counts and with the state it went to, which is a safety checkpoint that nobody has heard of. Where there is
 * nothing to undo or redo, the engine says so when it is asked to.
 */
export async function describeStep(engine: EngineApi, direction: "undo" | "redo"): Promise<string> {
  const { undo, redo } = await engine.undoState();
  if (direction === "redo")
    return `Repeated the restore that was taken back${redo ? ` at ${formatTime(redo.at)}` : ""}`;
  if (undo === null) return "Took back the last restore";
  const restored = await titleOrDeleted(engine, undo.checkpointId, "a checkpoint deleted since");
  return `Took back the restore of ${restored} at ${formatTime(undo.at)}`;
}
