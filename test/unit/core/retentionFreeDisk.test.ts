import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, expect, it, vi } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { DEFAULT_RETENTION } from "../../../src/shared/retention";
import { openTestEngine } from "../../support/testEngine";

/** What the system says about every path from now on. */
function answerStatfs(blocks: number, bavail: number): void {
  vi.spyOn(fs, "statfsSync").mockReturnValue({ blocks, bavail, bsize: 4096 } as never);
  syncBuiltinESMExports();
}

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it("C19 a file system that does not count its blocks is not a full one", () => {
  answerStatfs(0, 0);
  expect(nodeFileSystem.freeBytes?.("/w")).toBeNull();
  answerStatfs(100, 0);
  expect(nodeFileSystem.freeBytes?.("/w")).toBe(0);
  answerStatfs(100, 3);
  expect(nodeFileSystem.freeBytes?.("/w")).toBe(3 * 4096);
});

it("C19 on such a one automatic saves go on, and nothing goes for the room", async () => {
  let now = Date.UTC(2026, 0, 5, 9);
  const w = await openTestEngine({ a: "0" }, { now: () => now });
  for (let i = 0; i < 3; i++) {
    answerStatfs(0, 0);
    now += 3_600_000;
    w.write("a", `${i}`);
    const saved = await w.save({ kind: "auto", trigger: "interval", minFreeDiskBytes: 1e9 });
    expect([saved.noChange, saved.lowDiskBytes]).toEqual([false, undefined]);
  }
  const policy = { ...DEFAULT_RETENTION, allHours: 0 };
  expect(await w.engine.planPrune({ policy })).toMatchObject({ going: [], freeDiskBytes: null, missingBytes: 0 });
  // The same store on a disk that says that it is full: the answer is what makes the difference.
  answerStatfs(1e9, 0);
  expect((await w.engine.planPrune({ policy })).missingBytes).toBe(1e9);
});
