/**
 * Every error a person can meet. An error says what happened and what to do about it; its code is stable, so that
 * scripts, tests and the extension can tell errors apart without reading text.
 */
export type ErrorCode =
  | "usage"
  | "not-found"
  | "ambiguous"
  | "locked"
  | "damaged"
  | "newer-format"
  | "workspace-missing"
  | "disk-full"
  | "disk-low"
  | "access-denied"
  | "safety-failed"
  | "nothing-to-undo"
  | "nothing-to-redo"
  | "nothing-to-recover"
  | "worker-gone"
  | "cancelled"
  | "io"
  | "internal";

/** What crosses the worker boundary. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly stack?: string | undefined;
}

export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly code: ErrorCode;
  /** Plain values for programs (paths, pids); never needed to understand the message. */
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Readonly<Record<string, string | number | boolean>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** True when `error` is ours and, if a code is given, carries that code. */
  static is(error: unknown, code?: ErrorCode): error is CheckpointError {
    return error instanceof CheckpointError && (code === undefined || error.code === code);
  }

  /** Any thrown value as one of ours: system errors by their errno, the rest as `internal`. */
  static from(error: unknown): CheckpointError {
    if (error instanceof CheckpointError) return error;
    const errno = (error as { code?: unknown } | undefined)?.code;
    const text = error instanceof Error ? error.message : String(error);
    const path = (error as { path?: unknown } | undefined)?.path;
    const where = typeof path === "string" ? ` (${path})` : "";
    switch (errno) {
      case "ENOSPC":
      case "EDQUOT":
        return new CheckpointError(
          "disk-full",
          `The disk is full${where}. Free some space and try again; nothing was lost.`,
          { cause: error },
        );
      case "EACCES":
      case "EPERM":
      case "EROFS":
        return new CheckpointError(
          "access-denied",
          `Access was denied${where}. Check the permissions of that path and try again.`,
          { cause: error },
        );
      default:
        if (typeof errno === "string")
          return new CheckpointError(
            "io",
            `The file system reported an error: ${text}. Try again; if it stays, run "Verify Store".`,
            { cause: error },
          );
        return new CheckpointError("internal", `Something unexpected went wrong: ${text}. Please report it.`, {
          cause: error,
        });
    }
  }

  static serialize(error: unknown): SerializedError {
    const known = CheckpointError.from(error);
    const cause = known.cause instanceof Error ? known.cause : known;
    return { code: known.code, message: known.message, details: known.details, stack: cause.stack };
  }

  static deserialize(error: SerializedError): CheckpointError {
    const revived = new CheckpointError(error.code, error.message, { details: error.details });
    if (error.stack !== undefined) revived.stack = error.stack;
    return revived;
  }
}

/** A deliberate cancellation; callers show nothing for it. */
export function cancelled(): CheckpointError {
  return new CheckpointError("cancelled", "Cancelled. Nothing was changed.");
}

/** Makes an ignored failure explicit: `reason` says why ignoring is right. */
export function ignoreFailure(action: () => void, _reason: string): void {
  try {
    action();
  } catch {
    // The caller's reason says why this does not matter.
  }
}
