/** What a restore is asked for and what it answers. */
import type { Change } from "./changes";
import type { Checkpoint, Ref } from "./checkpoints";
import type { ScanOptions, UnsavedFile } from "./saves";

export interface RestoreRequest {
  readonly ref: Ref;
  /** Files or folders; empty or absent = everything. */
  readonly paths?: readonly string[];
  /** `paths` are these and no others: a folder's does not stand for what is in it, and none = nothing. */
  readonly exact?: boolean;
  readonly scan: ScanOptions;
  /** Leave files alone that exist now but not in the checkpoint. */
  readonly keepNew?: boolean;
  readonly dryRun?: boolean;
  /** False only when the user said so: no safety checkpoint, no undo. */
  readonly safety?: boolean;
  /** Kept in a checkpoint of their own, beside the one with what is on disk. If one cannot be, nothing is restored. */
  readonly unsaved?: readonly UnsavedFile[];
}

/** What else there is to an undo, a redo, or the end of an interrupted restore. */
export interface ReversalOptions {
  /** As for a restore: only tells what would be done. */
  readonly dryRun?: boolean;
  /** As for a restore. */
  readonly unsaved?: readonly UnsavedFile[];
}

/**
 * Why a path was left alone: no checkpoint holds what is there, or the restored one says nothing about it (protected);
 * something that stays is in its way or in it (occupied); it changed during the restore (changed); the file system
 * refused (denied); its content in the store is damaged or missing (damaged).
 */
export type KeptCode = "protected" | "occupied" | "changed" | "denied" | "damaged";

export interface Kept {
  readonly path: string;
  /** One sentence for people. */
  readonly reason: string;
  readonly code: KeptCode;
}

export interface RestoreResult {
  readonly checkpoint: Checkpoint;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Files and links that already were as in the checkpoint. */
  readonly unchanged: number;
  /** Left alone, and why. */
  readonly kept: readonly Kept[];
  /** The checkpoint with what was on disk before. */
  readonly safetyId: string | null;
  /** The checkpoint with the unsaved texts of the request, if they are other than what was on disk. */
  readonly unsavedId?: string;
  readonly dryRun: boolean;
  readonly paths: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  /** What the restore does or did, with both states of every path (before = now, after = restored). */
  readonly changes: readonly Change[];
}

export interface UndoState {
  /** What "Undo Last Restore" would take back, or null. */
  readonly undo: { readonly checkpointId: string; readonly at: number; readonly files: number } | null;
  readonly redo: { readonly checkpointId: string; readonly at: number; readonly files: number } | null;
}

/** A restore, undo or redo that was killed on its way: some paths are as they were, others as they were to be. */
export interface InterruptedRestore {
  readonly kind: "restore" | "undo" | "redo";
  /** What it was restoring. */
  readonly checkpointId: string;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** How many paths it was about. */
  readonly files: number;
}

/** Bring every path to where the restore was going, or back to where it came from. */
export type RecoveryKind = "finish" | "rollBack";
