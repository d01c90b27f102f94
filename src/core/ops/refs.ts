import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";

const MIN_PREFIX = 4;

/**
 * The checkpoint a person means: `latest`, `latest~N`, `12` or `#12`, a full id, a unique name, or a unique prefix of
 * an id, in this order: programs pass full ids, and no name may get in their way. `checkpoints` is newest first.
 * Rejects with `not-found` or `ambiguous`, saying what to type instead.
 */
export function resolveRef(checkpoints: readonly Checkpoint[], ref: string): Checkpoint {
  // Nothing anybody could type would be found.
  if (checkpoints.length === 0)
    throw new CheckpointError("not-found", "There is no checkpoint yet. Save one first.", { details: { ref } });
  const back = /^latest(?:~(\d+))?$/.exec(ref);
  if (back !== null) {
    const found = checkpoints[Number(back[1] ?? 0)];
    if (found === undefined)
      throw notFound(
        checkpoints.length === 1 ? "There is only 1 checkpoint." : `There are only ${checkpoints.length} checkpoints.`,
        ref,
      );
    return found;
  }
  const number = /^#?([1-9]\d*)$/.exec(ref);
  if (number !== null) {
    const found = checkpoints.find((each) => each.number === Number(number[1]));
    if (found !== undefined) return found;
  }
  const prefix = ref.toLowerCase();
  const exact = checkpoints.find((each) => each.id === prefix);
  if (exact !== undefined) return exact;
  const named = checkpoints.filter((each) => each.name === ref);
  if (named.length === 1 && named[0] !== undefined) return named[0];
  if (named.length > 1) throw ambiguous(ref, named);
  const matching = prefix.length < MIN_PREFIX ? [] : checkpoints.filter((each) => each.id.startsWith(prefix));
  if (matching.length === 1 && matching[0] !== undefined) return matching[0];
  if (matching.length > 1) throw ambiguous(ref, matching);
  throw notFound(`There is no checkpoint "${ref}".`, ref);
}

function notFound(message: string, ref: string): CheckpointError {
  return new CheckpointError("not-found", `${message} List the checkpoints to see their numbers and names.`, {
    details: { ref },
  });
}

function ambiguous(ref: string, matching: readonly Checkpoint[]): CheckpointError {
  const shown = matching.slice(0, 5).map((each) => `#${each.number}`);
  const more = matching.length > shown.length ? ` and ${matching.length - shown.length} more` : "";
  return new CheckpointError(
    "ambiguous",
    `"${ref}" may mean ${shown.join(", ")}${more}. Use the number, for example ${matching[0]?.number ?? 1}.`,
    { details: { ref } },
  );
}
