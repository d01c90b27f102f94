import { describe, expect, it } from "vitest";
import { DEFAULT_RETENTION, type PrunePlan, type PruneResult } from "../../../src/shared/retention";
import { checkpoint, fakeRun } from "./fakeEngine";

const old = checkpoint({ kind: "auto", name: null, number: 7 });

const PLAN: PrunePlan = {
  going: [{ checkpoint: old, reason: "age" }],
  kept: 4,
  storeBytes: 10_000_000,
  freedBytes: 1_234_567,
  freeDiskBytes: null,
  missingBytes: 0,
};

const RESULT: PruneResult = {
  gone: [
    { checkpoint: old, reason: "age" },
    { checkpoint: { ...old, number: 8 }, reason: "size" },
  ],
  kept: 3,
  missingBytes: 500,
  freed: { deadObjects: 3, freedBytes: 2_000, removedPacks: 1, rewrittenPacks: 0, damaged: [] },
};

describe("prune", () => {
  it("C19 --dry-run shows what would go, and deletes nothing", async () => {
    const { code, out, calls } = await fakeRun(["prune", "--dry-run"], { planPrune: async () => PLAN });
    expect(code).toBe(0);
    expect(calls).toEqual([["planPrune", { policy: DEFAULT_RETENTION }]]);
    expect(out).toMatch(/7\s+2026-11-20 .*auto\s+age/);
    expect(out).toContain("Would delete 1 checkpoint; about 1.2 MB freed.");
  });

  it("C19 deletes, says what and why, and by how much a limit is still missed", async () => {
    const { code, out, err } = await fakeRun(["prune"], { prune: async () => RESULT });
    expect(code).toBe(0);
    expect(out).toContain("size of the store");
    expect(out).toContain("Deleted 2 checkpoints; 2.0 kB freed.");
    expect(err).toContain("missed by 500 B");
  });

  it("C19 --json prints one object", async () => {
    const done = await fakeRun(["prune", "--json"], { prune: async () => RESULT });
    expect(JSON.parse(done.out)).toMatchObject({
      dryRun: false,
      deleted: [
        { number: 7, kind: "auto", reason: "age", id: old.id, created: "2026-11-20T08:30:15.250Z" },
        { number: 8, reason: "size" },
      ],
      kept: 3,
      missingBytes: 500,
      freedBytes: 2_000,
      removedPacks: 1,
      rewrittenPacks: 0,
      damaged: [],
    });
    const dry = await fakeRun(["prune", "--dry-run", "--json"], { planPrune: async () => PLAN });
    expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, kept: 4, freedBytes: 1_234_567, missingBytes: 0 });
  });

  it("C19 the options are the policy", async () => {
    const argv = "prune --keep-all 2 --keep-hourly 1 --keep-daily 0 --keep-weekly 4.5 --max-store 2G --min-free 0";
    const { calls } = await fakeRun(argv.split(" "), { prune: async () => ({ ...RESULT, gone: [] }) });
    const policy = {
      allHours: 2,
      hourlyDays: 1,
      dailyDays: 0,
      weeklyWeeks: 4.5,
      maxStoreBytes: 2 * 1024 ** 3,
      minFreeDiskBytes: 0,
    };
    expect(calls).toEqual([["prune", { policy }]]);
  });

  it("C19 says so when there is nothing to delete", async () => {
    const { out } = await fakeRun(["prune"], { prune: async () => ({ ...RESULT, gone: [], missingBytes: 0 }) });
    expect(out).toContain("nothing to delete");
  });

  it("C21 what is no number is a usage error", async () => {
    for (const argv of [
      ["prune", "--keep-all", "often"],
      ["prune", "--keep-weekly", "-1"],
      ["prune", "--max-store", "big"],
    ]) {
      const { code, err, calls } = await fakeRun(argv);
      expect([code, calls]).toEqual([2, []]);
      expect(err).toContain(argv[1]);
    }
  });
});
