/** What a save takes in, and what it leaves out and why: the answer to "is my file in there?". */

/**
 * Why something is not saved: always (version control, our own files); `dependencies`, `setting`, `gitignore`,
 * `checkpointignore`, `secrets`: a rule says so; `cache`: its folder is marked as one; the rest: it cannot be saved.
 */
export const LEFT_OUT_REASONS = [
  "gitignore",
  "checkpointignore",
  "setting",
  "secrets",
  "dependencies",
  "cache",
  "too-large",
  "unreadable",
  "special-file",
  "always",
] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

/** Something that is left out: a file, or a folder (ends with "/") with all that is in it. */
export interface LeftOutEntry {
  readonly path: string;
  /** Files and links; 1 for a file. */
  readonly files: number;
  readonly bytes: number;
}

/** All that is left out for one reason, by one ignore file. */
export interface LeftOutGroup {
  readonly reason: LeftOutReason;
  /** Path of the ignore file; "" where it is none. */
  readonly rule: string;
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  /** In path order, cut after the limit. */
  readonly listed: readonly LeftOutEntry[];
}

export interface Coverage {
  readonly saved: { readonly files: number; readonly bytes: number };
  /** In the order of `LEFT_OUT_REASONS`, then by rule. */
  readonly leftOut: readonly LeftOutGroup[];
  /** Files that are saved and look by their names as if they held keys or passwords. */
  readonly secrets: { readonly total: number; readonly listed: readonly string[] };
  /** False: folders that are left out hold so much that not all of it was counted; then the true counts are higher. */
  readonly isComplete: boolean;
}
