/** Checkpoints, and how to name one. */

export type CheckpointKind = "manual" | "auto" | "safety" | "import";

/**
 * Why a checkpoint was made; "unsaved": it keeps editors' texts that a restore, an undo or a redo took away. The user
 * interface turns it into words.
 */
export type Trigger = "manual" | "interval" | "restore" | "undo" | "redo" | "unsaved" | "cli" | "import";

export interface Checkpoint {
  /** UUIDv7. */
  readonly id: string;
  /** Running number within the store, never used twice; shown as #N. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly kind: CheckpointKind;
  readonly trigger: string;
  readonly name: string | null;
  readonly note: string | null;
  readonly pinned: boolean;
  readonly parentId: string | null;
  /** Hash of the root tree object. Two checkpoints with equal roots hold the same state. */
  readonly rootTree: string;
  readonly files: number;
  readonly bytes: number;
  readonly newObjects: number;
  readonly newBytes: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly skipped: number;
  readonly branch: string | null;
  readonly head: string | null;
  readonly groupId: string | null;
}

/** A full id, a unique prefix of one (4 characters or more), `latest`, `latest~N`, a number, or a unique name. */
export type Ref = string;
