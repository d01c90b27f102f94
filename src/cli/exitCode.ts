import type { ErrorCode } from "../shared/errors";
import type { RestoreResult } from "../shared/restores";

/** What scripts branch on. Fixed: a number here never changes its meaning. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  locked: 4,
  damaged: 5,
  /** 128 + SIGINT, as shells expect it of a program stopped by Ctrl+C. */
  cancelled: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export function exitCodeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case "usage":
      return ExitCode.usage;
    case "not-found":
    case "ambiguous":
      return ExitCode.notFound;
    case "locked":
      return ExitCode.locked;
    case "damaged":
      return ExitCode.damaged;
    case "cancelled":
      return ExitCode.cancelled;
    default:
      return ExitCode.failed;
  }
}

/**
 * A restore that left something as it was because it could not do otherwise has not done what was asked. What stays by
 * design (ignored files, and what holds them) is no failure.
 */
export function exitCodeOfRestore({ dryRun, kept }: Pick<RestoreResult, "dryRun" | "kept">): ExitCode {
  const codes = new Set(dryRun ? [] : kept.map(({ code }) => code));
  if (codes.has("damaged")) return ExitCode.damaged;
  return codes.has("denied") || codes.has("changed") ? ExitCode.failed : ExitCode.done;
}
