import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { OperationControl, Progress } from "../../../src/shared/api";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";
import { Random } from "../../support/seeded";
import { type Snapshot, snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { LANE_SCRIPT, openTestEngine, type TestOptions, type TestWorkspace } from "../../support/testEngine";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

/** Cancels at the n-th report of this phase. */
function cancelAt(phase: Progress["phase"], n = 1): OperationControl {
  let seen = 0;
  return {
    onProgress: (progress) => {
      if (progress.phase === phase) seen++;
    },
    isCancelled: () => seen >= n,
  };
}

/** Cancels as soon as `happened`, and for good. */
function cancelOnce(happened: () => boolean): OperationControl {
  let cancelled = false;
  return {
    isCancelled: () => {
      cancelled ||= happened();
      return cancelled;
    },
  };
}

const packFiles = (w: TestWorkspace): number => fs.readdirSync(`${w.store}/packs`).length;

function fill(w: TestWorkspace, files: number, random: Random): void {
  for (let i = 0; i < files; i++) {
    if (i % 100 === 0) fs.mkdirSync(w.path(`d${i}`), { recursive: true });
    w.write(`d${i - (i % 100)}/f${i}`, random.bytes(200 + (i % 7)));
  }
}

/** Store without what may differ: times, and the index, which is a cache. */
const storeState = (w: TestWorkspace): Snapshot =>
  snapshotTree(w.store, { without: (path) => path.startsWith("index/") });

const WAYS: readonly (readonly [string, TestOptions])[] = [
  ["on one thread", {}],
  ["with lanes", { laneScript: LANE_SCRIPT, laneCount: 2 }],
];

describe("cancelling", () => {
  for (const [way, options] of WAYS) {
    for (const phase of ["scan", "store"] as const)
      it(`a save during "${phase}" (${way}) leaves the store as it was`, async () => {
        const w = await openTestEngine({ a: "1" }, options);
        await w.checkpoint();
        fill(w, 5_000, new Random(3));
        const before = [storeState(w), w.snapshot({ times: true })];
        const packs = packFiles(w);
        const scanning = cancelAt("scan", 2);
        const control = phase === "scan" ? scanning : cancelOnce(() => packFiles(w) > packs);
        const saving = w.engine.observed(control).save({ kind: "manual", trigger: "manual", scan: w.scan });
        await expect(saving).rejects.toMatchObject({ code: "cancelled" });
        expect([storeState(w), w.snapshot({ times: true })]).toEqual(before);
        expect(await w.engine.list()).toHaveLength(1);
        expect((await w.checkpoint()).files).toBe(5_001);
      });

    it(`a restore while files are staged (${way}) leaves the workspace as it was, and no temp file`, async () => {
      const w = await openTestEngine({ a: "1" }, options);
      const random = new Random(4);
      fill(w, 1_500, random);
      const checkpoint = await w.checkpoint();
      fs.rmSync(w.path("d0"), { recursive: true });
      w.write("d0", "a file in the place of a folder");
      for (let i = 100; i < 1_400; i++) w.write(`d${i - (i % 100)}/f${i}`, "now");
      await w.checkpoint();
      const before = w.snapshot();
      const staging = {
        isCancelled: () => fs.readdirSync(w.path("d100")).some((name) => name.startsWith(TEMP_PREFIX)),
      };
      for (const control of [cancelAt("plan"), staging]) {
        const restoring = w.engine.observed(control).restore({ ref: checkpoint.id, scan: w.scan });
        await expect(restoring).rejects.toMatchObject({ code: "cancelled" });
        expect(w.snapshot()).toEqual(before);
      }
      await expect(w.undo()).rejects.toMatchObject({ code: "nothing-to-undo" });
      expect((await w.restore(checkpoint)).kept).toEqual([]);
    });
  }

  it("within one large file is noticed, by a save and by a restore, on one thread", async () => {
    let bytes = 0;
    let told = false;
    const folder = tempFolder("workspace");
    const counting = new WatchedFileSystem(({ method, path, args }) => {
      if ((method === "read" || method === "write") && path.startsWith(folder)) bytes += args[3] as number;
    });
    const w = await openTestEngine({ a: "1" }, { fs: counting.fs, workspace: folder });
    await w.checkpoint();
    const size = 64 << 20;
    w.write("large", Buffer.alloc(size, "not much in it"));
    const control = {
      isCancelled: () => {
        told ||= bytes > size / 8;
        return told;
      },
    };
    const before = [storeState(w), w.snapshot({ times: true })];
    const saving = w.engine.observed(control).save({ kind: "manual", trigger: "manual", scan: w.scan });
    await expect(saving).rejects.toMatchObject({ code: "cancelled" });
    expect(bytes).toBeLessThan(size / 2);
    expect([storeState(w), w.snapshot({ times: true })]).toEqual(before);

    const checkpoint = await w.checkpoint();
    fs.rmSync(w.path("large"));
    bytes = 0;
    told = false;
    const restoring = w.engine.observed(control).restore({ ref: checkpoint.id, scan: w.scan });
    await expect(restoring).rejects.toMatchObject({ code: "cancelled" });
    expect(bytes).toBeLessThan(size / 2);
    expect(w.exists("large")).toBe(false);
    expect((await w.restore(checkpoint)).added).toBe(1);
  });

  it("a restore whose removals have begun is finished, not torn", async () => {
    const w = await openTestEngine({ x: { a: "1", b: { c: "1" } }, y: "1" });
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    for (const path of ["x", "y"]) fs.rmSync(w.path(path), { recursive: true });
    w.write("x", "a file");
    fs.mkdirSync(w.path("y"));
    w.write("y/z", "now");
    // The disk tells when: from the first removal on, the answer is yes.
    const control = cancelOnce(() => !w.exists("y/z"));
    await w.engine.observed(control).restore({ ref: checkpoint.id, scan: w.scan });
    expect(w.snapshot()).toEqual(then);
  });

  it("a save that has begun to commit is finished", async () => {
    const w = await openTestEngine({ a: "1" });
    const saving = w.engine.observed(cancelAt("commit")).save({ kind: "manual", trigger: "manual", scan: w.scan });
    expect((await saving).checkpoint?.number).toBe(1);
  });

  it("a deletion either happens or does not, and says which", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    w.write("a", "2");
    const second = await w.checkpoint();
    const before = storeState(w);
    const control = cancelAt("gc");
    await expect(w.engine.observed(control).delete([second.id])).rejects.toMatchObject({ code: "cancelled" });
    expect(storeState(w)).toEqual(before);
    expect(await w.engine.list()).toHaveLength(2);
  });

  it("waiting for the lock can be cancelled", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    const other = await w.another();
    try {
      fs.writeFileSync(
        `${w.store}/locks/project.lock`,
        JSON.stringify({ pid: process.ppid, host: "elsewhere", start: "", since: 0, nonce: "n" }),
      );
      const control = cancelAt("lock");
      await expect(
        other.observed(control).save({ kind: "manual", trigger: "manual", scan: w.scan }),
      ).rejects.toMatchObject({ code: "cancelled" });
      fs.rmSync(`${w.store}/locks/project.lock`);
    } finally {
      await other.close();
    }
  });
});
