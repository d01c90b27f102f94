/**
 * LZ4 frames, as the format's specification has them (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md).
 *
 *   magic u32 | FLG | BD | content size u64? | HC || (block size u32, block)* || end mark 0 u32 | content checksum u32?
 *
 * What we write: version 01, independent blocks, content size present, no checksum but the header's. The block size is the
 * smallest of 64 KB, 256 KB and 1 MB that holds the content, 1 MB for larger content; every block but the last is full. A
 * block that does not shrink is stored raw (the high bit of its size). Empty content is a frame without blocks. The size
 * of a frame is thus at most content + 19 + 4 bytes for each MB begun.
 *
 * What we read: that, and frames without a content size, with blocks of up to 4 MB and with checksums (skipped: content is
 * verified by its hash). No number in a frame is believed before it is plausible: LZ4 expands at most 255-fold.
 */
import { constants } from "node:buffer";
import { CheckpointError } from "../../shared/errors";
import type { Codecs } from "./codecs";
import { damaged } from "./damage";

export interface EncodeOptions {
  /** Store all blocks as they are, without trying to compress. */
  readonly raw?: boolean;
}

/** Where a frame is read from, in pieces. */
export interface FrameSource {
  /** Bytes of the whole frame. */
  readonly length: number;
  /** `length` bytes at `offset`, both inside the frame. May be a view that the next call overwrites. */
  read(offset: number, length: number): Uint8Array;
}

const MAGIC = 0x184d2204;
const VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;
const RAW_BIT = 0x80000000;
const CHECKSUM_BYTES = 4;
const WORD = 4;

/** Block sizes by their code in the BD byte. We write codes 4 to 6: 4 MB blocks would only cost memory. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };
const LARGEST_WRITTEN_CODE = 6;

/** Of a frame with content size and no dictionary: magic, FLG, BD, content size, HC. */
const FRAME_HEADER_BYTES = 15;
const MIN_FRAME_BYTES = 7 + WORD;
/** The format's own limit for what one compressed byte can stand for. */
const MAX_EXPANSION = 255;

/** The largest block that we write; slices of this size pass through the encoder without a copy. */
export const MAX_BLOCK_BYTES = BLOCK_BYTES[LARGEST_WRITTEN_CODE]!;

function blockCodeFor(contentBytes: number): number {
  let code = 4;
  while (code < LARGEST_WRITTEN_CODE && BLOCK_BYTES[code]! < contentBytes) code++;
  return code;
}

/** The header of our frames, at `offset` of `into` (FRAME_HEADER_BYTES long). */
function writeFrameHeader(codecs: Codecs, contentBytes: number, into: Buffer, offset: number): void {
  into.writeUInt32LE(MAGIC, offset);
  into[offset + 4] = VERSION | FLAG_INDEPENDENT | FLAG_CONTENT_SIZE;
  into[offset + 5] = blockCodeFor(contentBytes) << 4;
  into.writeUInt32LE(contentBytes % 2 ** 32, offset + 6);
  into.writeUInt32LE(Math.floor(contentBytes / 2 ** 32), offset + 10);
  into[offset + 14] = headerChecksum(codecs, into.subarray(offset + 4, offset + 14));
}

const headerChecksum = (codecs: Codecs, descriptor: Uint8Array): number => (codecs.xxh32(descriptor) >>> 8) & 0xff;

/** The frame of content that is in memory. */
export function encodeFrame(codecs: Codecs, content: Uint8Array, options: EncodeOptions = {}): Buffer {
  const pieces: Buffer[] = [];
  // Copies: blocks lie in memory that the next one overwrites.
  const encoder = new FrameEncoder(codecs, content.length, (piece) => pieces.push(Buffer.from(piece)), options);
  encoder.write(content);
  encoder.end();
  return Buffer.concat(pieces);
}

/**
 * Encodes content of known size that arrives in slices of any size. `emit` gets the frame in pieces, each valid only
 * during the call. An exception from `emit` leaves the encoder unusable.
 */
export class FrameEncoder {
  /** True as long as no block was compressed; final after `end`. */
  raw = true;
  private readonly blockBytes: number;
  private readonly tryToCompress: boolean;
  private readonly word = Buffer.alloc(WORD);
  /** Collects a block out of slices that do not align with blocks. */
  private pending: Buffer | undefined;
  private pendingBytes = 0;
  private taken = 0;

  constructor(
    private readonly codecs: Codecs,
    private readonly contentBytes: number,
    private readonly emit: (piece: Uint8Array) => void,
    options: EncodeOptions = {},
  ) {
    this.tryToCompress = options.raw !== true;
    this.blockBytes = BLOCK_BYTES[blockCodeFor(contentBytes)]!;
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    writeFrameHeader(codecs, contentBytes, header, 0);
    emit(header);
  }

  /** Takes the next slice of the content; it may be reused afterwards. Throws when it exceeds the announced size. */
  write(slice: Uint8Array): void {
    this.taken += slice.length;
    if (this.taken > this.contentBytes) throw wrongSize(this.contentBytes, this.taken);
    let offset = 0;
    while (offset < slice.length) {
      const wanted = this.blockBytes - this.pendingBytes;
      const piece = slice.subarray(offset, offset + wanted);
      offset += piece.length;
      if (this.pendingBytes === 0 && (piece.length === wanted || this.taken === this.contentBytes)) this.block(piece);
      else this.collect(piece);
    }
  }

  /** Ends the frame. Throws when less than the announced size arrived. */
  end(): void {
    if (this.taken !== this.contentBytes) throw wrongSize(this.contentBytes, this.taken);
    if (this.pendingBytes > 0) this.flushPending();
    this.emitWord(0);
  }

  private collect(piece: Uint8Array): void {
    this.pending ??= Buffer.allocUnsafeSlow(this.blockBytes);
    this.pending.set(piece, this.pendingBytes);
    this.pendingBytes += piece.length;
    if (this.pendingBytes === this.blockBytes) this.flushPending();
  }

  private flushPending(): void {
    const block = this.pending!.subarray(0, this.pendingBytes);
    this.pendingBytes = 0;
    this.block(block);
  }

  private block(content: Uint8Array): void {
    const packed = this.tryToCompress ? this.codecs.compressBlock(content) : content;
    if (packed.length < content.length) {
      this.raw = false;
      this.emitWord(packed.length);
      this.emit(packed);
    } else {
      this.emitWord((content.length | RAW_BIT) >>> 0);
      this.emit(content);
    }
  }

  private emitWord(value: number): void {
    this.word.writeUInt32LE(value, 0);
    this.emit(this.word);
  }
}

function wrongSize(expected: number, actual: number): CheckpointError {
  return new CheckpointError(
    "internal",
    `Content of ${expected} bytes was announced, but ${actual} arrived. Nothing was saved; try again, and report it if it stays.`,
  );
}

/**
 * Writes the frame of content that fits into one block at `offset` of `into`, without the copies of the general way, and returns where
 * it ends. `packed`: the compressed block, or undefined for a raw one. `into` has room for `singleBlockFrameBytes`.
 */
export function writeSingleBlockFrame(
  codecs: Codecs,
  content: Uint8Array,
  packed: Uint8Array | undefined,
  into: Buffer,
  offset: number,
): number {
  writeFrameHeader(codecs, content.length, into, offset);
  let end = offset + FRAME_HEADER_BYTES;
  if (content.length > 0) {
    const body = packed ?? content;
    into.writeUInt32LE(packed === undefined ? (body.length | RAW_BIT) >>> 0 : body.length, end);
    into.set(body, end + WORD);
    end += WORD + body.length;
  }
  into.writeUInt32LE(0, end);
  return end + WORD;
}

/** Bytes of a frame whose only block has `bodyBytes` bytes (0: no block). */
export const singleBlockFrameBytes = (bodyBytes: number): number =>
  FRAME_HEADER_BYTES + (bodyBytes > 0 ? WORD + bodyBytes : 0) + WORD;

/**
 * The content of a frame in memory, owned by the caller. Throws "damaged" when it is not exactly one valid frame or
 * holds more than `maxContentBytes`.
 */
export function decodeFrame(codecs: Codecs, frame: Uint8Array, maxContentBytes = constants.MAX_LENGTH): Buffer {
  const source: FrameSource = {
    length: frame.length,
    read: (offset, length) => frame.subarray(offset, offset + length),
  };
  const header = readHeader(codecs, source);
  const limit = Math.min(maxContentBytes, header.contentBytes ?? Number.MAX_SAFE_INTEGER);
  if (header.contentBytes !== undefined) {
    if (header.contentBytes > maxContentBytes) throw tooLarge(maxContentBytes);
    const content = Buffer.allocUnsafe(header.contentBytes);
    let done = 0;
    decodeBlocks(codecs, source, header, limit, (block) => {
      content.set(block, done);
      done += block.length;
    });
    return content;
  }
  const blocks: Buffer[] = [];
  decodeBlocks(codecs, source, header, limit, (block) => blocks.push(Buffer.from(block)));
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
}

/**
 * Decodes a frame block by block; `onBlock` gets views that are valid during the call only. Returns the content's length.
 * Throws "damaged", possibly after some blocks have been handed out.
 */
export function decodeFrameTo(codecs: Codecs, source: FrameSource, onBlock: (block: Uint8Array) => void): number {
  const header = readHeader(codecs, source);
  return decodeBlocks(codecs, source, header, header.contentBytes ?? Number.MAX_SAFE_INTEGER, onBlock);
}

interface FrameHeader {
  readonly length: number;
  readonly blockBytes: number;
  /** Undefined: not stated. */
  readonly contentBytes: number | undefined;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
}

function readHeader(codecs: Codecs, source: FrameSource): FrameHeader {
  if (source.length < MIN_FRAME_BYTES) throw badFrame("it is too short");
  const bytes = asBuffer(source.read(0, Math.min(FRAME_HEADER_BYTES, source.length)));
  if (bytes.readUInt32LE(0) !== MAGIC) throw badFrame("it does not begin like one");
  const flags = bytes[4]!;
  const descriptor = bytes[5]!;
  const blockBytes = BLOCK_BYTES[descriptor >> 4];
  if ((flags & 0xc0) !== VERSION) throw badFrame("its version is unknown");
  if ((flags & (FLAG_RESERVED | FLAG_DICTIONARY)) !== 0 || (descriptor & 0x8f) !== 0 || blockBytes === undefined)
    throw badFrame("its header is invalid");
  if ((flags & FLAG_INDEPENDENT) === 0) throw badFrame("its blocks depend on each other");
  const hasSize = (flags & FLAG_CONTENT_SIZE) !== 0;
  const length = hasSize ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES - 8;
  if (bytes.length < length) throw badFrame("it is too short");
  if (headerChecksum(codecs, bytes.subarray(4, length - 1)) !== bytes[length - 1])
    throw badFrame("its header does not match its checksum");
  const contentBytes = hasSize ? bytes.readUInt32LE(6) + bytes.readUInt32LE(10) * 2 ** 32 : undefined;
  if (contentBytes !== undefined && contentBytes > MAX_EXPANSION * source.length)
    throw badFrame("it claims more content than it can hold");
  return {
    length,
    blockBytes,
    contentBytes,
    blockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
  };
}

function decodeBlocks(
  codecs: Codecs,
  source: FrameSource,
  header: FrameHeader,
  maxContentBytes: number,
  onBlock: (block: Uint8Array) => void,
): number {
  let offset = header.length;
  let done = 0;
  for (;;) {
    if (offset + WORD > source.length) throw badFrame("it ends early");
    const word = asBuffer(source.read(offset, WORD)).readUInt32LE(0);
    offset += WORD;
    if (word === 0) break;
    const raw = word >= RAW_BIT;
    const stored = raw ? word - RAW_BIT : word;
    // A block is stored raw where compressing does not shrink it, so none is longer than its content may be.
    if (stored === 0 || stored > header.blockBytes) throw badFrame("a block has an impossible size");
    if (offset + stored > source.length) throw badFrame("it ends early");
    const body = source.read(offset, stored);
    offset += stored + (header.blockChecksums ? CHECKSUM_BYTES : 0);
    const block = raw ? body : decodeBlock(codecs, header, body, done);
    done += block.length;
    if (done > maxContentBytes) throw tooLarge(maxContentBytes);
    onBlock(block);
  }
  if (offset + (header.contentChecksum ? CHECKSUM_BYTES : 0) !== source.length) throw badFrame("bytes follow its end");
  if (header.contentBytes !== undefined && done !== header.contentBytes)
    throw badFrame("its content has not the size that its header states");
  return done;
}

/** With a content size, every block but the last is full; otherwise the block itself has to tell. */
function decodeBlock(codecs: Codecs, header: FrameHeader, body: Uint8Array, done: number): Uint8Array {
  const length =
    header.contentBytes === undefined
      ? blockContentLength(body, header.blockBytes)
      : Math.min(header.blockBytes, header.contentBytes - done);
  if (length <= 0) throw badFrame("its content has not the size that its header states");
  try {
    return codecs.decompressBlock(body, length);
  } catch (error) {
    if (CheckpointError.is(error, "damaged")) throw badFrame("a block cannot be decoded", error);
    throw error;
  }
}

/**
 * How many bytes an LZ4 block expands to, found by walking its sequences: token, literals, match. Throws "damaged" when the block is
 * malformed or expands beyond `limit`.
 */
function blockContentLength(block: Uint8Array, limit: number): number {
  let position = 0;
  let total = 0;
  const more = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let length = nibble;
    for (;;) {
      const byte = block[position++];
      if (byte === undefined) throw badFrame("a block ends early");
      length += byte;
      if (byte !== 255) return length;
    }
  };
  for (;;) {
    const token = block[position++];
    if (token === undefined) throw badFrame("a block ends early");
    const literals = more(token >> 4);
    position += literals;
    total += literals;
    if (position > block.length) throw badFrame("a block ends early");
    if (total > limit) throw badFrame("a block holds more than its frame allows");
    // The last sequence ends after its literals.
    if (position === block.length) return total;
    position += 2;
    total += more(token & 15) + 4;
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const badFrame = (fault: string, cause?: unknown): CheckpointError =>
  damaged("A compressed frame", fault, cause === undefined ? {} : { cause });

const tooLarge = (limit: number): CheckpointError => badFrame(`it holds more than ${limit} bytes`);
