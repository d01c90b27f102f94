/** Writing LZ4 frames (see lz4Frame): from memory, from slices, and the short way for content of one block. */
import { CheckpointError } from "../../shared/errors";
import type { Codecs } from "./codecs";
import { blockBytesFor, FRAME_HEADER_BYTES, RAW_BIT, WORD, writeFrameHeader } from "./lz4Frame";

export interface EncodeOptions {
  /** Store all blocks as they are, without trying to compress. */
  readonly raw?: boolean;
}

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
    this.blockBytes = blockBytesFor(contentBytes);
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
