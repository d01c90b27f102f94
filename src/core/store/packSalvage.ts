/**
 * What can still be had of a pack that is not as it was written. Nothing that is said in it is believed: a frame counts
 * for the content that it decodes to, whatever header or index call it.
 */
import type { Codecs } from "./codecs";
import { isUnreadable } from "./damage";
import { type Hash, hashFromBytes } from "./hash";
import { MIN_FRAME_BYTES } from "./lz4Frame";
import { decodeFrameTo } from "./lz4FrameDecoder";
import type { PackData } from "./packData";
import { ENTRY_HEADER_BYTES, frameBytesIn, PACK_HEADER_BYTES } from "./packHeaders";
import { INDEX_RECORD_BYTES, PackIndex, recordAt, sortRecords, writeRecord } from "./packIndex";

/** Where a frame seems to be: `offset` is that of its entry, as in an index. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

export interface SalvagedFrame extends Place {
  /** Of what the frame decodes to. */
  readonly hash: Hash;
}

const HEAD = PACK_HEADER_BYTES;

/**
 * An index of the entries whose header is where the `.idx` or the entry before say it is; what it leaves out may be
 * there all the same. `index`: the bytes of the `.idx`, undefined when there is none.
 */
export function salvageIndex(data: PackData, index: Buffer | undefined): PackIndex {
  const records: Buffer[] = [];
  for (const { offset, length } of placesIn(data, index)) {
    const header = readOrNot(data, offset, ENTRY_HEADER_BYTES);
    if (header === undefined || frameBytesIn(header) !== length) continue;
    const record = Buffer.allocUnsafe(INDEX_RECORD_BYTES);
    writeRecord(record, 0, { hash: hashFromBytes(header, 0), offset, length });
    records.push(record);
  }
  return PackIndex.partial(sortRecords(Buffer.concat(records)));
}

/** Every frame that decodes, in order of offsets. Reads all of the pack. `onFrame` may throw to stop. */
export function salvageFrames(
  codecs: Codecs,
  data: PackData,
  index: Buffer | undefined,
  onFrame: () => void = () => {},
): SalvagedFrame[] {
  return placesIn(data, index).flatMap((place) => {
    onFrame();
    const hash = contentHash(codecs, data, place);
    return hash === undefined ? [] : [{ ...place, hash }];
  });
}

/** The hashes that index and headers speak of, true or not: what may have been in the pack. */
export function claimedHashes(data: PackData | undefined, index: Buffer | undefined): Set<Hash> {
  const hashes = new Set<Hash>();
  for (const { hash } of recordsIn(index)) hashes.add(hash);
  if (data === undefined) return hashes;
  for (const { offset } of placesIn(data, index)) {
    const header = readOrNot(data, offset, ENTRY_HEADER_BYTES);
    if (header !== undefined) hashes.add(hashFromBytes(header, 0));
  }
  return hashes;
}

function contentHash(codecs: Codecs, data: PackData, { offset, length }: Place): Hash | undefined {
  const start = offset + ENTRY_HEADER_BYTES;
  const hasher = codecs.createHasher();
  try {
    decodeFrameTo(codecs, { length, read: (at, count) => data.read(start + at, count) }, (block) =>
      hasher.update(block),
    );
    return hasher.digest();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}

/** As the records of the index say, and as the headers lead from one to the next; each once, in order of offsets. */
function placesIn(data: PackData, index: Buffer | undefined): Place[] {
  const places = new Map<string, Place>();
  const add = (offset: number, length: number): boolean => {
    // Zeros, which a power cut leaves behind, are no chain of tiny entries.
    const isPossible =
      length >= MIN_FRAME_BYTES && offset >= HEAD && offset + ENTRY_HEADER_BYTES + length <= data.bytes;
    if (isPossible) places.set(`${offset} ${length}`, { offset, length });
    return isPossible;
  };
  const begins = [HEAD];
  for (const { offset, length } of recordsIn(index)) {
    add(offset, length);
    // Behind a broken header the chain goes on where the index has the next entry.
    begins.push(offset);
  }
  const walked = new Set<number>();
  for (const begin of begins)
    for (let offset = begin; !walked.has(offset); ) {
      walked.add(offset);
      const header = readOrNot(data, offset, ENTRY_HEADER_BYTES);
      const length = header === undefined ? 0 : frameBytesIn(header);
      if (header === undefined || !add(offset, length)) break;
      offset += ENTRY_HEADER_BYTES + length;
    }
  return [...places.values()].sort((a, b) => a.offset - b.offset || a.length - b.length);
}

function* recordsIn(index: Buffer | undefined): IterableIterator<Place & { readonly hash: Hash }> {
  for (let at = 0; index !== undefined && at + INDEX_RECORD_BYTES <= index.length; at += INDEX_RECORD_BYTES)
    yield recordAt(index, at);
}

/** Undefined: it is not there, or cannot be read. */
function readOrNot(data: PackData, offset: number, length: number): Buffer | undefined {
  if (offset < HEAD || offset + length > data.bytes) return undefined;
  try {
    return data.read(offset, length);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}
