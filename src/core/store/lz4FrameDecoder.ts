/** Reading LZ4 frames (see lz4Frame): whole into memory, or block by block. */
import { constants } from "node:buffer";
import { CheckpointError } from "../../shared/errors";
import type { Codecs } from "./codecs";
import {
  asBuffer,
  badFrame,
  CHECKSUM_BYTES,
  type FrameHeader,
  type FrameSource,
  RAW_BIT,
  readFrameHeader,
  WORD,
} from "./lz4Frame";

/**
 * The content of a frame in memory, owned by the caller. Throws "damaged" when it is not exactly one valid frame or
 * holds more than `maxContentBytes`.
 */
export function decodeFrame(codecs: Codecs, frame: Uint8Array, maxContentBytes = constants.MAX_LENGTH): Buffer {
  const source: FrameSource = {
    length: frame.length,
    read: (offset, length) => frame.subarray(offset, offset + length),
  };
  const header = readFrameHeader(codecs, source);
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
  const header = readFrameHeader(codecs, source);
  return decodeBlocks(codecs, source, header, header.contentBytes ?? Number.MAX_SAFE_INTEGER, onBlock);
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

const tooLarge = (limit: number): CheckpointError => badFrame(`it holds more than ${limit} bytes`);
