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
import type { CheckpointError } from "../../shared/errors";
import type { Codecs } from "./codecs";
import { damaged } from "./damage";

const MAGIC = 0x184d2204;
const VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;
/** Of a block's size: it is stored as it is. */
export const RAW_BIT = 0x80000000;
export const CHECKSUM_BYTES = 4;
export const WORD = 4;

/** Block sizes by their code in the BD byte. We write codes 4 to 6: 4 MB blocks would only cost memory. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };
const LARGEST_WRITTEN_CODE = 6;

/** Of a frame with content size and no dictionary: magic, FLG, BD, content size, HC. */
export const FRAME_HEADER_BYTES = 15;
export const MIN_FRAME_BYTES = 7 + WORD;
/** The format's own limit for what one compressed byte can stand for. */
const MAX_EXPANSION = 255;

/** The largest block that we write; slices of this size pass through the encoder without a copy. */
export const MAX_BLOCK_BYTES = BLOCK_BYTES[LARGEST_WRITTEN_CODE]!;

/** Bytes of every block but the last, in the frames that we write. */
export const blockBytesFor = (contentBytes: number): number => BLOCK_BYTES[blockCodeFor(contentBytes)]!;

function blockCodeFor(contentBytes: number): number {
  let code = 4;
  while (code < LARGEST_WRITTEN_CODE && BLOCK_BYTES[code]! < contentBytes) code++;
  return code;
}

/** The header of our frames, at `offset` of `into` (FRAME_HEADER_BYTES long). */
export function writeFrameHeader(codecs: Codecs, contentBytes: number, into: Buffer, offset: number): void {
  into.writeUInt32LE(MAGIC, offset);
  into[offset + 4] = VERSION | FLAG_INDEPENDENT | FLAG_CONTENT_SIZE;
  into[offset + 5] = blockCodeFor(contentBytes) << 4;
  into.writeUInt32LE(contentBytes % 2 ** 32, offset + 6);
  into.writeUInt32LE(Math.floor(contentBytes / 2 ** 32), offset + 10);
  into[offset + 14] = headerChecksum(codecs, into.subarray(offset + 4, offset + 14));
}

const headerChecksum = (codecs: Codecs, descriptor: Uint8Array): number => (codecs.xxh32(descriptor) >>> 8) & 0xff;

/** Where a frame is read from, in pieces. */
export interface FrameSource {
  /** Bytes of the whole frame. */
  readonly length: number;
  /** `length` bytes at `offset`, both inside the frame. May be a view that the next call overwrites. */
  read(offset: number, length: number): Uint8Array;
}

export interface FrameHeader {
  readonly length: number;
  readonly blockBytes: number;
  /** Undefined: not stated. */
  readonly contentBytes: number | undefined;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
}

/** Reads and checks a frame's header. Throws "damaged". */
export function readFrameHeader(codecs: Codecs, source: FrameSource): FrameHeader {
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

export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export const badFrame = (fault: string, cause?: unknown): CheckpointError =>
  damaged("A compressed frame", fault, cause === undefined ? {} : { cause });
