/** Taking a path out of all checkpoints, as if it had never been saved. */
import type { Checkpoint } from "./checkpoints";
import type { GcResult } from "./upkeep";

/** What purging would do; making it changes nothing. */
export interface PurgePlan {
  /** The paths that are in checkpoints (files, or folders with all that is in them). */
  readonly paths: readonly string[];
  /** Those that are in none. */
  readonly missing: readonly string[];
  /** The checkpoints that hold something of it, newest first; pinned ones, too. */
  readonly checkpoints: readonly Checkpoint[];
  /** Different contents of different files. */
  readonly versions: number;
  /** Contents that go, and what they take in packs. */
  readonly deadObjects: number;
  readonly deadBytes: number;
  /** Contents that stay, because other paths hold the same bytes: the first of them, by path. */
  readonly elsewhere: { readonly total: number; readonly listed: readonly { path: string; other: string }[] };
  /** Restores that can no longer be undone or redone, because they were about nothing else. */
  readonly endedRestores: number;
  /** Which of `paths` are in the workspace now: the next save takes them in again unless a rule leaves them out. */
  readonly present: readonly string[];
  /** Content that was purged before may still lie in the store: purging, be it nothing, frees it. */
  readonly owesSweep: boolean;
}

export interface PurgeResult extends PurgePlan {
  /** If `freed.damaged` names packs, these could not be rewritten and may still hold some of the content. */
  readonly freed: GcResult;
}
