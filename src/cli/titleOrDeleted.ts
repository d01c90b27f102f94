import type { EngineApi } from "../shared/api";
import { CheckpointError } from "../shared/errors";
import { title } from "./output";

/** A checkpoint as people call it; `deleted` where there is none with this id any more. */
export async function titleOrDeleted(engine: EngineApi, id: string, deleted: string): Promise<string> {
  try {
    return title(await engine.resolve(id));
  } catch (error) {
    if (CheckpointError.is(error, "not-found")) return deleted;
    throw error;
  }
}
