import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hash } from "../../../src/core/store/hash";
import { decodeTree, encodeTree, type TreeEntry, type TreeEntryType } from "../../../src/core/store/tree";
import { CheckpointError } from "../../../src/shared/errors";
import { type ByteString, byteString } from "../../../src/shared/pathText";
import { hashOf } from "./packFixture";

const HASH = hashOf(Buffer.from("content"));
const entry = (name: string, more: Partial<TreeEntry> = {}): TreeEntry => ({
  type: 0,
  mode: 0o644,
  size: 7,
  hash: HASH,
  name: name as ByteString,
  ...more,
});

const legalName = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((bytes) => byteString(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x41 : byte))))
  .filter((name) => name !== "." && name !== "..");
const someEntries = fc
  .uniqueArray(
    fc.record({
      type: fc.constantFrom<TreeEntryType>(0, 1, 2),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      size: fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()),
      hash: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex") as Hash),
      name: legalName,
    }),
    { selector: (one) => one.name, maxLength: 20 },
  )
  .map((entries) => entries.sort((a, b) => (a.name < b.name ? -1 : 1)));

/** A tree of one entry with raw bytes for its parts. */
function oneEntry(parts: {
  count?: number[];
  mode?: number[];
  size?: number[];
  nameLength?: number[];
  name?: Buffer;
}): Buffer {
  const name = parts.name ?? Buffer.from("a");
  return Buffer.concat([
    Buffer.from([1, ...(parts.count ?? [1]), 0, ...(parts.mode ?? [1]), ...(parts.size ?? [1])]),
    Buffer.alloc(16),
    Buffer.from(parts.nameLength ?? [name.length]),
    name,
  ]);
}

describe("trees", () => {
  it("round-trip any entries", () => {
    fc.assert(
      fc.property(someEntries, (entries) => {
        expect(decodeTree(encodeTree(entries))).toEqual(entries);
      }),
    );
  });

  it("truncated, with a flipped bit or random bytes are refused or decode to a legal tree of the same bytes", () => {
    const check = (bytes: Uint8Array): void => {
      try {
        // What decodes is what encoding would have written: one tree, one sequence of bytes.
        expect(encodeTree(decodeTree(bytes)).equals(bytes)).toBe(true);
      } catch (error) {
        if (!CheckpointError.is(error, "damaged") && !CheckpointError.is(error, "newer-format")) throw error;
      }
    };
    fc.assert(
      fc.property(someEntries, fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 60 }), (entries, cut, bit, random) => {
        const bytes = encodeTree(entries);
        expect(() => decodeTree(bytes.subarray(0, cut % bytes.length))).toThrow(CheckpointError);
        const flipped = Buffer.from(bytes);
        const at = bit % (8 * bytes.length);
        flipped[at >> 3]! ^= 1 << (at & 7);
        check(flipped);
        check(Buffer.concat([Buffer.from([1]), random]));
      }),
      { numRuns: 1000 },
    );
  });

  it("C16 with illegal names are neither written nor read", () => {
    for (const name of ["", ".", "..", "a/b", "/a", "a\0", "x".repeat(4097)]) {
      expect(() => encodeTree([entry(name)]), JSON.stringify(name)).toThrow(CheckpointError);
      if (name.length < 128)
        expect(() => decodeTree(oneEntry({ name: Buffer.from(name) })), JSON.stringify(name)).toThrow(/is damaged/);
    }
    expect(() => encodeTree([entry("b"), entry("a")])).toThrow(/ascending/);
    expect(() => encodeTree([entry("a"), entry("a")])).toThrow(/ascending/);
    expect(() => encodeTree([entry("a", { mode: 0o10000 })])).toThrow(/permission bits/);
    expect(() => encodeTree([entry("a", { size: 1.5 })])).toThrow(/size/);
  });

  it("with forged numbers are refused before anything is allocated", () => {
    expect(decodeTree(oneEntry({}))).toHaveLength(1);
    expect(() => decodeTree(oneEntry({ count: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f] }))).toThrow(
      /more entries/,
    );
    expect(() => decodeTree(oneEntry({ size: [0x81, 0x00] }))).toThrow(/shortest form/);
    expect(() => decodeTree(oneEntry({ size: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1] }))).toThrow(
      /too large/,
    );
    expect(() => decodeTree(oneEntry({ size: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f] }))).toThrow(/too large/);
    expect(() => decodeTree(oneEntry({ nameLength: [0x90, 0x4e] }))).toThrow(/name is too long/);
    expect(() => decodeTree(oneEntry({ nameLength: [0x05] }))).toThrow(/ends early/);
    expect(() => decodeTree(Buffer.concat([oneEntry({}), Buffer.from([0])]))).toThrow(/bytes follow/);
    expect(() => decodeTree(Buffer.alloc(0))).toThrow(/ends early/);
  });

  it("C13 of a newer version are refused as such", () => {
    const bytes = oneEntry({});
    bytes[0] = 2;
    expect(() => decodeTree(bytes)).toThrow(expect.objectContaining({ code: "newer-format" }));
    bytes[0] = 0;
    expect(() => decodeTree(bytes)).toThrow(expect.objectContaining({ code: "damaged" }));
  });
});
