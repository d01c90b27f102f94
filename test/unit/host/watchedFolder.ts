import { covers, parentOf } from "../../../src/host/pathCover";
import type { Random } from "../../support/seeded";

type EventKind = "create" | "change" | "delete";

export interface DeliveredEvent {
  readonly path: string;
  readonly kind: EventKind;
}

interface PendingEvent {
  readonly path: string;
  kind: EventKind;
  readonly dueAt: number;
  /** Looks taken before it came. */
  readonly looks: number;
}

const MAX_DELAY_MS = 5_000;

/**
 * A folder, and a file watcher with the habits of the real one on Linux: events come late and out of order, some twice;
 * those about one path are merged while they wait; of a removed folder only itself is reported; a folder moved in
 * reports itself and is deaf below its first level; below a renamed one the old paths go on being reported.
 *
 * Two habits are left out, because no set of paths can know of them; the next look at everything does. Events merge
 * within 0.1 s, so of a file that is made, seen by a save, and removed within that time nothing is ever reported. And a
 * folder made while the watcher reads the tree may stay without a watch.
 */
export class WatchedFolder {
  /** Content of every file, by path. */
  readonly files = new Map<string, number>();
  now = 1_000_000;
  private readonly folders = new Set([""]);
  /** By folder: the path that its watch reports. Without an entry it is deaf. */
  private readonly watches = new Map<string, string>();
  private pending: PendingEvent[] = [];
  private watchingAt: number | undefined;
  private made = 0;
  private looks = 0;

  constructor(private readonly random: Random) {
    for (const folder of ["src", "src/deep", "src/deep/er", "test"]) {
      this.folders.add(folder);
      for (let i = 0; i < 3; i++) this.files.set(`${folder}/${i}`, this.made++);
    }
    this.startWatching();
  }

  /** In a while every folder has its watch; until then nothing is reported. */
  startWatching(): void {
    this.watches.clear();
    this.watchingAt = this.now + this.random.below(MAX_DELAY_MS);
  }

  /** Somebody looks at the files now: what is reported later is not merged with what was before. */
  look(): ReadonlyMap<string, number> {
    this.looks++;
    return this.files;
  }

  isFolder(path: string): boolean {
    return this.folders.has(path);
  }

  /** Does something to the folder; returns the path written, if it is one that an editor could have written. */
  changeSomething(): string | undefined {
    const { random } = this;
    const file = this.files.size > 0 ? random.pick([...this.files.keys()]) : undefined;
    const folder = random.pick([...this.folders]);
    const choice = random.next();
    if (file !== undefined && choice < 0.5) return this.write(file);
    if (choice < 0.65 || this.folders.size < 4) return this.write(inside(folder, this.newName()));
    if (file !== undefined && choice < 0.69) this.removeFile(file);
    else if (file !== undefined && choice < 0.75) this.replaceByFolder(file);
    else if (choice < 0.82) this.makeFolders(folder);
    else if (choice < 0.88) this.moveIn(inside(folder, this.newName()));
    else if (folder !== "" && choice < 0.94) this.rename(folder);
    else if (folder !== "") this.removeFolder(folder, random.chance(0.5));
    return undefined;
  }

  /** Writes files, and nobody tells. */
  writeSilently(): void {
    const { pending } = this;
    this.pending = [];
    for (const path of [...this.files.keys()]) if (this.random.chance(0.2)) this.write(path);
    this.write(this.newName());
    this.pending = pending;
  }

  write(path: string): string {
    this.report(path, this.files.has(path) ? "change" : "create");
    this.files.set(path, this.made++);
    return path;
  }

  /** The events that have arrived by now, in no particular order. */
  arrived(): DeliveredEvent[] {
    if (this.watchingAt !== undefined && this.watchingAt <= this.now) {
      for (const folder of this.folders) this.watches.set(folder, folder);
      this.watchingAt = undefined;
    }
    const due = this.pending.filter((event) => event.dueAt <= this.now);
    this.pending = this.pending.filter((event) => event.dueAt > this.now);
    return due.flatMap((event) => (this.random.chance(0.1) ? [event, event] : [event]));
  }

  private newName(): string {
    return `n${this.made++}`;
  }

  private removeFile(path: string): void {
    this.files.delete(path);
    this.report(path, "delete");
  }

  private makeFolders(parent: string): void {
    let folder = parent;
    for (let depth = 1 + this.random.below(3); depth > 0; depth--) {
      folder = inside(folder, this.newName());
      this.report(folder, "create");
      this.folders.add(folder);
      // The watcher may come too late for what is made in it at once.
      const isInTime = this.random.chance(0.5);
      if (isInTime && this.watches.has(parentOf(folder))) this.watches.set(folder, folder);
      this.write(inside(folder, this.newName()));
    }
  }

  /** A folder that comes from elsewhere takes the file's name. */
  private replaceByFolder(file: string): void {
    this.removeFile(file);
    this.moveIn(file);
  }

  private moveIn(top: string): void {
    this.report(top, "create");
    if (this.watches.has(parentOf(top))) this.watches.set(top, top);
    for (const folder of [top, `${top}/a`, `${top}/a/b`]) {
      this.folders.add(folder);
      this.files.set(`${folder}/f`, this.made++);
    }
  }

  private rename(from: string): void {
    const to = inside(parentOf(from), this.newName());
    this.report(from, "delete");
    this.report(to, "create");
    for (const folder of [...this.folders].filter((each) => covers(from, each))) {
      const moved = to + folder.slice(from.length);
      const watch = folder === from && this.watches.has(parentOf(from)) ? to : this.watches.get(folder);
      this.folders.delete(folder);
      this.folders.add(moved);
      this.watches.delete(folder);
      if (watch !== undefined) this.watches.set(moved, watch);
    }
    for (const [path, content] of [...this.files].filter(([each]) => covers(from, each))) {
      this.files.delete(path);
      this.files.set(to + path.slice(from.length), content);
    }
  }

  private removeFolder(path: string, makeAgain: boolean): void {
    for (const file of [...this.files.keys()].filter((each) => covers(path, each))) this.files.delete(file);
    for (const folder of [...this.folders].filter((each) => covers(path, each))) {
      this.folders.delete(folder);
      this.watches.delete(folder);
    }
    this.report(path, "delete");
    if (!makeAgain) return;
    this.report(path, "create");
    this.folders.add(path);
    this.folders.add(`${path}/again`);
    this.files.set(`${path}/again/f`, this.made++);
  }

  private report(path: string, kind: EventKind): void {
    const watch = this.watches.get(parentOf(path));
    if (watch === undefined) return;
    const reported = inside(watch, path.slice(path.lastIndexOf("/") + 1));
    if (kind === "delete")
      this.pending = this.pending.filter((event) => event.kind !== "delete" || !event.path.startsWith(`${reported}/`));
    const waiting = this.pending.find((event) => event.path === reported && event.looks === this.looks);
    if (!waiting) {
      const dueAt = this.now + 100 + this.random.below(MAX_DELAY_MS);
      this.pending.push({ path: reported, kind, dueAt, looks: this.looks });
    } else if (waiting.kind === "create" && kind === "delete")
      this.pending = this.pending.filter((event) => event !== waiting);
    else if (waiting.kind === "delete" && kind === "create") waiting.kind = "change";
    else if (waiting.kind !== "create") waiting.kind = kind;
  }
}

function inside(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
