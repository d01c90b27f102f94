/**
 * The index: what every file looked like (stat) when its content (hash) was last read, so that a save reads only what
 * changed. It is a cache: it may be lost or thrown away at any time and costs then one save that reads everything.
 *
 * Files: `files.base`, one image of all folder records, and `files.log`, patches appended since. Both are checksummed
 * (XXH64), so a torn write is noticed and what follows it is dropped; neither is synced. The log names the base it
 * belongs to by that base's checksum; another base makes it void, even one with the same records: each is salted.
 *
 * A patch only means something on top of the records it was made from. So nothing is appended to files that memory is
 * ahead of (a write failed): they are written anew.
 *
 * Invariant kept by its writers: every hash in it is in a published pack. Whoever removes content from the store first
 * removes it here (`retain`), and whoever removes packs says so first (`relyOn`); see packReliance for stores that lose
 * packs in other ways.
 */
import { constants } from "node:fs";
import { ignoreFailure } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { FileSystem } from "../fs/fileSystem";
import { FILE_MODE, publishFile, readWholeFile, unlinkIfThere, writeFully } from "../fs/publishFile";
import type { Codecs } from "../store/codecs";
import type { Hash } from "../store/hash";
import { type BaseImage, checkedBase, encodeBase, recordsOf, sharedBuffer } from "./baseImage";
import { DirectoryRecord } from "./directoryRecord";
import { BATCH_HEAD, batchBytes, decodeBatch, encodeBatch, type IndexUpdate } from "./indexBatch";
import { PackReliance, type PresentPacks } from "./packReliance";
import { FOLDER } from "./recordLayout";
import { applyPatches } from "./recordPatches";

const BASE = "files.base";
const LOG = "files.log";
const LOG_MAGIC = "CKL1";
/** magic, checksum of the base */
const LOG_HEAD = 4 + 8;
/** The log is folded into the base when it outgrows both of these. */
const LOG_MIN_BYTES = 256 * 1024;
const LOG_SHARE_OF_BASE = 0.25;

export class FileIndex {
  private records = new Map<ByteString, DirectoryRecord>();
  private baseChecksum = 0n;
  private baseBytes = 0;
  private logBytes = 0;
  /** Undefined: nothing was read yet. */
  private signature: string | undefined;
  /** Something of what memory holds is not in the files. */
  private isAhead = false;
  /** The base in shared memory, in which the records that no patch has replaced since still lie. */
  private shared = new SharedArrayBuffer(0);
  private changes = 0;

  private constructor(
    private readonly fs: FileSystem,
    private readonly codecs: Codecs,
    private readonly folder: string,
    private readonly nonce: () => string,
    private readonly reliance: PackReliance,
  ) {}

  /** An index that is read at the first `refresh`: most commands need none. */
  static open(fs: FileSystem, codecs: Codecs, folder: string, nonce: () => string, present: PresentPacks): FileIndex {
    return new FileIndex(fs, codecs, folder, nonce, new PackReliance(fs, codecs, folder, nonce, present));
  }

  get isEmpty(): boolean {
    return this.records.size === 0;
  }

  get bytes(): number {
    return [BASE, LOG].reduce((sum, name) => sum + (this.fs.lstat(`${this.folder}/${name}`)?.size ?? 0), 0);
  }

  /** Another number: records were lost or replaced otherwise than by `apply`. */
  get generation(): number {
    return this.changes;
  }

  /** The memory that other threads can read records from, see `sharedOffset`. */
  get sharedRecords(): SharedArrayBuffer {
    return this.shared;
  }

  /** Where a record lies in `sharedRecords`; undefined: in this thread's memory. */
  sharedOffset(record: DirectoryRecord): number | undefined {
    return record.bytes.buffer === this.shared ? record.bytes.byteOffset : undefined;
  }

  all(): Iterable<DirectoryRecord> {
    return this.records.values();
  }

  record(path: ByteString): DirectoryRecord | undefined {
    return this.records.get(path);
  }

  /** The folders it knows. */
  paths(): ByteString[] {
    return [...this.records.keys()];
  }

  /** Takes in what is on disk; whoever asks for records has called it. */
  refresh(): void {
    const isStale = this.currentSignature() !== this.signature;
    // Another process may have merged packs, and written down which ones hold everything now.
    if (isStale || (!this.isEmpty && !this.reliance.isMet)) this.reload();
  }

  /** Forgets everything: it named content that is not in the store. */
  discard(): void {
    this.clear();
  }

  /**
   * To be called before packs are removed: from now on the index relies on these, which hold all that it names. One
   * that is void already goes with its files, which no new list may bless. Throws when that cannot be written down.
   */
  relyOn(packs: readonly string[]): void {
    this.refresh();
    if (this.reliance.isMet) {
      // Files that miss something may name what goes.
      if (this.isAhead) this.rewrite();
      this.reliance.write(packs);
    } else this.erase();
  }

  /**
   * Changes the index and writes the change down. Failing to write is not an error: the files then miss something until
   * the next change, and a process that starts before that reads more.
   */
  apply(update: IndexUpdate): void {
    if (update.patches.length === 0 && update.dropped.length === 0) return;
    if (!this.take(update)) return;
    const wasAhead = this.isAhead;
    this.isAhead = true;
    ignoreFailure(() => {
      // Files that are void or were never there must not be taken for true once there is a list again.
      if (this.baseBytes === 0) this.removeFiles();
      this.reliance.write();
      // Judged by its size before it is put together: of a first save's batch there need not be a copy.
      const logBytes = this.logBytes + batchBytes(update);
      const isOutgrown = logBytes > Math.max(LOG_MIN_BYTES, this.baseBytes * LOG_SHARE_OF_BASE);
      if (wasAhead || isOutgrown || this.baseBytes === 0) this.writeBase();
      else this.append(encodeBatch(this.codecs, update));
      this.signature = this.currentSignature();
      this.isAhead = false;
    }, "the index is a cache, and memory is known to be ahead of its files");
  }

  /** Drops what is about to leave the store. Must succeed before content is removed, so failures throw. */
  retain(isLive: (hash: Hash) => boolean): void {
    // What another process wrote since must not keep naming content that goes now.
    this.refresh();
    let changed = false;
    for (const [path, record] of this.records) {
      const entries = record.entries();
      const complete = entries.every((each) => each.type === FOLDER || (each.hash !== undefined && isLive(each.hash)));
      if (complete && isLive(record.treeHash)) continue;
      changed = true;
      // A folder whose tree is not in the store, or names more than is left here, counts as new at the next save.
      this.records.delete(path);
    }
    if (changed) this.changes++;
    // Files that miss something may name what goes, even where memory does not.
    if (changed || this.isAhead) this.rewrite();
    this.signature = this.currentSignature();
  }

  private rewrite(): void {
    this.writeBase();
    this.isAhead = false;
  }

  /** The update in memory; false: it was made from other records than these, and all are void. */
  private take(update: IndexUpdate): boolean {
    try {
      for (const bytes of update.patches) {
        const patch = new DirectoryRecord(bytes);
        this.records.set(patch.path, applyPatches(this.records.get(patch.path), [patch]));
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.clear();
      return false;
    }
    for (const path of update.dropped) this.records.delete(path);
    return true;
  }

  /** Forgets everything, on disk as well: not even a name stays. Throws when that cannot be done. */
  erase(): void {
    this.clear();
    this.removeFiles();
    this.signature = this.currentSignature();
  }

  private removeFiles(): void {
    for (const name of [BASE, LOG]) unlinkIfThere(this.fs, `${this.folder}/${name}`);
    this.reliance.forget();
  }

  private clear(): void {
    this.changes++;
    this.isAhead = false;
    this.records = new Map();
    this.shared = new SharedArrayBuffer(0);
    this.baseBytes = 0;
    this.logBytes = 0;
    this.baseChecksum = 0n;
  }

  private reload(): void {
    this.clear();
    this.signature = this.currentSignature();
    if (!this.reliance.read() || !this.reliance.isMet) return;
    try {
      this.readFiles();
    } catch (error) {
      // A checksum that fits what no writer of an index wrote.
      if (!(error instanceof RangeError)) throw error;
      this.clear();
    }
  }

  private readFiles(): void {
    const image = readWholeFile(this.fs, `${this.folder}/${BASE}`, sharedBuffer);
    const base = image && checkedBase(this.codecs, image);
    if (base === undefined) return;
    this.takeBase(base);
    const log = readWholeFile(this.fs, `${this.folder}/${LOG}`);
    if (log !== undefined && !this.readLog(log)) this.clear();
  }

  private takeBase({ image, checksum }: BaseImage): void {
    for (const record of recordsOf(image)) this.records.set(record.path, record);
    this.shared = image.buffer as unknown as SharedArrayBuffer;
    this.baseChecksum = checksum;
    this.baseBytes = image.length;
  }

  /** False: a patch is not of this base. */
  private readLog(log: Buffer): boolean {
    if (log.length < LOG_HEAD || log.toString("latin1", 0, 4) !== LOG_MAGIC) return true;
    if (log.readBigUInt64LE(4) !== this.baseChecksum) return true;
    const patches = new Map<ByteString, DirectoryRecord[]>();
    let at = LOG_HEAD;
    while (at + BATCH_HEAD <= log.length) {
      const length = log.readUInt32LE(at);
      const payload = log.subarray(at + BATCH_HEAD, at + BATCH_HEAD + length);
      if (payload.length < length || this.codecs.xxh64(payload) !== log.readBigUInt64LE(at + 4)) break;
      const update = decodeBatch(payload);
      for (const path of update.dropped) {
        this.records.delete(path);
        patches.delete(path);
      }
      for (const bytes of update.patches) {
        const patch = new DirectoryRecord(bytes);
        const list = patches.get(patch.path);
        if (list === undefined) patches.set(patch.path, [patch]);
        else list.push(patch);
      }
      at += BATCH_HEAD + length;
    }
    for (const [path, list] of patches) {
      if (!this.records.has(path) && !list.some((patch) => patch.isWhole)) return false;
      this.records.set(path, applyPatches(this.records.get(path), list));
    }
    this.logBytes = at;
    return true;
  }

  private writeBase(): void {
    const base = encodeBase(this.codecs, [...this.records.values()], this.nonce());
    publishFile(this.fs, this.folder, BASE, base.image, this.nonce(), "none");
    this.takeBase(base);
    this.logBytes = 0;
  }

  private append(batch: Buffer): void {
    const fresh = this.logBytes === 0;
    const flags = constants.O_WRONLY | constants.O_CREAT | (fresh ? constants.O_TRUNC : 0);
    const fd = this.fs.open(`${this.folder}/${LOG}`, flags, FILE_MODE);
    try {
      if (fresh) {
        const head = Buffer.alloc(LOG_HEAD);
        head.write(LOG_MAGIC, 0, "latin1");
        head.writeBigUInt64LE(this.baseChecksum, 4);
        writeFully(this.fs, fd, head, 0);
        this.logBytes = LOG_HEAD;
      }
      // Behind a torn batch nothing is ever read, so the next one overwrites it.
      this.fs.ftruncate(fd, this.logBytes);
      writeFully(this.fs, fd, batch, this.logBytes);
      this.logBytes += batch.length;
    } finally {
      this.fs.close(fd);
    }
  }

  private currentSignature(): string {
    return [BASE, LOG]
      .map((name) => {
        const stat = this.fs.lstat(`${this.folder}/${name}`);
        return stat === undefined ? "-" : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
      })
      .join(" ");
  }
}

/** How large the index in this folder is, without reading it; 0: there is none. */
export function recordedBytes(fs: FileSystem, folder: string): number {
  return fs.lstat(`${folder}/${BASE}`)?.size ?? 0;
}
