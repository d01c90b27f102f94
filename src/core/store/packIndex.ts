/**
 * The index of a pack, `.idx`: (hash 16, u64 LE offset of the entry in the `.dat`, u64 LE length of its frame)*, sorted
 * by hash bytes, found by binary search. No header: its length tells the count.
 */
import { CheckpointError } from "../../shared/errors";
import { damaged } from "./damage";
import { HASH_BYTES, type Hash, hashFromBytes, writeHash } from "./hash";
import { ENTRY_HEADER_BYTES, PACK_HEADER_BYTES } from "./packHeaders";
import { readUInt64, writeUInt64 } from "./uint64";

export const INDEX_RECORD_BYTES = 32;

export interface PackEntry {
  readonly hash: Hash;
  /** Of the entry (its hash field) in the `.dat`. The frame begins ENTRY_HEADER_BYTES later. */
  readonly offset: number;
  /** Bytes of the frame. */
  readonly length: number;
}

/** Writes one record at `offset` of `into`. */
export function writeRecord(into: Buffer, offset: number, entry: PackEntry): void {
  writeHash(entry.hash, into, offset);
  writeUInt64(into, entry.offset, offset + HASH_BYTES);
  writeUInt64(into, entry.length, offset + HASH_BYTES + 8);
}

/**
 * The `.idx` of `records` (unsorted records of a pack of `packBytes` bytes). What was encoded is decoded again before
 * anybody relies on it.
 */
export function encodePackIndex(records: Buffer, packBytes: number): Buffer {
  const index = sortRecords(records);
  const fault = indexFault(index, packBytes);
  if (fault !== undefined)
    throw new CheckpointError(
      "internal",
      `A pack index came out wrong (${fault}). Nothing was saved; please report it.`,
    );
  return index;
}

/** A copy of these records in the order of their hashes. */
export function sortRecords(records: Buffer): Buffer {
  const count = records.length / INDEX_RECORD_BYTES;
  const firstWords = new Uint32Array(count);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    firstWords[i] = records.readUInt32BE(i * INDEX_RECORD_BYTES);
    order[i] = i;
  }
  // Numbers decide nearly every comparison; comparing 40,000 hashes as text takes several times longer.
  order.sort((a, b) => firstWords[a]! - firstWords[b]! || compareRecords(records, a, records, b));
  const index = Buffer.allocUnsafeSlow(records.length);
  for (let i = 0; i < count; i++) {
    const from = order[i]! * INDEX_RECORD_BYTES;
    index.set(records.subarray(from, from + INDEX_RECORD_BYTES), i * INDEX_RECORD_BYTES);
  }
  return index;
}

/** The record at a byte offset of an index. */
export function recordAt(bytes: Buffer, at: number): PackEntry {
  return {
    hash: hashFromBytes(bytes, at),
    offset: readUInt64(bytes, at + HASH_BYTES),
    length: readUInt64(bytes, at + HASH_BYTES + 8),
  };
}

/** The index of one pack. Its bytes are kept as they are: a record costs 32 bytes of memory and no object. */
export class PackIndex {
  readonly count: number;

  private constructor(readonly bytes: Buffer) {
    this.count = bytes.length / INDEX_RECORD_BYTES;
  }

  /** Takes the bytes of an `.idx` over. `part` names the file in the "damaged" error for an invalid one. */
  static decode(bytes: Buffer, packBytes: number, part: string): PackIndex {
    const fault = indexFault(bytes, packBytes);
    if (fault !== undefined) throw damaged(part, fault);
    return new PackIndex(bytes);
  }

  /** Over sorted records that need not be all of a pack's. */
  static partial(records: Buffer): PackIndex {
    return new PackIndex(records);
  }

  has(hash: Hash): boolean {
    return this.find(hash) !== undefined;
  }

  /** Where the entry of `hash` is, or undefined. */
  locate(hash: Hash): PackEntry | undefined {
    const record = this.find(hash);
    return record === undefined ? undefined : this.entry(record);
  }

  /** The entry at a place in hash order. */
  entry(record: number): PackEntry {
    return recordAt(this.bytes, record * INDEX_RECORD_BYTES);
  }

  /** All entries in hash order. */
  *entries(): IterableIterator<PackEntry> {
    for (let record = 0; record < this.count; record++) yield this.entry(record);
  }

  /** All entries in the order of the `.dat`, for reading it from front to back. */
  entriesByOffset(): PackEntry[] {
    return [...this.entries()].sort((a, b) => a.offset - b.offset);
  }

  private find(hash: Hash): number | undefined {
    // Words decide nearly every step; the whole hash is only looked at where they are equal.
    const word = Number.parseInt(hash.slice(0, 8), 16);
    let wanted: Buffer | undefined;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      let order = this.bytes.readUInt32BE(middle * INDEX_RECORD_BYTES) - word;
      if (order === 0) {
        wanted ??= hashBytes(hash);
        order = compareRecords(this.bytes, middle, wanted, 0);
      }
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

function hashBytes(hash: Hash): Buffer {
  const bytes = Buffer.allocUnsafe(HASH_BYTES);
  writeHash(hash, bytes, 0);
  return bytes;
}

/** What is wrong with the bytes of an index for a `.dat` of `packBytes` bytes, or undefined. */
function indexFault(bytes: Buffer, packBytes: number): string | undefined {
  if (bytes.length % INDEX_RECORD_BYTES !== 0) return "its length is no multiple of a record's";
  // A DataView, and a look at the first word before the rest: this runs over every record of the store at each start.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let total = PACK_HEADER_BYTES;
  let previousWord = 0;
  for (let at = 0; at < bytes.length; at += INDEX_RECORD_BYTES) {
    const word = view.getUint32(at);
    if (word <= previousWord && at > 0) {
      const record = at / INDEX_RECORD_BYTES;
      if (word < previousWord || compareRecords(bytes, record - 1, bytes, record) > 0) return "it is not sorted";
    }
    previousWord = word;
    const offset = view.getUint32(at + HASH_BYTES, true) + view.getUint32(at + HASH_BYTES + 4, true) * 2 ** 32;
    const length = view.getUint32(at + HASH_BYTES + 8, true) + view.getUint32(at + HASH_BYTES + 12, true) * 2 ** 32;
    if (offset < PACK_HEADER_BYTES || offset + ENTRY_HEADER_BYTES + length > packBytes)
      return "an entry lies outside its pack";
    total += ENTRY_HEADER_BYTES + length;
  }
  return total === packBytes ? undefined : "its entries do not add up to the size of its pack";
}

/** Compares the hashes of two records by their bytes. */
function compareRecords(left: Buffer, a: number, right: Buffer, b: number): number {
  const i = a * INDEX_RECORD_BYTES;
  const j = b * INDEX_RECORD_BYTES;
  for (let word = 0; word < HASH_BYTES; word += 4) {
    const difference = left.readUInt32BE(i + word) - right.readUInt32BE(j + word);
    if (difference !== 0) return difference;
  }
  return 0;
}
