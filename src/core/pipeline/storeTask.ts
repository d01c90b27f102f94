/**
 * One lane of a save: takes files from the shared list, reads, hashes and compresses them, and appends what is new to
 * this lane's own pack, so that no content crosses a thread.
 *
 * A file's content counts only if the file stood still: what `fstat` says after the last byte must equal what was known
 * before the first one. Otherwise it is read again, a few times; a file that never stands still is reported, not stored
 * torn. Files up to SMALL_BYTES are read whole, larger ones in slices of that size, so a lane needs the same few
 * buffers whatever it meets.
 */
import { constants } from "node:fs";
import { cancelled } from "../../shared/errors";
import type { SkipReason } from "../../shared/saves";
import { type FileStat, type FileSystem, isFile, isSymlink, permissions } from "../fs/fileSystem";
import { PathRoot } from "../fs/osPath";
import type { Codecs } from "../store/codecs";
import { isCompressedType } from "../store/compressedTypes";
import type { Hash } from "../store/hash";
import type { PublishedPack } from "../store/packPublication";
import { PackWriter } from "../store/packWriter";
import { type SharedWork, type WorkFacts, WorkView } from "./sharedWork";
import { neverStill, replaced, Unsaved, unsaved, vanished } from "./unsaved";

/** States of items in the shared list. */
export const STORED = 1;
export const SKIPPED = 2;
/** Set by the caller: read as a link. */
export const AS_SYMLINK = 8;

const SMALL_BYTES = 1024 * 1024;
/** Reading, hashing and compressing a slice takes about as long as so many small files. */
const SLICE_COST = 8;
/** How often a file that changes while it is read gets another chance. */
const ATTEMPTS = 4;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface StoreTask {
  readonly kind: "store";
  readonly root: string;
  readonly work: SharedWork;
  /** Absent: only hash (a dry run). */
  readonly target?: { readonly folder: string; readonly nonce: string; readonly chunkBytes: number };
}

export interface StoreTaskResult {
  readonly pack: PublishedPack | undefined;
  readonly skipped: readonly { readonly item: number; readonly reason: SkipReason; readonly message: string }[];
  readonly newObjects: number;
  readonly newBytes: number;
  readonly deduplicated: number;
  readonly raw: number;
  readonly bytesIn: number;
}

export interface StoreDeps {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  /** Content that needs no storing. */
  readonly isKnown: (hash: Hash) => boolean;
  /** Called for each file (1) and each slice of a large one (SLICE_COST); it may cancel the work. */
  readonly tick?: (cost: number) => void;
}

/** Runs until the list is empty; then the lane's pack is published. On error no pack and no temp file stays. */
export function runStoreTask(deps: StoreDeps, task: StoreTask): StoreTaskResult {
  const lane = new StoreLane(deps, task);
  try {
    return lane.run();
  } catch (error) {
    lane.abort();
    throw error;
  }
}

class StoreLane {
  private readonly view: WorkView;
  private readonly root: PathRoot;
  private readonly writer: PackWriter | undefined;
  // One byte more than the largest small file: reading it shows that the file grew.
  private readonly buffer = Buffer.allocUnsafeSlow(SMALL_BYTES + 1);
  private readonly skipped: StoreTaskResult["skipped"][number][] = [];
  private newObjects = 0;
  private newBytes = 0;
  private deduplicated = 0;
  private raw = 0;
  private bytesIn = 0;

  constructor(
    private readonly deps: StoreDeps,
    private readonly task: StoreTask,
  ) {
    this.view = new WorkView(task.work);
    this.root = new PathRoot(task.root);
    const { fs, codecs } = deps;
    if (task.target !== undefined) {
      const { folder, nonce } = task.target;
      this.writer = new PackWriter({ fs, codecs, folder, nonce });
    }
  }

  abort(): void {
    this.view.cancel();
    this.writer?.abort();
  }

  run(): StoreTaskResult {
    for (let item = this.view.take(); item !== undefined; item = this.view.take()) {
      this.deps.tick?.(1);
      try {
        if (this.view.states[item] === AS_SYMLINK) this.symlink(item);
        else this.file(item);
        this.view.states[item] = STORED;
      } catch (error) {
        if (!(error instanceof Unsaved)) throw error;
        this.view.states[item] = SKIPPED;
        this.skipped.push({ item, reason: error.reason, message: error.message });
      }
      this.view.finished();
    }
    if (this.view.isCancelled) {
      this.writer?.abort();
      return this.result(undefined);
    }
    return this.result(this.writer?.finish({ chunkBytes: this.task.target?.chunkBytes ?? 0 }));
  }

  private result(pack: PublishedPack | undefined): StoreTaskResult {
    const { skipped, newObjects, newBytes, deduplicated, raw, bytesIn } = this;
    return { pack, skipped, newObjects, newBytes, deduplicated, raw, bytesIn };
  }

  private symlink(item: number): void {
    const path = this.root.os(this.view.path(item));
    let expected = this.view.facts(item);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      let target: Buffer;
      let now: FileStat | undefined;
      try {
        target = this.deps.fs.readlink(path);
        now = this.deps.fs.lstat(path);
      } catch (error) {
        throw unsaved(error);
      }
      if (now === undefined) throw vanished();
      const facts = factsOf(now);
      if (isSymlink(now) && sameFacts(facts, expected)) {
        this.view.setFacts(item, facts);
        this.storeWhole(item, target, false);
        return;
      }
      expected = facts;
    }
    throw neverStill(ATTEMPTS);
  }

  private file(item: number): void {
    const path = this.view.path(item);
    let fd: number;
    try {
      fd = this.deps.fs.open(this.root.os(path), OPEN_FLAGS);
    } catch (error) {
      throw unsaved(error);
    }
    try {
      let expected = this.view.facts(item);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const found =
          expected.size <= SMALL_BYTES
            ? this.readSmall(item, fd, path, expected)
            : this.readLarge(item, fd, path, expected);
        if (found === undefined) return;
        this.expectRegularFile(path);
        expected = found;
      }
      throw neverStill(ATTEMPTS);
    } finally {
      this.deps.fs.close(fd);
    }
  }

  /**
   * Where the system cannot refuse to open through a link (Windows has no O_NOFOLLOW), a changed file may be another
   * one behind a link that took the place of this one.
   */
  private expectRegularFile(path: string): void {
    const found = this.deps.fs.lstat(this.root.os(path));
    if (found === undefined) throw vanished();
    if (!isFile(found)) throw replaced();
  }

  /** Undefined: stored. Otherwise the file changed meanwhile, and this is what it looks like now. */
  private readSmall(item: number, fd: number, path: string, expected: WorkFacts): WorkFacts | undefined {
    let length = 0;
    // Asked for one byte more, a regular file that gives just the expected ones has ended; `stat` below would tell if
    // it grew since. So no read is spent on meeting the end, but for an empty file.
    do {
      const read = this.read(fd, this.buffer, length, expected.size + 1 - length, length);
      if (read === 0) break;
      length += read;
    } while (length < expected.size);
    const now = this.stat(fd);
    if (length !== expected.size || !sameFacts(now, expected)) return now;
    this.view.setFacts(item, now);
    this.storeWhole(item, this.buffer.subarray(0, length), isCompressedType(path));
    return undefined;
  }

  private storeWhole(item: number, content: Uint8Array, raw: boolean): void {
    const hash = this.deps.codecs.hash(content);
    this.view.setHash(item, hash);
    this.bytesIn += content.length;
    if (this.isTaken(item, hash)) this.deduplicated++;
    else if (this.writer !== undefined) this.count(this.writer.add(hash, content, { raw }));
  }

  private readLarge(item: number, fd: number, path: string, expected: WorkFacts): WorkFacts | undefined {
    const hasher = this.deps.codecs.createHasher();
    this.writer?.beginStream(expected.size, { raw: isCompressedType(path) });
    let position = 0;
    let now: WorkFacts;
    try {
      // Reading stops at the announced size plus one byte: a file that grows for ever must not be followed.
      while (position <= expected.size && !this.view.isCancelled) {
        this.deps.tick?.(SLICE_COST);
        const read = this.read(fd, this.buffer, 0, Math.min(SMALL_BYTES, expected.size + 1 - position), position);
        if (read === 0) break;
        const slice = this.buffer.subarray(0, Math.min(read, expected.size - position));
        position += read;
        hasher.update(slice);
        this.writer?.writeStream(slice);
      }
      now = this.stat(fd);
    } catch (error) {
      if (error instanceof Unsaved) this.writer?.abandonStream();
      throw error;
    }
    if (position !== expected.size || !sameFacts(now, expected)) {
      this.writer?.abandonStream();
      if (this.view.isCancelled) throw cancelled();
      return now;
    }
    const hash = hasher.digest();
    this.view.setFacts(item, now);
    this.view.setHash(item, hash);
    this.bytesIn += position;
    if (this.isTaken(item, hash)) {
      this.deduplicated++;
      this.writer?.abandonStream();
    } else if (this.writer !== undefined) this.count(this.writer.endStream(hash));
    return undefined;
  }

  private isTaken(item: number, hash: Hash): boolean {
    return this.deps.isKnown(hash) || !this.view.claim(item);
  }

  private count(stored: { readonly storedBytes: number; readonly raw: boolean }): void {
    this.newObjects++;
    this.newBytes += stored.storedBytes;
    if (stored.raw) this.raw++;
  }

  private read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    try {
      return this.deps.fs.read(fd, buffer, offset, length, position);
    } catch (error) {
      throw unsaved(error);
    }
  }

  private stat(fd: number): WorkFacts {
    let stat: FileStat;
    try {
      stat = this.deps.fs.fstat(fd);
    } catch (error) {
      throw unsaved(error);
    }
    if (!isFile(stat)) throw new Unsaved("changed-while-read", "it is no regular file any more");
    return factsOf(stat);
  }
}

function factsOf(stat: FileStat): WorkFacts {
  const { size, mtimeMs, ctimeMs, ino } = stat;
  return { size, mtimeMs, ctimeMs, ino, mode: permissions(stat) };
}

function sameFacts(a: WorkFacts, b: WorkFacts): boolean {
  return (
    a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.mode === b.mode
  );
}
