/**
 * The index of a pack while it is being written: its records in the order of its entries, and which hashes there are.
 */
import type { Hash } from "./hash";
import { type PackEntry, writeRecord } from "./packIndex";
import { RecordTable } from "./recordTable";

export class PackRecords {
  private readonly table = new RecordTable();

  get count(): number {
    return this.table.count;
  }

  /** All records, unsorted: a view. */
  get bytes(): Buffer {
    return this.table.bytes;
  }

  has(hash: Hash): boolean {
    return this.table.find(hash) >= 0;
  }

  /** Appends the record of an entry whose hash is not there yet. */
  add(entry: PackEntry): void {
    this.table.append(1, (buffer, offset) => writeRecord(buffer, offset, entry));
  }
}
