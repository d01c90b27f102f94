/** What stands in the trees. Commands receive these objects, and look only at the fields they need. */
import type { Change, FileVersion } from "../shared/changes";
import type { Checkpoint } from "../shared/checkpoints";
import type { ChangeFolder } from "./changeTree";
import type { Root } from "./workspaceFolders";

export class RootNode {
  constructor(readonly root: Root) {}
}

/** A day's checkpoints. */
export class DayNode {
  constructor(
    readonly root: Root,
    /** Midnight at its start. */
    readonly day: number,
    readonly checkpoints: readonly Checkpoint[],
  ) {}
}

export class CheckpointNode {
  constructor(
    readonly root: Root,
    readonly checkpoint: Checkpoint,
  ) {}
}

export class FolderNode {
  constructor(
    readonly root: Root,
    readonly checkpoint: Checkpoint,
    readonly folder: ChangeFolder,
    /** Whether it starts open. */
    readonly isOpen: boolean,
  ) {}

  get path(): string {
    return this.folder.path;
  }
}

export class ChangeNode {
  constructor(
    readonly root: Root,
    readonly checkpoint: Checkpoint,
    readonly change: Change,
    /** The name without its folders. */
    readonly name: string,
  ) {}

  get path(): string {
    return this.change.path.replace(/\/$/, "");
  }
}

/** Stands at the end of a list that was cut. */
export class MoreNode {
  constructor(
    readonly remaining: number,
    readonly loadMore: () => void,
    readonly id: string,
  ) {}
}

/** Says that a list ends before everything is in it. */
export class NotListedNode {
  constructor(
    readonly count: number,
    readonly id: string,
  ) {}
}

/** One entry of a file's history. */
export class VersionNode {
  constructor(
    readonly root: Root,
    readonly path: string,
    readonly version: FileVersion,
    /** The version before this one, if there is one. */
    readonly older: FileVersion | undefined,
    /** True when the file is the same now, false when it differs or nobody looked. */
    readonly isNow = false,
  ) {}

  get checkpoint(): Checkpoint {
    return this.version.checkpoint;
  }
}

export type CheckpointTreeNode =
  | RootNode
  | DayNode
  | CheckpointNode
  | FolderNode
  | ChangeNode
  | MoreNode
  | NotListedNode;
