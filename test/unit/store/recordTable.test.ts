import { describe, expect, it } from "vitest";
import { HASH_BYTES, type Hash } from "../../../src/core/store/hash";
import { INDEX_RECORD_BYTES, writeRecord } from "../../../src/core/store/packIndex";
import { RecordTable } from "../../../src/core/store/recordTable";
import { withSeeds } from "../../support/seeded";

const hashOf = (i: number): Hash => i.toString(16).padStart(2 * HASH_BYTES, "0") as Hash;

/** Adds one record for each hash; the offset says which it is. */
function add(table: RecordTable, hashes: readonly Hash[]): void {
  const first = table.count;
  table.append(hashes.length, (buffer, offset) => {
    for (const [i, hash] of hashes.entries())
      writeRecord(buffer, offset + i * INDEX_RECORD_BYTES, { hash, offset: first + i, length: 1 });
  });
}

describe("a table of records", () => {
  it("finds every record of a hash, in order, however it grew and whatever collides", async () => {
    await withSeeds(20, async (random) => {
      // Few hashes, so that some come again; all begin with zero bytes, so that all want one place in the table.
      const hashes = Array.from({ length: random.below(3_000) }, () => hashOf(random.below(500) + 1));
      const table = new RecordTable(random.below(2) * hashes.length);
      for (let at = 0; at < hashes.length; ) {
        const count = random.below(700) + 1;
        add(table, hashes.slice(at, at + count));
        at += count;
      }
      expect(table.count).toBe(hashes.length);
      expect(table.bytes).toHaveLength(hashes.length * INDEX_RECORD_BYTES);
      for (const hash of [hashOf(1), hashOf(2), hashOf(501)]) {
        const found: number[] = [];
        for (let at = table.find(hash); at >= 0; at = table.find(hash, at)) found.push(at);
        expect(found).toEqual(hashes.flatMap((each, i) => (each === hash ? i : [])));
      }
    });
  });
});
