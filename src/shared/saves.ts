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
  /**
   * Files that look by their names as if they held keys or passwords (see `core/scan/secretNames.ts`). Absent: they are
   * saved like any other.
   */
  readonly secrets?: SecretFiles;
}

export type SecretFiles = "include" | "exclude";

export const DEFAULT_SCAN_OPTIONS: ScanOptions = {
  useGitignore: true,
  includeDependencies: false,
  exclude: [],
  maxFileBytes: 4 * 1024 ** 3,
};

/** "unsaved": an editor's text was not taken; what is on disk was. */
export type SkipReason = "unreadable" | "changed-while-read" | "too-large" | "special-file" | "vanished" | "unsaved";

export interface Skipped {
  readonly path: string;
  readonly reason: SkipReason;
  /** One sentence for people, e.g. "permission denied". */
  readonly message: string;
}

/** An editor's text that is not on disk, as the bytes that saving the editor would write. */
export interface UnsavedFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** Of all unsaved texts of one request together; what goes beyond is left out by name. */
export const MAX_UNSAVED_BYTES = 64 * 1024 ** 2;

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
  /** On the store's disk. With less, an automatic save rejects with `disk-low`, and another one says so. */
  readonly minFreeDiskBytes?: number;
  /**
   * Every path that may have changed since the last save that this caller asked for and that succeeded; a folder stands
   * for all that is in it. The save then looks at these alone, and costs what changed instead of what exists. Absent:
   * it looks at everything, as does an engine that has not looked at everything lately, or went by other rules then.
   */
  readonly changedPaths?: readonly string[];
  /** The checkpoint holds these instead of what is on disk, which stays as it is. Only for files that are saved at all. */
  readonly unsaved?: readonly UnsavedFile[];
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
  /** Only when less than the request's `minFreeDiskBytes` was free: how much that was. */
  readonly lowDiskBytes?: number;
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

/** What a first save would take in. */
export interface Measure {
  readonly files: number;
  readonly bytes: number;
  /** False: there was no time to count all; these are what was found until then. */
  readonly isComplete: boolean;
}
