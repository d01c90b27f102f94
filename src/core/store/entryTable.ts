/**
 * Which pack holds a hash: one open-addressing table over the records of all indexes. Records lie end to end in one
 * buffer (32 bytes each, as in the `.idx`), the table holds their numbers. Building it for 85,000 records takes about
 * 3 ms; a JavaScript Map of as many strings takes ten times that, and several times the memory.
 *
 * A hash may occur in several packs (content stored anew because the first copy is damaged): all of its records are found.
 */
import { HASH_BYTES, type Hash, hashFromBytes, writeHash } from "./hash";
import { INDEX_RECORD_BYTES, type PackEntry } from "./packIndex";
import { readUInt64 } from "./uint64";

const WORDS = INDEX_RECORD_BYTES / 4;
const MIN_CAPACITY = 1024;
/** The table has at least this many slots for each record, so that probe chains stay short. */
const SLOTS_PER_RECORD = 2;

export class EntryTable {
  private capacity: number;
  private count = 0;
  /** The records as words in the machine's own byte order: only ever compared with words made the same way. */
  private words: Uint32Array<ArrayBuffer>;
  private bytes: Buffer;
  /** For each record, the number that its pack was added under. */
  private packs: Uint32Array;
  /** Record number + 1; 0 = free. */
  private slots: Uint32Array;
  private readonly wanted = new Uint32Array(HASH_BYTES / 4);
  private readonly wantedBytes = new Uint8Array(this.wanted.buffer);

  /** `records`: how many will be added at least. */
  constructor(records = 0) {
    this.capacity = MIN_CAPACITY;
    while (this.capacity < records) this.capacity *= 2;
    this.words = new Uint32Array(this.capacity * WORDS);
    this.bytes = Buffer.from(this.words.buffer);
    this.packs = new Uint32Array(this.capacity);
    this.slots = new Uint32Array(SLOTS_PER_RECORD * this.capacity);
  }

  /** Adds all records of an index under a pack's number. */
  add(index: Buffer, pack: number): void {
    const added = index.length / INDEX_RECORD_BYTES;
    this.reserve(this.count + added);
    this.bytes.set(index, this.count * INDEX_RECORD_BYTES);
    this.packs.fill(pack, this.count, this.count + added);
    for (let i = 0; i < added; i++) this.insert(this.count++);
  }

  /** The first record of `hash`, or of those after `after`; -1 = none. */
  find(hash: Hash, after = -1): number {
    writeHash(hash, this.wantedBytes, 0);
    const { words, slots, wanted } = this;
    const a = wanted[0]!;
    const b = wanted[1]!;
    const c = wanted[2]!;
    const d = wanted[3]!;
    const mask = slots.length - 1;
    let passed = after < 0;
    for (let slot = a & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const record = slots[slot]! - 1;
      const at = record * WORDS;
      if (words[at] !== a || words[at + 1] !== b || words[at + 2] !== c || words[at + 3] !== d) continue;
      if (passed) return record;
      passed = record === after;
    }
    return -1;
  }

  /** The number of the pack that holds a record. */
  packOf(record: number): number {
    return this.packs[record]!;
  }

  entry(record: number): PackEntry {
    const at = record * INDEX_RECORD_BYTES;
    return {
      hash: hashFromBytes(this.bytes, at),
      offset: readUInt64(this.bytes, at + HASH_BYTES),
      length: this.frameLength(record),
    };
  }

  frameLength(record: number): number {
    return readUInt64(this.bytes, record * INDEX_RECORD_BYTES + HASH_BYTES + 8);
  }

  private insert(record: number): void {
    const mask = this.slots.length - 1;
    // The bytes of a hash are as good as random: the first word needs no further mixing.
    let slot = this.words[record * WORDS]! & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = record + 1;
  }

  private reserve(records: number): void {
    if (records <= this.capacity) return;
    while (this.capacity < records) this.capacity *= 2;
    const words = new Uint32Array(this.capacity * WORDS);
    words.set(this.words.subarray(0, this.count * WORDS));
    this.words = words;
    this.bytes = Buffer.from(words.buffer);
    const packs = new Uint32Array(this.capacity);
    packs.set(this.packs.subarray(0, this.count));
    this.packs = packs;
    this.slots = new Uint32Array(SLOTS_PER_RECORD * this.capacity);
    for (let record = 0; record < this.count; record++) this.insert(record);
  }
}
