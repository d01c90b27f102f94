import { CheckpointError } from "../../shared/errors";
import { errnoOf } from "../fs/fileSystem";

const ADVICE = 'Run "Verify Store" to see which checkpoints are affected; the others are not.';

/** An error that names the damaged part of the store (`part`) and what is wrong with it (`fault`: a clause, no period). */
export function damaged(
  part: string,
  fault: string,
  options: { details?: Readonly<Record<string, string | number | boolean>>; cause?: unknown } = {},
): CheckpointError {
  return new CheckpointError("damaged", `${part} is damaged: ${fault}. ${ADVICE}`, options);
}

/** The clause of an error made by `damaged`, for putting it into a larger sentence; other errors' message as it is. */
export function faultOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.endsWith(ADVICE) ? message.slice(0, -ADVICE.length).trim().replace(/\.$/, "") : message;
}

/** Whether an error speaks of the very place that was read: damage, or a bad sector. Everything else may be read still. */
export function isUnreadable(error: unknown): boolean {
  return CheckpointError.is(error, "damaged") || errnoOf(error) === "EIO";
}
