import { describe, expect, it } from "vitest";
import { chooseMerge, type MergeLimits, WHEN_IDLE, WHEN_OVERDUE } from "../../../src/core/ops/consolidate";
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

  it("P6 when it is overdue, little at a time, but at least two", () => {
    expect(chooseMerge(packs(128, 3 * KIB * KIB), WHEN_OVERDUE)).toBe(undefined);
    expect(chooseMerge(packs(129, 5 * KIB * KIB), WHEN_OVERDUE)?.packs).toHaveLength(2);
    const merge = chooseMerge(packs(129, 100 * KIB), WHEN_OVERDUE);
    expect(merge?.packs).toHaveLength(81);
    expect(merge?.bytes).toBeLessThanOrEqual(8 * KIB * KIB);
  });

  it.each([
    ["in quiet times", WHEN_IDLE, 32, Number.POSITIVE_INFINITY],
    ["one merge after each save, for want of quiet", WHEN_OVERDUE, 128, 1],
  ])(
    "P6 however many saves: few packs, and each byte is copied a bounded number of times: %s",
    async (_, limits: MergeLimits, most, mergesASave) => {
      await withSeeds(5, (random) => {
        let all: { id: string; bytes: number }[] = [];
        let stored = 0;
        let copied = 0;
        for (let save = 0; save < 5_000; save++) {
          // Mostly a few files, now and then a big one.
          const bytes = random.chance(0.02) ? random.below(20 * KIB * KIB) + 1 : 500 + random.below(60 * KIB);
          stored += bytes;
          all.push({ id: `save ${save}`, bytes });
          for (let merges = 0; merges < mergesASave; merges++) {
            const merge = chooseMerge(all, limits);
            if (merge === undefined) break;
            const going = new Set(merge.packs);
            expect(going.size).toBeGreaterThan(1);
            copied += merge.bytes;
            all = all.filter(({ id }) => !going.has(id));
            all.push({ id: `merge ${save} ${copied}`, bytes: merge.bytes });
          }
          expect(all.filter(({ bytes: size }) => size < 8 * KIB * KIB).length).toBeLessThanOrEqual(4 * most);
        }
        expect(copied).toBeLessThan(4 * stored);
      });
    },
  );
});
