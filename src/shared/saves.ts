/** What a save is asked for and what it answers. */
import type { Checkpoint, CheckpointKind, Trigger } from "./checkpoints";

/** What a scan takes in. Rules of `.gitignore` and `.checkpointignore` come on top. */
export interface ScanOptions {
  readonly useGitignore: boolean;
  /** Also save node_modules, virtual environments and other downloaded dependencies. */
  readonly includeDependencies: boolean;
  /** More patterns in gitignore syntax, from settings. */
  readonly exclude: readonly string[];
  readonly maxFileBytes: number;
}

export const DEFAULT_SCAN_OPTIONS: ScanOptions = {
  useGitignore: true,
  includeDependencies: false,
  exclude: [],
  maxFileBytes: 4 * 1024 ** 3,
};

export type SkipReason = "unreadable" | "changed-while-read" | "too-large" | "special-file" | "vanished";

export interface Skipped {
  readonly path: string;
  readonly reason: SkipReason;
  /** One sentence for people, e.g. "permission denied". */
  readonly message: string;
}

export interface SaveRequest {
  readonly kind: CheckpointKind;
  readonly trigger: Trigger;
  readonly name?: string;
  readonly note?: string;
  readonly scan: ScanOptions;
  /** > 0 cuts packs larger than this into parts. */
  readonly packChunkBytes?: number;
  readonly branch?: string;
  readonly head?: string;
  readonly groupId?: string;
  /**
   * Every path that may have changed since the last save that this caller asked for and that succeeded; a folder stands
   * for all that is in it. The save then looks at these alone, and costs what changed instead of what exists. Absent:
   * it looks at everything, as does an engine that has not looked at everything lately, or went by other rules then.
   */
  readonly changedPaths?: readonly string[];
}

export interface SaveResult {
  /** The new checkpoint; when nothing changed, the existing one that already holds this state. */
  readonly checkpoint: Checkpoint | null;
  /** True: nothing changed and no name was given, so no checkpoint was made. */
  readonly noChange: boolean;
  readonly skipped: readonly Skipped[];
  readonly durationMs: number;
  /** Whether all of the workspace was looked at, or only the `changedPaths` of the request. */
  readonly scanned: "all" | "changed";
  readonly report: SaveReport;
}

/** Counts of one save. `bytesIn` is content read, `bytesOut` what it took in packs. */
export interface SaveReport {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly newObjects: number;
  readonly deduplicated: number;
  readonly raw: number;
  readonly compressed: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}
