import { describe, expect, it } from "vitest";
import { chooseMerge } from "../../../src/core/ops/consolidate";
import { withSeeds } from "../../support/seeded";

const KIB = 1024;

describe("which packs are merged", () => {
  const packs = (count: number, bytes: number, name = ""): { id: string; bytes: number }[] =>
    Array.from({ length: count }, (_, i) => ({ id: `${name}${String(i).padStart(4, "0")}`, bytes: bytes + i }));

  it("P6 none while no tier is too full", () => {
    expect(chooseMerge([...packs(32, 1_000, "a"), ...packs(32, 20_000, "b"), ...packs(50, 9_000_000, "c")])).toBe(
      undefined,
    );
  });

  it("P6 those of a tier that is, and smaller ones; larger ones stay", () => {
    const small = packs(3, 1_000, "a");
    const full = packs(33, 20_000, "b");
    const merge = chooseMerge([...packs(9, 200_000, "c"), ...full, ...small]);
    expect(merge?.packs).toEqual([...small, ...full].map(({ id }) => id));
    expect(merge?.bytes).toBe([...small, ...full].reduce((sum, { bytes }) => sum + bytes, 0));
  });

  it("P6 not more at a time than 64 MiB", () => {
    const merge = chooseMerge(packs(40, 7 * KIB * KIB));
    expect(merge?.packs).toHaveLength(9);
    expect(merge?.bytes).toBeLessThanOrEqual(64 * KIB * KIB);
  });

  it("never one of which nothing can be told", () => {
    const merge = chooseMerge([...packs(33, 1_000), { id: "lost", bytes: 0 }]);
    expect(merge?.packs).toHaveLength(33);
    expect(merge?.packs).not.toContain("lost");
  });

  it("P6 however many saves: few packs, and each byte is copied a bounded number of times", async () => {
    await withSeeds(5, (random) => {
      let all: { id: string; bytes: number }[] = [];
      let stored = 0;
      let copied = 0;
      for (let save = 0; save < 5_000; save++) {
        // Mostly a few files, now and then a big one.
        const bytes = random.chance(0.02) ? random.below(20 * KIB * KIB) + 1 : 500 + random.below(60 * KIB);
        stored += bytes;
        all.push({ id: `save ${save}`, bytes });
        for (let merge = chooseMerge(all); merge !== undefined; merge = chooseMerge(all)) {
          const going = new Set(merge.packs);
          expect(going.size).toBeGreaterThan(1);
          copied += merge.bytes;
          all = all.filter(({ id }) => !going.has(id));
          all.push({ id: `merge ${save} ${copied}`, bytes: merge.bytes });
        }
        expect(all.filter(({ bytes: size }) => size < 8 * KIB * KIB).length).toBeLessThanOrEqual(4 * 32);
      }
      expect(copied).toBeLessThan(4 * stored);
    });
  });
});
