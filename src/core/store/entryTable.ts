/**
 * Which pack holds a hash, over the records of all indexes. A hash may occur in several packs (content stored anew
 * because the first copy is damaged): all of its records are found.
 */
import { HASH_BYTES, type Hash, hashFromBytes } from "./hash";
import { INDEX_RECORD_BYTES, type PackEntry } from "./packIndex";
import { RecordTable } from "./recordTable";
import { readUInt64 } from "./uint64";

export class EntryTable {
  private readonly table: RecordTable;
  /** For each record, the number that its pack was added under. */
  private packs: Uint32Array;

  /** `records`: how many will be added at least. */
  constructor(records = 0) {
    this.table = new RecordTable(records);
    this.packs = new Uint32Array(records);
  }

  /** Adds all records of an index under a pack's number. */
  add(index: Buffer, pack: number): void {
    const { table } = this;
    const first = table.count;
    table.append(index.length / INDEX_RECORD_BYTES, (buffer, offset) => buffer.set(index, offset));
    if (table.count > this.packs.length) {
      const packs = new Uint32Array(2 * table.count);
      packs.set(this.packs);
      this.packs = packs;
    }
    this.packs.fill(pack, first, table.count);
  }

  /** The first record of `hash`, or of those after `after`; -1 = none. */
  find(hash: Hash, after = -1): number {
    return this.table.find(hash, after);
  }

  /** The number of the pack that holds a record. */
  packOf(record: number): number {
    return this.packs[record]!;
  }

  entry(record: number): PackEntry {
    const { bytes } = this.table;
    const at = record * INDEX_RECORD_BYTES;
    return {
      hash: hashFromBytes(bytes, at),
      offset: readUInt64(bytes, at + HASH_BYTES),
      length: readUInt64(bytes, at + HASH_BYTES + 8),
    };
  }
}
