import { describe, expect, it } from "vitest";
import { allocateWork, WorkView } from "../../../src/core/pipeline/sharedWork";
import { loadCodecs } from "../../../src/core/store/codecs";

const codecs = await loadCodecs();

describe("a shared list", () => {
  it("has room for the hash of every item, however many there are", () => {
    for (const count of [0, 1, 2, 3, 4, 7, 8, 9, 63, 64, 65, 1 << 10]) {
      const work = allocateWork(count, 0);
      const [one, other] = [new WorkView(work), new WorkView(work)];
      const items = Array.from({ length: count }, (_, i) => i);
      for (const i of items) one.setHash(i, codecs.hash(Buffer.from(`${i}`)));
      // Places are looked for until a free one is met, so some must stay free when all hashes have theirs.
      expect(work.claims.byteLength).toBeGreaterThanOrEqual(8 * Math.max(1, 2 * count));
      expect(items.map((i) => one.claim(i))).toEqual(items.map(() => true));
      expect(items.map((i) => other.claim(i))).toEqual(items.map(() => false));
    }
  });

  it("P8 for the files of a scan takes a table of half a million places, not twice that", () => {
    expect(allocateWork(1 << 18, 0).claims.byteLength).toBe(8 << 19);
  });
});
