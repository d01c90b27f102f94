import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DirectoryRecord } from "../../../src/core/scan/directoryRecord";
import { encodeRecord } from "../../../src/core/scan/recordEncoding";
import { FILE, FOLDER, type IndexedEntry, SYMLINK } from "../../../src/core/scan/recordLayout";
import { applyPatches, encodeHeadPatch, encodePatch } from "../../../src/core/scan/recordPatches";
import { entry, hashOf, head, record } from "./recordFixture";

const nameBytes = fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const facts = fc.record({
  type: fc.constantFrom(FILE, SYMLINK),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  size: fc.maxSafeNat(),
  mtimeMs: fc.double({ noNaN: true }),
  ctimeMs: fc.double({ noNaN: true }),
  ino: fc.maxSafeNat(),
  hash: fc.string({ maxLength: 3 }).map(hashOf),
  racy: fc.boolean(),
});
const folderFacts = fc.constant({
  type: FOLDER,
  mode: 0,
  size: 0,
  mtimeMs: 0,
  ctimeMs: 0,
  ino: 0,
  hash: undefined,
  racy: false,
} as const);
const entries = fc
  .uniqueArray(fc.tuple(nameBytes, fc.oneof(facts, folderFacts)), { selector: ([name]) => name, maxLength: 12 })
  .map((list) =>
    list.map(([name, each]): IndexedEntry => ({ name, ...each })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  );

describe("records of folders", () => {
  it("hold what was put into them", () => {
    fc.assert(
      fc.property(entries, (list) => {
        const decoded = new DirectoryRecord(encodeRecord(head("some/folder"), list));
        expect(decoded.entries()).toEqual(list);
        expect([decoded.path, decoded.mode, decoded.treeHash, decoded.rulesId, decoded.count]).toEqual([
          ...["some/folder", 0o755, hashOf("some/folder"), "0123456789abcdef", list.length],
        ]);
        expect(decoded.listing).toEqual(head("").listing);
        expect(decoded.folderNames()).toEqual(list.filter(({ type }) => type === FOLDER).map(({ name }) => name));
      }),
    );
  });

  it("become by a patch what the patch was made for", () => {
    fc.assert(
      fc.property(entries, entries, entries, (before, between, after) => {
        const base = new DirectoryRecord(encodeRecord(head("f", "1"), before));
        const first = new DirectoryRecord(encodePatch(head("f", "2"), base, between));
        const middle = applyPatches(base, [first]);
        const second = new DirectoryRecord(encodePatch(head("f", "3"), middle, after));
        const all = applyPatches(base, [first, second]);
        expect(all.entries()).toEqual(after);
        expect(all.treeHash).toBe(hashOf("3"));
        expect(all.bytes.equals(encodeRecord(head("f", "3"), after))).toBe(true);
      }),
    );
  });

  it("know by which times of the folder their names are known, if any", () => {
    const { listing } = head("f");
    const settled = new DirectoryRecord(record("f"));
    expect(settled.isListedAs(listing)).toBe(true);
    for (const change of [{ mtimeMs: 3.25 }, { ctimeMs: 4 }, { ino: 78 }])
      expect(settled.isListedAs({ ...listing, ...change })).toBe(false);
    const unsettled = new DirectoryRecord(encodeRecord({ ...head("f"), listing: undefined }, []));
    expect([unsettled.listing, unsettled.isListedAs(listing), unsettled.isListedAs(undefined)]).toEqual([
      ...[undefined, false, false],
    ]);
  });

  it("take another head alone", () => {
    fc.assert(
      fc.property(entries, (list) => {
        const other = { ...head("f", "2"), mode: 0o700, rulesId: "fedcba9876543210", listing: undefined };
        const patched = applyPatches(new DirectoryRecord(encodeRecord(head("f", "1"), list)), [
          new DirectoryRecord(encodeHeadPatch({ ...other, mode: 0o711 })),
          new DirectoryRecord(encodeHeadPatch(other)),
        ]);
        expect(patched.bytes.equals(encodeRecord(other, list))).toBe(true);
      }),
    );
  });

  it("refuse a patch that was made from a record which is not here", () => {
    const base = new DirectoryRecord(record("f", entry("a")));
    const patch = new DirectoryRecord(encodePatch(head("f", "2"), base, [entry("a"), entry("b")]));
    expect(() => applyPatches(undefined, [patch])).toThrow(RangeError);
    const whole = new DirectoryRecord(record("f", entry("c")));
    expect(applyPatches(base, [patch, whole]).entries()).toEqual([entry("c")]);
  });

  it("make small patches of small changes", () => {
    const many = Array.from({ length: 1_000 }, (_, i) => entry(`file-${String(i).padStart(4, "0")}`));
    const base = new DirectoryRecord(record("f", ...many));
    const changed = many.map((each, i) => (i === 500 ? { ...each, mtimeMs: 9 } : each)).filter((_, i) => i !== 7);
    expect(encodePatch(head("f"), base, changed).length).toBeLessThan(250);
  });
});
