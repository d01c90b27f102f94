import { describe, expect, it } from "vitest";
import { EntryLookup } from "../../../src/core/store/entryLookup";
import { HASH_BYTES, type Hash, writeHash } from "../../../src/core/store/hash";
import { INDEX_RECORD_BYTES } from "../../../src/core/store/packIndex";
import type { PackReader } from "../../../src/core/store/packReader";

const hashOf = (i: number): Hash => i.toString(16).padStart(2 * HASH_BYTES, "0") as Hash;

/** What a lookup asks of a pack; `onBytes` is called before its index is copied into the table. */
function packOf(hashes: readonly Hash[], onBytes: () => void): PackReader {
  const bytes = Buffer.alloc(hashes.length * INDEX_RECORD_BYTES);
  hashes.forEach((hash, i) => void writeHash(hash, bytes, i * INDEX_RECORD_BYTES));
  const index = {
    get bytes(): Buffer {
      onBytes();
      return bytes;
    },
  };
  return { index, entryCount: hashes.length, has: (hash: Hash) => hashes.includes(hash) } as unknown as PackReader;
}

describe("looking for the packs of a hash", () => {
  it("C4 goes on without a table whose making failed, and makes it anew", () => {
    let failures = 0;
    let copied = 0;
    const one = packOf([hashOf(1), hashOf(2)], () => void copied++);
    const two = packOf([hashOf(3)], () => {
      if (failures++ === 0) throw new Error("ended in the middle");
    });
    const lookup = new EntryLookup([one, two]);
    expect(() => lookup.has(hashOf(3))).toThrow("ended in the middle");
    // Half a table would deny it.
    expect([1, 2, 3, 4].map((i) => lookup.has(hashOf(i)))).toEqual([true, true, true, false]);
    expect(copied).toBe(2);
  });
});
