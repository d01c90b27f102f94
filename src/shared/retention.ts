/** How long checkpoints are kept, what that means for those that exist, and where the room goes. */
import type { Checkpoint, Ref } from "./checkpoints";
import type { GcResult } from "./upkeep";

/**
 * Ages up to which automatic checkpoints are kept: all of them, the last of each hour, of each day, of each week. One
 * older than all four goes. The two limits go further than that, if need be.
 */
export interface RetentionPolicy {
  readonly allHours: number;
  readonly hourlyDays: number;
  readonly dailyDays: number;
  readonly weeklyWeeks: number;
  /** Of one store; 0 = no limit. */
  readonly maxStoreBytes: number;
  /** On the disk of the store, for everybody; 0 = no limit. */
  readonly minFreeDiskBytes: number;
}

export const DEFAULT_RETENTION: RetentionPolicy = {
  allHours: 24,
  hourlyDays: 3,
  dailyDays: 30,
  weeklyWeeks: 12,
  maxStoreBytes: 0,
  // A disk that is full stops more than checkpoints.
  minFreeDiskBytes: 1e9,
};

/** Why a checkpoint goes: its age, the limit of the store's size, or the minimum of free disk. */
export type PruneReason = "age" | "size" | "disk";

export interface PrunedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly reason: PruneReason;
}

export interface PrunePlan {
  /** Oldest first. */
  readonly going: readonly PrunedCheckpoint[];
  readonly kept: number;
  readonly storeBytes: number;
  /** What the store loses by it, with what no checkpoint used before; 0 while nothing goes and no limit is broken. */
  readonly freedBytes: number;
  /** On the store's disk, before; null where the system does not say. */
  readonly freeDiskBytes: number | null;
  /** By how much the limits are still missed: the rest is protected, of the last hours, or would not be enough. 0 = they hold. */
  readonly missingBytes: number;
}

export interface PruneRequest {
  readonly policy: RetentionPolicy;
  /** Of what would go, these alone: full ids, as somebody agreed to them. Absent: all. */
  readonly only?: readonly Ref[];
  /** Nobody asked for it: packs with little garbage are left for another time, as in `delete`. */
  readonly automatic?: boolean;
}

export interface PruneResult {
  /** What went, oldest first. */
  readonly gone: readonly PrunedCheckpoint[];
  readonly kept: number;
  /** Of the plan: by how much the limits are still missed. */
  readonly missingBytes: number;
  readonly freed: GcResult;
}

/** One path by the room its versions take in the packs. */
export interface PathUsage {
  readonly path: string;
  /** Of its different contents; one that several paths have counts for the first of them in the newest checkpoint. */
  readonly bytes: number;
  readonly versions: number;
}

export interface StoreUsage {
  /** Largest first. */
  readonly largest: readonly PathUsage[];
  /** Different paths in all checkpoints, and what their contents take. */
  readonly paths: number;
  readonly bytes: number;
}

/** A store below the storage root. */
export interface StoreSummary {
  /** The name of its folder. */
  readonly id: string;
  readonly folder: string;
  /** Null: it does not say, or cannot be read. */
  readonly workspace: string | null;
  /** "open": of the engine that was asked. "gone": nothing is at its workspace's path, which may be a disk that is out. */
  readonly state: "open" | "other" | "gone" | "unknown";
  readonly bytes: number;
  /** When its catalog was last changed, in milliseconds since 1970; null: it has none. */
  readonly changedAt: number | null;
}
