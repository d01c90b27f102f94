/**
 * The index: what every file looked like (stat) when its content (hash) was last read, so that a save reads only what
 * changed. It is a cache: it may be lost or thrown away at any time and costs then one save that reads everything.
 *
 * Files: `files.base`, one image of all folder records, and `files.log`, patches appended since. Both are checksummed
 * (XXH64), so a torn write is noticed and what follows it is dropped; neither is synced. The log names the base it
 * belongs to by that base's checksum; another base makes it void, even one with the same records: each is salted.
 *
 * Invariant kept by its writers: every hash in it is in a published pack. Whoever removes content from the store first
 * removes it here (`retain`). Against stores that lose packs in other ways (a backup put back, a file deleted by hand)
 * `packs.list` names the packs that the index relies on; it is written before anything relies on them, and when one of
 * them is not there the index is void.
 */
import { constants } from "node:fs";
import { ignoreFailure } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { FileSystem } from "../fs/fileSystem";
import { FILE_MODE, publishFile, readWholeFile, writeFully } from "../fs/publishFile";
import type { Codecs } from "../store/codecs";
import type { Hash } from "../store/hash";
import { applyPatches, DirectoryRecord, FOLDER } from "./directoryRecord";

const BASE = "files.base";
const LOG = "files.log";
const PACKS = "packs.list";
const BASE_MAGIC = "CKI3";
const LOG_MAGIC = "CKL1";
/** magic, checksum of the rest */
const BASE_HEAD = 4 + 8;
/** Begins the rest. */
const SALT_BYTES = 16;
/** magic, checksum of the base */
const LOG_HEAD = 4 + 8;
/** length, checksum */
const BATCH_HEAD = 4 + 8;
/** The log is folded into the base when it outgrows both of these. */
const LOG_MIN_BYTES = 256 * 1024;
const LOG_SHARE_OF_BASE = 0.25;

export interface IndexUpdate {
  /** Encoded patches, see directoryRecord. */
  readonly patches: readonly Buffer[];
  /** Folders that are gone; what lay in them is named too. */
  readonly dropped: readonly ByteString[];
}

export class FileIndex {
  private records = new Map<ByteString, DirectoryRecord>();
  private baseChecksum = 0n;
  private baseBytes = 0;
  private logBytes = 0;
  /** Undefined: nothing was read yet. */
  private signature: string | undefined;
  /** The list of packs on disk; undefined: there is none that can be read. */
  private reliedOn: string | undefined;
  /** The base in shared memory, in which the records that no patch has replaced since still lie. */
  private shared = new SharedArrayBuffer(0);
  private changes = 0;

  private constructor(
    private readonly fs: FileSystem,
    private readonly codecs: Codecs,
    private readonly folder: string,
    private readonly nonce: () => string,
    /** The packs that are in the store. */
    private readonly packIds: () => readonly string[],
  ) {}

  /** An index that is read at the first `refresh`: most commands need none. */
  static open(
    fs: FileSystem,
    codecs: Codecs,
    folder: string,
    nonce: () => string,
    packIds: () => readonly string[],
  ): FileIndex {
    return new FileIndex(fs, codecs, folder, nonce, packIds);
  }

  /** Reads the index; an unusable one is empty. */
  static load(fs: FileSystem, codecs: Codecs, folder: string, nonce: () => string): FileIndex {
    const index = FileIndex.open(fs, codecs, folder, nonce, () => []);
    index.refresh();
    return index;
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
    if (this.currentSignature() !== this.signature) this.reload();
    // Another process may have merged packs, and written down which ones hold everything now.
    else if (!this.allPresent(this.reliedOn ?? "")) this.reload();
  }

  /** Forgets everything: it named content that is not in the store. */
  discard(): void {
    this.clear();
  }

  /** To be called before packs are removed: from now on the index relies on these. */
  relyOnPacks(ids: readonly string[]): void {
    const body = [...ids].sort().join("\n");
    if (body === this.reliedOn) return;
    const text = `${this.codecs.xxh64(Buffer.from(body)).toString(16)}\n${body}`;
    publishFile(this.fs, this.folder, PACKS, Buffer.from(text), this.nonce(), "none");
    this.reliedOn = body;
  }

  /**
   * Changes the index and writes the change down. Failing to write is not an error: the index then misses something,
   * and the next save reads more.
   */
  apply(update: IndexUpdate): void {
    if (update.patches.length === 0 && update.dropped.length === 0) return;
    for (const bytes of update.patches) {
      const patch = new DirectoryRecord(bytes);
      this.records.set(patch.path, applyPatches(this.records.get(patch.path), [patch]));
    }
    for (const path of update.dropped) this.records.delete(path);
    ignoreFailure(() => {
      this.relyOnPacks(this.packIds());
      // Judged by its size before it is put together: of a first save's batch there need not be a copy.
      const added = batchBytes(update);
      const outgrown = this.logBytes + added > Math.max(LOG_MIN_BYTES, this.baseBytes * LOG_SHARE_OF_BASE);
      if (this.baseBytes === 0 || outgrown) this.writeBase();
      else this.append(encodeBatch(this.codecs, update));
      this.signature = this.currentSignature();
    }, "the index is a cache: without this entry the next save reads more");
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
    if (changed) {
      this.changes++;
      this.writeBase();
    }
    this.signature = this.currentSignature();
  }

  private clear(): void {
    this.changes++;
    this.records = new Map();
    this.shared = new SharedArrayBuffer(0);
    this.baseBytes = 0;
    this.logBytes = 0;
    this.baseChecksum = 0n;
  }

  private reload(): void {
    this.clear();
    this.signature = this.currentSignature();
    if (!this.packsAreThere()) return;
    const base = readWholeFile(this.fs, `${this.folder}/${BASE}`, sharedBuffer);
    if (base === undefined || !this.readBase(base)) return;
    const log = readWholeFile(this.fs, `${this.folder}/${LOG}`);
    if (log !== undefined) this.readLog(log);
  }

  private packsAreThere(): boolean {
    this.reliedOn = undefined;
    const text = readWholeFile(this.fs, `${this.folder}/${PACKS}`)?.toString("utf8") ?? "";
    const body = text.slice(text.indexOf("\n") + 1);
    if (text !== `${this.codecs.xxh64(Buffer.from(body)).toString(16)}\n${body}`) return false;
    if (!this.allPresent(body)) return false;
    this.reliedOn = body;
    return true;
  }

  private allPresent(list: string): boolean {
    const present = new Set(this.packIds());
    return list.split("\n").every((id) => id === "" || present.has(id));
  }

  private readBase(base: Buffer): boolean {
    if (base.length < BASE_HEAD + SALT_BYTES || base.toString("latin1", 0, 4) !== BASE_MAGIC) return false;
    const checksum = base.readBigUInt64LE(4);
    if (this.codecs.xxh64(base.subarray(BASE_HEAD)) !== checksum) return false;
    this.takeRecords(base);
    this.baseChecksum = checksum;
    this.baseBytes = base.length;
    return true;
  }

  /** `base` is checked, and in shared memory. */
  private takeRecords(base: Buffer): void {
    for (let at = BASE_HEAD + SALT_BYTES; at < base.length; ) {
      const length = base.readUInt32LE(at);
      const record = new DirectoryRecord(base.subarray(at, at + length));
      this.records.set(record.path, record);
      at += length;
    }
    this.shared = base.buffer as unknown as SharedArrayBuffer;
  }

  private readLog(log: Buffer): void {
    if (log.length < LOG_HEAD || log.toString("latin1", 0, 4) !== LOG_MAGIC) return;
    if (log.readBigUInt64LE(4) !== this.baseChecksum) return;
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
    for (const [path, list] of patches) this.records.set(path, applyPatches(this.records.get(path), list));
    this.logBytes = at;
  }

  private writeBase(): void {
    const records = [...this.records.values()];
    const bytes = records.reduce((sum, record) => sum + record.bytes.length, BASE_HEAD + SALT_BYTES);
    const base = sharedBuffer(bytes);
    base.write(BASE_MAGIC, 0, "latin1");
    base.fill(this.nonce(), BASE_HEAD, BASE_HEAD + SALT_BYTES, "latin1");
    let at = BASE_HEAD + SALT_BYTES;
    for (const record of records) at += record.bytes.copy(base, at);
    const checksum = this.codecs.xxh64(base.subarray(BASE_HEAD));
    base.writeBigUInt64LE(checksum, 4);
    publishFile(this.fs, this.folder, BASE, base, this.nonce(), "none");
    this.takeRecords(base);
    this.baseChecksum = checksum;
    this.baseBytes = base.length;
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

function sharedBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/** The size of what `encodeBatch` makes. */
function batchBytes({ patches, dropped }: IndexUpdate): number {
  const names = dropped.reduce((sum, path) => sum + 2 + path.length, 4);
  return patches.reduce((sum, patch) => sum + patch.length, BATCH_HEAD + names);
}

/** u32 number of dropped folders, each u16 length and path; then the patches one after another. */
function encodeBatch(codecs: Codecs, update: IndexUpdate): Buffer {
  const batch = Buffer.allocUnsafe(batchBytes(update));
  batch.writeUInt32LE(update.dropped.length, BATCH_HEAD);
  let at = BATCH_HEAD + 4;
  for (const path of update.dropped) {
    batch.writeUInt16LE(path.length, at);
    at += 2 + batch.write(path, at + 2, "latin1");
  }
  for (const patch of update.patches) at += patch.copy(batch, at);
  batch.writeUInt32LE(batch.length - BATCH_HEAD, 0);
  batch.writeBigUInt64LE(codecs.xxh64(batch.subarray(BATCH_HEAD)), 4);
  return batch;
}

function decodeBatch(payload: Buffer): IndexUpdate {
  const dropped: ByteString[] = [];
  const patches: Buffer[] = [];
  let at = 4;
  for (let i = payload.readUInt32LE(0); i > 0; i--) {
    const length = payload.readUInt16LE(at);
    dropped.push(payload.toString("latin1", at + 2, at + 2 + length) as ByteString);
    at += 2 + length;
  }
  while (at < payload.length) {
    const length = payload.readUInt32LE(at);
    patches.push(payload.subarray(at, at + length));
    at += length;
  }
  return { dropped, patches };
}
