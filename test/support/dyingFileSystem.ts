/**
 * A file system as a process sees it that is killed at a certain step: from then on nothing it does has any effect, not
 * even its clearing up. A write that it is killed in has happened in part.
 */
import { constants } from "node:fs";
import type { FileSystem } from "../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import { type Call, errno, WatchedFileSystem } from "./watchedFileSystem";

/** What a killed process wrote is there, synced or not: only a machine that goes down loses it. */
export const UNSYNCED: FileSystem = { ...nodeFileSystem, fsync: () => {} };

export class DyingFileSystem {
  /** What was done until then, whoever did it. */
  readonly steps: Call[] = [];
  isDead = false;
  /** Steps count from when this is true. */
  isArmed = true;
  private readonly watched: WatchedFileSystem;

  /** Dies in place of the step after `lifetime` others; `isStep` says which calls count. */
  constructor(lifetime = Number.POSITIVE_INFINITY, isStep: (call: Call) => boolean = isChange) {
    this.watched = new WatchedFileSystem((call) => {
      if (this.isArmed && !this.isDead && isStep(call)) {
        if (this.steps.length >= lifetime) this.die(call);
        else this.steps.push(call);
      }
      // Descriptors are closed for a dead process, too.
      if (this.isDead && call.method !== "close") throw errno("EIO", call.path);
    }, UNSYNCED);
  }

  get fs(): FileSystem {
    return this.watched.fs;
  }

  private die({ method, args }: Call): void {
    this.isDead = true;
    if (method !== "write") return;
    const [fd, bytes, offset, length, position] = args as Parameters<FileSystem["write"]>;
    if (length > 1) nodeFileSystem.write(fd, bytes, offset, length >> 1, position);
  }
}

/** Whether a call changes anything on the disk, or makes a change durable. */
export function isChange({ method, args }: Call): boolean {
  if (method === "open") return ((args[1] as number) & constants.O_CREAT) !== 0;
  return CHANGES.has(method);
}

const CHANGES: ReadonlySet<keyof FileSystem> = new Set([
  "write",
  "fsync",
  "ftruncate",
  "rename",
  "link",
  "symlink",
  "unlink",
  "mkdir",
  "rmdir",
  "chmod",
  "fchmod",
] as (keyof FileSystem)[]);
