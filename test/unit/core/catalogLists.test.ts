import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeChanges, encodeChanges } from "../../../src/core/store/changeList";
import { loadCodecs } from "../../../src/core/store/codecs";
import { decodeSkipped, encodeSkipped, MAX_LISTED_SKIPPED } from "../../../src/core/store/skippedList";
import type { Change } from "../../../src/shared/changes";

const codecs = await loadCodecs();

describe("lists of changes", () => {
  const state = fc.record({
    type: fc.constantFrom("file", "directory", "symlink"),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    size: fc.maxSafeNat(),
    hash: fc.stringMatching(/^[0-9a-f]{32}$/),
  });
  const change = fc.oneof(
    fc.record({ path: fc.string({ unit: "grapheme" }), kind: fc.constant("added"), after: state }),
    fc.record({ path: fc.string({ unit: "grapheme" }), kind: fc.constant("removed"), before: state }),
    fc.record({
      path: fc.string({ unit: "grapheme" }),
      kind: fc.constantFrom("changed", "typeChanged"),
      before: state,
      after: state,
    }),
  );

  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.array(change as fc.Arbitrary<Change>), (changes) => {
        expect(decodeChanges(codecs, encodeChanges(codecs, changes))).toEqual(changes);
      }),
    );
  });
});

describe("lists of what was skipped", () => {
  const skipped = (path: string) => ({ path, reason: "unreadable", message: "permission denied" }) as const;

  it("come back as they were when short", () => {
    const list = ["a", "b/c", "é/x"].map(skipped);
    expect(decodeSkipped(codecs, encodeSkipped(codecs, list))).toEqual({ listed: list, folders: [] });
  });

  it("name of the rest the folders, outer ones when there are many", () => {
    const listed = Array.from({ length: MAX_LISTED_SKIPPED }, (_, i) => skipped(`f${i}`));
    const few = [...listed, ...["x/y/1", "x/y/2", "z", "x/w/1"].map(skipped)];
    expect(decodeSkipped(codecs, encodeSkipped(codecs, few)).folders).toEqual(["", "x/w", "x/y"]);
    const many = [...listed, ...Array.from({ length: 5_000 }, (_, i) => skipped(`top/${i % 7}/${i}/f`))];
    expect(decodeSkipped(codecs, encodeSkipped(codecs, many)).folders).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((i) => `top/${i}`),
    );
    const flat = [...listed, ...Array.from({ length: 5_000 }, (_, i) => skipped(`${i}/f`))];
    const { folders } = decodeSkipped(codecs, encodeSkipped(codecs, flat));
    expect(folders).toEqual([""]);
    expect(encodeSkipped(codecs, flat).length).toBeLessThan(20_000);
  });
});
