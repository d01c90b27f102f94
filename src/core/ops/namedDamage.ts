import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";

/** Runs `body`, which goes through what a checkpoint holds: damage that it meets is told together with whose it is. */
export function naming<T>(checkpoint: Checkpoint, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const isDamaged = CheckpointError.is(error, "damaged");
    if (!isDamaged && !CheckpointError.is(error, "newer-format")) throw error;
    if (error.details.checkpoint !== undefined) throw error;
    const name = checkpoint.name === null ? "" : ` "${checkpoint.name}"`;
    const state = isDamaged ? "is damaged" : "cannot be read";
    throw new CheckpointError(error.code, `Checkpoint #${checkpoint.number}${name} ${state}. ${error.message}`, {
      details: { ...error.details, checkpoint: checkpoint.id },
      cause: error,
    });
  }
}
