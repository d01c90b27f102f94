/**
 * Writes one pack.
 *
 *   .dat   "CHKL" | u32 LE entry count || per entry: hash 16 | u64 LE frame length | LZ4 frame
 *   name   XXH3-128 over all entries in order, then the 8-byte header, as 32 hex digits; the first 16 name the files
 *
 * Everything goes into one temp file, buffered; `finish` gives it its name. Order of publishing: `.idx` first, then the
 * `.dat` (or its parts, then their manifest), because a pack exists once its `.dat` or manifest does: whoever sees a
 * pack sees its index. The name depends on the content alone, so an equal pack that exists already is success.
 *
 * The hash is taken as entries pass by. A streamed entry's length, known at its end, comes before its frame, so such an
 * entry is read back from the temp file (from the page cache, 5 GB/s and more) once it is complete.
 */
import { constants } from "node:fs";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import type { FileSystem } from "../fs/fileSystem";
import { FILE_MODE, readFully, writeFully } from "../fs/publishFile";
import type { Codecs, StreamHasher } from "./codecs";
import { damaged } from "./damage";
import { canonicalText, type Hash } from "./hash";
import { MAX_BLOCK_BYTES } from "./lz4Frame";
import { type EncodeOptions, FrameEncoder, singleBlockFrameBytes, writeSingleBlockFrame } from "./lz4FrameEncoder";
import { ENTRY_HEADER_BYTES, entryHeader, PACK_HEADER_BYTES, packHeader, writeEntryHeader } from "./packHeaders";
import { encodePackIndex } from "./packIndex";
import { type PublishedPack, publishPack } from "./packPublication";
import { PackRecords } from "./packRecords";

export interface StoredEntry {
  /** What the entry takes in the pack: header and frame. */
  readonly storedBytes: number;
  /** True when no block of it is compressed. */
  readonly raw: boolean;
}

export interface PackWriterOptions {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly folder: string;
  /** Unique among everything that writes into the folder at the same time. */
  readonly nonce: string;
}

/** Room for the largest single-block entry, so that an entry is always built in place. */
const BUFFER_BYTES = MAX_BLOCK_BYTES + (64 << 10);

/** Written out once so much is there: pages of the buffer that only large entries reach cost no memory until then. */
const FLUSH_BYTES = 1 << 20;

interface OpenStream {
  readonly encoder: FrameEncoder;
  /** Offset of its entry in the file. */
  readonly start: number;
}

export class PackWriter {
  private readonly fs: FileSystem;
  private readonly codecs: Codecs;
  private readonly temp: string;
  private fd: number | undefined;
  private readonly hasher: StreamHasher;
  private readonly records = new PackRecords();
  /** What is not in the file yet; it follows the `written` bytes that are. */
  private readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private filled = 0;
  private written = PACK_HEADER_BYTES;
  private stream: OpenStream | undefined;
  private failure: unknown;
  private closed = false;

  constructor(private readonly options: PackWriterOptions) {
    this.fs = options.fs;
    this.codecs = options.codecs;
    this.temp = `${options.folder}/${TEMP_PREFIX}${options.nonce}`;
    this.hasher = options.codecs.createHasher();
  }

  get entryCount(): number {
    return this.records.count;
  }

  /** Size of the `.dat` so far. */
  get bytes(): number {
    return this.written + this.filled;
  }

  has(hash: Hash): boolean {
    return this.records.has(hash);
  }

  /** Appends content that is in memory; `hash` is its hash, which is trusted. After any error only `abort` is left. */
  add(hash: Hash, content: Uint8Array, options: EncodeOptions = {}): StoredEntry {
    return this.guarded(() => {
      if (this.stream !== undefined) throw misuse("an entry was added while another one is being streamed");
      this.expectNew(hash);
      return content.length <= MAX_BLOCK_BYTES
        ? this.addSingleBlock(hash, content, options)
        : this.addBlocks(hash, content, options);
    });
  }

  /**
   * Appends an entry as another pack stores it (see `PackReader.copyFrame`), without decoding it; the frame of `length`
   * bytes is trusted to hold what `hash` names.
   */
  addFrame(hash: Hash, length: number, pieces: (onPiece: (piece: Uint8Array) => void) => void): void {
    this.guarded(() => {
      if (this.stream !== undefined) throw misuse("an entry was added while another one is being streamed");
      this.expectNew(hash);
      const start = this.bytes;
      this.append(entryHeader(hash, length));
      pieces((piece) => this.append(piece));
      if (this.bytes !== start + ENTRY_HEADER_BYTES + length)
        throw misuse("a frame is not as long as it was said to be");
      this.record(hash, start, length);
    });
  }

  /** Begins an entry of `contentBytes` bytes whose content comes in slices. */
  beginStream(contentBytes: number, options: EncodeOptions = {}): void {
    this.guarded(() => {
      if (this.stream !== undefined) throw misuse("a second stream was begun");
      this.flush();
      const start = this.written;
      this.buffer.fill(0, 0, ENTRY_HEADER_BYTES);
      this.filled = ENTRY_HEADER_BYTES;
      // From here on nothing is hashed until the entry is complete: see flush().
      const encoder = new FrameEncoder(this.codecs, contentBytes, (piece) => this.append(piece), options);
      this.stream = { encoder, start };
    });
  }

  /** Takes the next slice, of any size; it may be reused afterwards. */
  writeStream(slice: Uint8Array): void {
    this.guarded(() => this.openStream().encoder.write(slice));
  }

  /** Completes the entry under the hash of its content, which is trusted. Fails when content is missing. */
  endStream(hash: Hash): StoredEntry {
    return this.guarded(() => {
      const { encoder, start } = this.openStream();
      this.expectNew(hash);
      encoder.end();
      this.flush();
      const length = this.written - start - ENTRY_HEADER_BYTES;
      writeFully(this.fs, this.openFile(), entryHeader(hash, length), start);
      this.hashBack(start);
      this.stream = undefined;
      this.record(hash, start, length);
      return { storedBytes: ENTRY_HEADER_BYTES + length, raw: encoder.raw };
    });
  }

  /** Drops the entry being streamed (its file changed while it was read): the pack is as before `beginStream`. */
  abandonStream(): void {
    this.guarded(() => {
      const { start } = this.openStream();
      if (this.fd !== undefined && this.written > start) this.fs.ftruncate(this.fd, start);
      this.written = start;
      this.filled = 0;
      this.stream = undefined;
    });
  }

  /**
   * Completes and publishes the pack; `chunkBytes` > 0 cuts a larger one into parts. Undefined when it is empty. The writer
   * is used up. On error the pack does not exist and the caller calls `abort`.
   */
  finish(options: { readonly chunkBytes?: number } = {}): PublishedPack | undefined {
    return this.guarded(() => {
      if (this.stream !== undefined) throw misuse("the pack was finished while an entry is being streamed");
      if (this.entryCount === 0) {
        this.abort();
        return undefined;
      }
      this.flush();
      const header = packHeader(this.entryCount);
      writeFully(this.fs, this.openFile(), header, 0);
      this.hasher.update(header);
      const hash = canonicalText(this.hasher.digest());
      const pack = {
        id: hash.slice(0, 16),
        hash,
        entries: this.entryCount,
        bytes: this.written,
        index: encodePackIndex(this.records.bytes, this.written),
      };
      const created = this.publish(pack, options.chunkBytes ?? 0);
      this.closed = true;
      return { ...pack, created };
    });
  }

  /** Removes the temp file. May be called at any time, also after an error and after `finish`. */
  abort(): void {
    this.closed = true;
    if (this.fd === undefined) return;
    const fd = this.fd;
    this.fd = undefined;
    ignoreFailure(() => this.fs.close(fd), "nothing in this file is needed any more");
    ignoreFailure(() => this.fs.unlink(this.temp), "a temp file that stays is swept under the next lock");
  }

  private addSingleBlock(hash: Hash, content: Uint8Array, options: EncodeOptions): StoredEntry {
    const tried = options.raw === true || content.length === 0 ? undefined : this.codecs.compressBlock(content);
    const packed = tried !== undefined && tried.length < content.length ? tried : undefined;
    const length = singleBlockFrameBytes((packed ?? content).length);
    if (this.filled + ENTRY_HEADER_BYTES + length > this.buffer.length) this.flush();
    const start = this.bytes;
    writeEntryHeader(this.buffer, this.filled, hash, length);
    this.filled = writeSingleBlockFrame(this.codecs, content, packed, this.buffer, this.filled + ENTRY_HEADER_BYTES);
    this.record(hash, start, length);
    if (this.filled >= FLUSH_BYTES) this.flush();
    return { storedBytes: ENTRY_HEADER_BYTES + length, raw: packed === undefined };
  }

  /** The frame's length comes before it, so it is complete in memory (like its content) before it is appended. */
  private addBlocks(hash: Hash, content: Uint8Array, options: EncodeOptions): StoredEntry {
    const pieces: Buffer[] = [];
    const keep = (piece: Uint8Array) => pieces.push(Buffer.from(piece));
    const encoder = new FrameEncoder(this.codecs, content.length, keep, options);
    encoder.write(content);
    encoder.end();
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const start = this.bytes;
    this.append(entryHeader(hash, length));
    for (const piece of pieces) this.append(piece);
    this.record(hash, start, length);
    return { storedBytes: ENTRY_HEADER_BYTES + length, raw: encoder.raw };
  }

  /** Buffers at most MAX_BLOCK_BYTES bytes. */
  private append(piece: Uint8Array): void {
    if (this.filled + piece.length > this.buffer.length) this.flush();
    this.buffer.set(piece, this.filled);
    this.filled += piece.length;
  }

  private flush(): void {
    if (this.filled === 0) return;
    const bytes = this.buffer.subarray(0, this.filled);
    writeFully(this.fs, this.openFile(), bytes, this.written);
    if (this.stream === undefined) this.hasher.update(bytes);
    this.written += this.filled;
    this.filled = 0;
  }

  /** Hashes the file from `start` to its end. The buffer is empty and serves for reading. */
  private hashBack(start: number): void {
    for (let offset = start; offset < this.written; offset += this.buffer.length) {
      const wanted = Math.min(this.buffer.length, this.written - offset);
      const bytes = readFully(this.fs, this.openFile(), wanted, offset, this.buffer);
      if (bytes === undefined) throw damaged("A pack being written", "its temporary file became shorter");
      this.hasher.update(bytes);
    }
  }

  private record(hash: Hash, offset: number, length: number): void {
    this.records.add({ hash, offset, length });
  }

  private publish(pack: Omit<PublishedPack, "created">, chunkBytes: number): boolean {
    const fd = this.openFile();
    // From here on the file is publishPack's: it closes it and, on error, removes it.
    this.fd = undefined;
    return publishPack({ ...this.options, pack, chunkBytes, fd, temp: this.temp });
  }

  private openFile(): number {
    this.fd ??= this.fs.open(this.temp, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
    return this.fd;
  }

  private openStream(): OpenStream {
    if (this.stream === undefined) throw misuse("no entry is being streamed");
    return this.stream;
  }

  private expectNew(hash: Hash): void {
    if (this.records.has(hash)) throw misuse(`${hash} was added twice`);
  }

  /** The first failure is the last action: what is in the file after it is unknown. */
  private guarded<T>(action: () => T): T {
    if (this.failure !== undefined) throw this.failure;
    if (this.closed) throw misuse("it was used after its end");
    try {
      return action();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

const misuse = (what: string): CheckpointError =>
  new CheckpointError("internal", `A pack was written wrongly: ${what}. Nothing was saved; please report it.`);
