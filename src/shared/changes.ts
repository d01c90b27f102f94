/** States of paths, and what differs between them. */
import type { Checkpoint, Ref } from "./checkpoints";
import type { ScanOptions, Skipped } from "./saves";

/** In the order by whose numbers trees, the catalog's lists and messages name them. */
export const ENTRY_TYPES = ["file", "directory", "symlink"] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** One state of one path. */
export interface EntryState {
  readonly type: EntryType;
  /** Permission bits. */
  readonly mode: number;
  readonly size: number;
  /** Content hash; for a directory, its tree's. */
  readonly hash: string;
}

export interface TreeEntry extends EntryState {
  readonly name: string;
}

/** In the order by whose numbers the catalog's lists and messages name them. */
export const CHANGE_KINDS = ["added", "changed", "removed", "typeChanged"] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface Change {
  readonly path: string;
  readonly kind: ChangeKind;
  readonly before?: EntryState;
  readonly after?: EntryState;
}

/** One side of a comparison: a checkpoint, or what is on disk now. */
export type Side = { readonly ref: Ref } | { readonly workspace: ScanOptions };

export interface DiffResult {
  /** In path order. */
  readonly changes: readonly Change[];
  /** Of a workspace side: what could not be read. */
  readonly skipped: readonly Skipped[];
}

export interface CheckpointDetail {
  readonly checkpoint: Checkpoint;
  /** Against its parent; for the first checkpoint everything is "added". Cut after `limit` entries. */
  readonly changes: readonly Change[];
  readonly totalChanges: number;
  /** The first 1,000; `checkpoint.skipped` is their total. */
  readonly skipped: readonly Skipped[];
}

/** One version of a file (or state of a folder): the checkpoint in which it appeared. */
export interface FileVersion {
  readonly checkpoint: Checkpoint;
  readonly kind: ChangeKind;
  /** Absent when the checkpoint removed it. */
  readonly state?: EntryState;
}
