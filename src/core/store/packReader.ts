/**
 * Reads one pack, whole or split. *Absent* and *corrupt* are different answers: an entry that the pack does not have is
 * undefined, one that cannot be given back exactly as it was stored is a "damaged" error that names pack and hash. No
 * content leaves this file without its hash having been checked (`readTo`, which streams, says so at the end).
 */
import { CheckpointError } from "../../shared/errors";
import type { FileSystem } from "../fs/fileSystem";
import { readWholeFile } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { damaged, faultOf, isUnreadable } from "./damage";
import { canonicalText, type Hash, hashFromBytes } from "./hash";
import type { FrameSource } from "./lz4Frame";
import { decodeFrame, decodeFrameTo } from "./lz4FrameDecoder";
import { isMissingPack, PackData } from "./packData";
import { indexName, manifestName, type PackId } from "./packFiles";
import { ENTRY_HEADER_BYTES, frameBytesIn, PACK_HEADER_BYTES, packHeaderFault } from "./packHeaders";
import { type PackEntry, PackIndex } from "./packIndex";
import { salvageIndex } from "./packSalvage";
import { walkPack } from "./packWalk";
import { READ_BUFFER_BYTES, ReadBuffer } from "./readBuffer";

export interface PackReaderOptions {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly folder: string;
  readonly id: PackId;
  /** Shared with other packs that are not read while a block or piece of this one is in use. Absent: one of its own. */
  readonly buffer?: ReadBuffer;
  /** Hears of each entry that turns out to be damaged. */
  readonly onDamage?: (id: PackId, hash: Hash) => void;
}

/** One thing wrong with a pack: with an entry of it, or (without a hash) with the pack as a whole. */
export interface PackProblem {
  readonly hash?: Hash;
  /** The file that is wrong, where it is not the `.dat`. */
  readonly part?: string;
  readonly message: string;
}

/** Hands a frame's bytes out, in order. */
export type FramePieces = (onPiece: (piece: Uint8Array) => void) => void;

/** Frames up to this size are read whole before they are decoded or copied. Not above READ_BUFFER_BYTES. */
const COPY_BYTES = 1 << 20;

/** Opens a pack by its `.idx`. Throws "damaged" for a missing pack and for an index that is missing or invalid. */
export function openPack(options: PackReaderOptions): PackReader {
  const data = PackData.find(options.fs, options.folder, options.id);
  const name = indexName(options.id);
  const bytes = readWholeFile(options.fs, `${options.folder}/${name}`);
  if (bytes === undefined) throw damaged(`The index ${name}`, "it is missing", { details: { pack: options.id } });
  return new PackReader(options, data, PackIndex.decode(bytes, data.bytes, `The index ${name}`));
}

/** Opens a pack without its `.idx`, by walking its entries. Throws "damaged" when the chain of entries is broken. */
export function openPackByWalking(options: PackReaderOptions): PackReader {
  const data = PackData.find(options.fs, options.folder, options.id);
  try {
    return new PackReader(options, data, walkPack(data));
  } catch (error) {
    data.close();
    throw error;
  }
}

/**
 * Opens what is left of a pack of which neither index nor entries add up. Undefined: there is nothing. What it does not
 * have may be in the pack all the same.
 */
export function openRemains(options: PackReaderOptions): PackReader | undefined {
  const { fs, folder, id } = options;
  const data = PackData.remains(fs, folder, id);
  if (data === undefined) return undefined;
  try {
    return new PackReader(options, data, salvageIndex(data, readWholeFile(fs, `${folder}/${indexName(id)}`)));
  } finally {
    data.close();
  }
}

export class PackReader {
  readonly id: PackId;
  private readonly codecs: Codecs;
  private readonly buffer: ReadBuffer;

  constructor(
    private readonly options: PackReaderOptions,
    private readonly data: PackData,
    readonly index: PackIndex,
  ) {
    this.id = options.id;
    this.codecs = options.codecs;
    this.buffer = options.buffer ?? new ReadBuffer();
  }

  get entryCount(): number {
    return this.index.count;
  }

  /** Size of the `.dat`, all parts together. */
  get bytes(): number {
    return this.data.bytes;
  }

  has(hash: Hash): boolean {
    return this.index.has(hash);
  }

  /** Where the entry is and how long its frame; undefined when absent. */
  locate(hash: Hash): PackEntry | undefined {
    return this.index.locate(hash);
  }

  /** The content, owned by the caller; undefined when absent. Throws "damaged". */
  read(hash: Hash): Buffer | undefined {
    const entry = this.locate(hash);
    return entry === undefined ? undefined : this.readEntry(entry);
  }

  /** As `read`, for an entry whose place is known already. */
  readEntry(entry: PackEntry): Buffer {
    return this.naming(entry.hash, () => {
      const content = decodeFrame(this.codecs, this.frameOf(entry));
      if (this.codecs.hash(content) !== entry.hash)
        throw this.corrupt(entry.hash, "its content does not match its hash");
      return content;
    });
  }

  /**
   * Hands the content out block by block (at most 4 MB each, valid during the call only) and verifies it at the end:
   * until this returns, the blocks are not to be trusted. False when absent. Throws "damaged".
   */
  readTo(hash: Hash, onBlock: (block: Uint8Array) => void): boolean {
    const entry = this.locate(hash);
    if (entry === undefined) return false;
    this.readEntryTo(entry, onBlock);
    return true;
  }

  /** As `readTo`, for an entry whose place is known already. */
  readEntryTo(entry: PackEntry, onBlock: (block: Uint8Array) => void): void {
    const { hash } = entry;
    const hasher = this.codecs.createHasher();
    let fromCaller: { readonly error: unknown } | undefined;
    this.naming(
      hash,
      () => {
        // One read instead of five for a small file.
        const source = entry.length <= COPY_BYTES ? inMemory(this.frameOf(entry)) : this.piecewise(entry);
        decodeFrameTo(this.codecs, source, (block) => {
          hasher.update(block);
          try {
            onBlock(block);
          } catch (error) {
            fromCaller = { error };
            throw error;
          }
        });
        if (hasher.digest() !== hash) throw this.corrupt(hash, "its content does not match its hash");
      },
      () => fromCaller !== undefined,
    );
  }

  /**
   * Hands the stored frame to `take`, for another pack: its length and a function that gives its bytes out piece by
   * piece (at most 1 MB each, valid during the call only). By then the frame has been decoded once, so it is known to
   * hold what `hash` names; nothing is ever in memory whole. False when absent. Throws "damaged" before `take` is
   * called, and from `pieces` when the pack can no longer be read.
   */
  copyFrame(hash: Hash, take: (length: number, pieces: FramePieces) => void): boolean {
    const entry = this.locate(hash);
    if (entry === undefined) return false;
    if (entry.length <= COPY_BYTES) {
      const frame = this.naming(hash, () => this.frameOf(entry));
      this.naming(hash, () => this.checkContent(hash, inMemory(frame)));
      take(frame.length, (onPiece) => onPiece(frame));
      return true;
    }
    this.readEntryTo(entry, () => {});
    const start = entry.offset + ENTRY_HEADER_BYTES;
    take(entry.length, (onPiece) => {
      for (let at = 0; at < entry.length; at += COPY_BYTES) {
        const length = Math.min(COPY_BYTES, entry.length - at);
        onPiece(this.data.read(start + at, length, this.buffer.room(length)));
      }
    });
    return true;
  }

  /** All entries, in hash order. */
  entries(): IterableIterator<PackEntry> {
    return this.index.entries();
  }

  /**
   * Checks everything: the header, the pack's own hash, and the content of every entry. Returns what is wrong, nothing
   * when all is well. `onEntry` is called after each entry and may throw to stop.
   */
  verify(onEntry?: (entry: PackEntry) => void): PackProblem[] {
    const problems: PackProblem[] = [];
    const collect = (hash: Hash | undefined, action: () => void): void => {
      try {
        action();
      } catch (error) {
        if (!CheckpointError.is(error) && !isUnreadable(error)) throw error;
        const { message } = CheckpointError.from(error);
        if (hash !== undefined) this.options.onDamage?.(this.id, hash);
        problems.push(hash === undefined ? { message } : { hash, message });
      }
    };
    collect(undefined, () => {
      const fault = packHeaderFault(this.data.read(0, PACK_HEADER_BYTES), this.entryCount);
      if (fault !== undefined) throw this.corrupt(undefined, fault);
      const ownHash = this.data.ownHash(this.codecs);
      if (!ownHash.startsWith(this.id)) throw this.corrupt(undefined, "its bytes do not match its name");
      const manifestFault = this.data.manifestFault(ownHash);
      if (manifestFault !== undefined)
        problems.push({
          part: manifestName(this.id),
          message: damaged(`The parts manifest ${manifestName(this.id)}`, manifestFault).message,
        });
    });
    // The bytes are what the pack's name promises: what does not fit then is the index.
    const isIntact = problems.every(({ part }) => part !== undefined);
    for (const entry of this.index.entriesByOffset()) {
      collect(entry.hash, () =>
        entry.length <= READ_BUFFER_BYTES ? void this.readEntry(entry) : this.readEntryTo(entry, () => {}),
      );
      onEntry?.(entry);
    }
    if (!isIntact) return problems;
    return problems.map((each) => (each.part === undefined ? { ...each, part: indexName(this.id) } : each));
  }

  /**
   * Whether the index names exactly what the headers of the entries do. Reads most of a pack of small files. An index that
   * does not may call content garbage that is not.
   */
  hasTrueIndex(): boolean {
    try {
      return walkPack(this.data).bytes.equals(this.index.bytes);
    } catch (error) {
      if (!CheckpointError.is(error, "damaged")) throw error;
      return false;
    }
  }

  /** The reader may be used again afterwards: it opens its files when it needs them. */
  close(): void {
    this.data.close();
  }

  /** The frame of an entry whose header is as it should be; lies in the buffer if it is not too large. */
  private frameOf(entry: PackEntry): Buffer {
    const length = ENTRY_HEADER_BYTES + entry.length;
    const bytes = this.data.read(entry.offset, length, this.buffer.room(length));
    this.checkHeader(bytes, entry);
    return bytes.subarray(ENTRY_HEADER_BYTES);
  }

  /** The frame of an entry whose header is as it should be, to be read in pieces. */
  private piecewise(entry: PackEntry): FrameSource {
    const { offset, length } = entry;
    this.checkHeader(this.data.read(offset, ENTRY_HEADER_BYTES), entry);
    const start = offset + ENTRY_HEADER_BYTES;
    return { length, read: (at, count) => this.data.read(start + at, count, this.buffer.room(count)) };
  }

  private checkContent(hash: Hash, frame: FrameSource): void {
    const hasher = this.codecs.createHasher();
    decodeFrameTo(this.codecs, frame, (block) => hasher.update(block));
    if (hasher.digest() !== hash) throw this.corrupt(hash, "its content does not match its hash");
  }

  private checkHeader(header: Buffer, entry: PackEntry): void {
    const matches = hashFromBytes(header, 0) === entry.hash && frameBytesIn(header) === entry.length;
    if (!matches) throw this.corrupt(entry.hash, "its entry is not what the index says");
  }

  /** Runs a read; a fault found below (in frame or file) is reported with the pack and the hash concerned. */
  private naming<T>(hash: Hash, action: () => T, isForeign: () => boolean = () => false): T {
    try {
      return action();
    } catch (error) {
      if (isForeign() || isMissingPack(error) || !CheckpointError.is(error, "damaged")) throw error;
      this.options.onDamage?.(this.id, hash);
      if (error.details.hash === hash) throw error;
      throw this.corrupt(hash, faultOf(error), error);
    }
  }

  private corrupt(hash: Hash | undefined, fault: string, cause?: unknown): CheckpointError {
    return hash === undefined
      ? damaged(`Pack ${this.id}`, fault, { details: { pack: this.id }, cause })
      : damaged(`Object ${canonicalText(hash)} in pack ${this.id}`, fault, { details: { pack: this.id, hash }, cause });
  }
}

const inMemory = (frame: Buffer): FrameSource => ({
  length: frame.length,
  read: (at, count) => frame.subarray(at, at + count),
});
