/**
 * A file system of a machine that loses its power: what was not synced may be gone. Content that was written since the
 * file was last synced is cut off; names that came, went or changed since their folder was last synced are as before.
 * Systems differ in how much of that they lose: here it is all of it, or of each folder the last so many changes.
 */
import * as fs from "node:fs";
import { constants } from "node:fs";
import { dirname } from "node:path";
import type { FileSystem, OsPath } from "../../src/core/fs/fileSystem";
import { isChange } from "./dyingFileSystem";
import type { Random } from "./seeded";
import { tempFolder } from "./tempFolders";
import { type Call, errno, WatchedFileSystem } from "./watchedFileSystem";

interface NameChange {
  readonly folder: string;
  readonly undo: () => void;
}

export class PoweredFileSystem {
  readonly steps: Call[] = [];
  isOut = false;
  isArmed = false;
  private names: NameChange[] = [];
  /** By path: how much of the file is sure to stay. */
  private readonly unsynced = new Map<string, number>();
  private readonly watched: WatchedFileSystem;
  private readonly kept = tempFolder("power");
  private keptCount = 0;

  /** Loses power in place of the step after `lifetime` others, counted while it is armed. */
  constructor(lifetime: number) {
    this.watched = new WatchedFileSystem((call) => {
      if (this.isArmed && !this.isOut && isChange(call) && !call.path.includes("/locks")) {
        if (this.steps.length >= lifetime) this.isOut = true;
        else this.steps.push(call);
      }
      if (this.isOut && call.method !== "close") throw errno("EIO", call.path);
      if (!this.isOut) this.note(call);
    }, WITHOUT_SYNC);
  }

  get fs(): FileSystem {
    return this.watched.fs;
  }

  /** What is on the disk when the machine is on again. `random` undefined: all that may be lost is. */
  comeBack(random?: Random): void {
    for (const [path, bytes] of this.unsynced) {
      const stays = random === undefined ? bytes : bytes + random.below(fs.existsSync(path) ? sizeOf(path) + 1 : 1);
      if (fs.existsSync(path) && sizeOf(path) > stays) fs.truncateSync(path, stays);
    }
    const lost = new Map<string, number>();
    for (const { folder } of this.names) lost.set(folder, (lost.get(folder) ?? 0) + 1);
    if (random !== undefined) for (const [folder, count] of lost) lost.set(folder, random.below(count + 1));
    for (const { folder, undo } of this.names.reverse()) {
      const left = lost.get(folder) ?? 0;
      lost.set(folder, left - 1);
      if (left > 0) undo();
    }
    this.names = [];
  }

  private note({ method, path, to, args }: Call): void {
    if (method === "fsync") {
      this.unsynced.delete(path);
      this.names = this.names.filter(({ folder }) => folder !== path);
    } else if (method === "write" || method === "ftruncate") {
      if (!this.unsynced.has(path)) this.unsynced.set(path, method === "write" ? sizeOf(path) : 0);
    } else if (method === "open" && ((args[1] as number) & constants.O_CREAT) !== 0 && !fs.existsSync(path))
      this.changed(path, () => fs.rmSync(path, { force: true }));
    else if (method === "mkdir" && !fs.existsSync(path))
      this.changed(path, () => fs.rmSync(path, { recursive: true, force: true }));
    else if (method === "link" && to !== undefined && !fs.existsSync(to))
      this.changed(to, () => fs.rmSync(to, { force: true }));
    else if (method === "unlink" && fs.existsSync(path)) {
      const putBack = this.keep(path);
      this.changed(path, putBack);
    } else if (method === "rename" && to !== undefined && fs.existsSync(path)) {
      const putBack = fs.existsSync(to) ? this.keep(to) : undefined;
      const synced = this.unsynced.get(path);
      this.unsynced.delete(path);
      if (synced === undefined) this.unsynced.delete(to);
      else this.unsynced.set(to, synced);
      this.changed(to, () => {
        if (fs.existsSync(to)) fs.renameSync(to, path);
        putBack?.();
      });
    }
  }

  private changed(path: string, undo: () => void): void {
    this.names.push({ folder: dirname(path), undo });
  }

  /** Another name for a file, by which it can be put back. */
  private keep(path: string): () => void {
    const name = `${this.kept}/${this.keptCount++}`;
    fs.linkSync(path, name);
    return () => {
      if (fs.existsSync(dirname(path))) fs.renameSync(name, path);
    };
  }
}

const WITHOUT_SYNC: FileSystem = (() => {
  const { fs: base } = new WatchedFileSystem(({ method }) => (method === "fsync" ? { answer: undefined } : undefined));
  return base;
})();

const sizeOf = (path: OsPath): number => fs.statSync(path).size;
