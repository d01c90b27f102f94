/** What deleting, collecting, verifying and counting answer. */
import type { Checkpoint } from "./checkpoints";

export interface DeletePlan {
  readonly checkpoints: readonly Checkpoint[];
  /** Content only these checkpoints use. */
  readonly deadObjects: number;
  readonly deadBytes: number;
  /** One of them holds what was there before the restore that could be undone (or redone) next. */
  readonly endsUndo: boolean;
}

export interface GcResult {
  readonly deadObjects: number;
  readonly freedBytes: number;
  readonly removedPacks: number;
  readonly rewrittenPacks: number;
  /** Packs that would have been rewritten or merged, but for something damaged in them. They stay as they are. */
  readonly damaged: readonly DamagedPack[];
}

export interface DamagedPack {
  /** 16 hex digits. */
  readonly id: string;
  readonly message: string;
}

export interface VerifyProblem {
  /** The damaged part: a file of the store, or a hash. */
  readonly part: string;
  readonly message: string;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly full: boolean;
  readonly checkpoints: number;
  readonly packs: number;
  readonly objects: number;
  readonly bytesRead: number;
  readonly problems: readonly VerifyProblem[];
  /** Checkpoints that cannot be restored completely, with the paths concerned (cut after 100 each). */
  readonly damaged: readonly { readonly checkpoint: Checkpoint; readonly paths: readonly string[] }[];
  /** What a repair made whole again, and how; empty when nothing was to be repaired. */
  readonly healed: readonly VerifyProblem[];
}

export interface StoreStats {
  readonly folder: string;
  readonly checkpoints: number;
  readonly packs: number;
  readonly objects: number;
  readonly packBytes: number;
  readonly treeBytes: number;
  readonly indexBytes: number;
  readonly catalogBytes: number;
  readonly totalBytes: number;
  /** On the disk of the store, for this user; null where the system does not say. */
  readonly freeDiskBytes: number | null;
  readonly oldest: number | null;
  readonly newest: number | null;
}
