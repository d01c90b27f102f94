/**
 * The index of a pack while it is being written: its records in the order of its entries, and which hashes there are.
 * (A Set of as many hash texts costs several times the memory, and more time than hashing the content of a small file.)
 */
import { HASH_BYTES, type Hash, writeHash } from "./hash";
import { INDEX_RECORD_BYTES, type PackEntry, writeRecord } from "./packIndex";

const WORDS = INDEX_RECORD_BYTES / 4;
const FIRST_CAPACITY = 256;
/** The table has at least this many slots for each record, so that probe chains stay short. */
const SLOTS_PER_RECORD = 2;

export class PackRecords {
  private records = 0;
  private buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY * INDEX_RECORD_BYTES);
  /** The same as words in the machine's own byte order: only ever compared with words made the same way. */
  private words = new Uint32Array(this.buffer.buffer);
  /** Record number + 1; 0 = free. */
  private slots = new Uint32Array(SLOTS_PER_RECORD * FIRST_CAPACITY);
  private readonly wanted = new Uint32Array(HASH_BYTES / 4);
  private readonly wantedBytes = new Uint8Array(this.wanted.buffer);

  get count(): number {
    return this.records;
  }

  /** All records, unsorted: a view. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.records * INDEX_RECORD_BYTES);
  }

  has(hash: Hash): boolean {
    writeHash(hash, this.wantedBytes, 0);
    const { words, slots, wanted } = this;
    const mask = slots.length - 1;
    for (let slot = wanted[0]! & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = (slots[slot]! - 1) * WORDS;
      if (
        words[at] === wanted[0] &&
        words[at + 1] === wanted[1] &&
        words[at + 2] === wanted[2] &&
        words[at + 3] === wanted[3]
      )
        return true;
    }
    return false;
  }

  /** Appends the record of an entry whose hash is not there yet. */
  add(entry: PackEntry): void {
    if (this.records * INDEX_RECORD_BYTES === this.buffer.length) this.grow();
    writeRecord(this.buffer, this.records * INDEX_RECORD_BYTES, entry);
    this.insert(this.records++);
  }

  private insert(record: number): void {
    const mask = this.slots.length - 1;
    // The bytes of a hash are as good as random: the first word needs no further mixing.
    let slot = this.words[record * WORDS]! & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = record + 1;
  }

  private grow(): void {
    const larger = Buffer.allocUnsafeSlow(2 * this.buffer.length);
    larger.set(this.buffer);
    this.buffer = larger;
    this.words = new Uint32Array(larger.buffer);
    this.slots = new Uint32Array(2 * this.slots.length);
    for (let record = 0; record < this.records; record++) this.insert(record);
  }
}
