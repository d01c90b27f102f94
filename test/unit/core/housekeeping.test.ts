import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { currentProcess } from "../../../src/core/fs/processIdentity";
import type { Consolidation } from "../../../src/core/ops/consolidate";
import { acquireLock } from "../../../src/core/store/lock";
import type { CheckpointError } from "../../../src/shared/errors";
import { openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";
import { expectRestorable, manyPacks, packsIn, SAVES } from "./manyPacks";

describe("housekeeping merges small packs", () => {
  it("P6 happens when the engine is left alone, and when a program that changed something ends", async () => {
    let done: (result: Consolidation) => void = () => {};
    const left = new Promise<Consolidation>((resolve) => {
      done = resolve;
    });
    const idle = await manyPacks();
    const engine = await idle.w.another({ housekeeping: { idleMs: 1, onDone: done } });
    await engine.rename("latest", "nothing before something was changed");
    expect(await left).toMatchObject({ mergedPacks: 2 * SAVES, damaged: [] });
    await engine.close();
    expect([packsIn(idle.w, "packs").length, packsIn(idle.w, "trees").length]).toEqual([1, 1]);
    await expectRestorable(idle);

    const brief = await manyPacks();
    const reading = await brief.w.another({ housekeeping: { idleMs: 0, onClose: true } });
    await reading.list();
    await reading.close();
    expect(packsIn(brief.w, "packs")).toHaveLength(SAVES);
    const changing = await brief.w.another({ housekeeping: { idleMs: 0, onClose: true } });
    await changing.rename("latest", "changed");
    await changing.close();
    expect([packsIn(brief.w, "packs").length, packsIn(brief.w, "trees").length]).toEqual([1, 1]);
  });

  it("C5 looking at what a restore would do is no reason to merge anything", async () => {
    const { w } = await manyPacks();
    const engine = await w.another({ housekeeping: { idleMs: 0, onClose: true } });
    await engine.restore({ ref: "latest~3", scan: w.scan, dryRun: true });
    expect((await engine.save({ kind: "manual", trigger: "manual", scan: w.scan })).noChange).toBe(true);
    await engine.close();
    expect([packsIn(w, "packs").length, packsIn(w, "trees").length]).toEqual([SAVES, SAVES]);
  });

  it("C12 tells why it could not be done; the store is as it was", async () => {
    const many = await manyPacks();
    const disk = new WatchedFileSystem();
    const told: CheckpointError[] = [];
    const engine = await many.w.another({
      fs: disk.fs,
      housekeeping: { idleMs: 0, onClose: true, onFailure: (error) => told.push(error) },
    });
    await engine.rename("latest", "changed");
    disk.hook = ({ method, path }) => {
      if (method === "fsync" && path.includes("/packs/")) throw errno("ENOSPC", path);
    };
    await engine.close();
    expect(told).toMatchObject([{ code: "disk-full" }]);
    expect(packsIn(many.w, "packs")).toHaveLength(SAVES);
    await expectRestorable(many);
  });

  it("P6 is over, and the engine goes on and ends, when whoever hears of it throws", async () => {
    const many = await manyPacks();
    const told: Consolidation[] = [];
    let heard: () => void = () => {};
    const first = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const onDone = (result: Consolidation): void => {
      told.push(result);
      heard();
      throw new Error("nobody listens");
    };
    const engine = await many.w.another({ housekeeping: { idleMs: 1, onClose: true, onDone } });
    await engine.rename("latest", "changed");
    await first;
    await engine.rename("latest", "changed again");
    await engine.close();
    expect(told[0]).toMatchObject({ mergedPacks: 2 * SAVES });
    // Once more at the end.
    expect(told.length).toBeGreaterThan(1);
    await expectRestorable(many);
  });

  it("P6 does not wait for ever for somebody who saves all the time", async () => {
    const w = await openTestEngine({ a: "0" }, { housekeeping: { idleMs: 60_000 } });
    for (let i = 1; i <= 140; i++) {
      w.write("a", `version ${i}`);
      await w.checkpoint();
    }
    expect(packsIn(w, "packs").length).toBeLessThan(20);
    expect(packsIn(w, "trees").length).toBeLessThan(20);
    for (const i of [1, 70, 129, 140])
      expect(Buffer.from(await w.engine.readFile(String(i), "a")).toString()).toBe(`version ${i}`);
  });

  it("P6 stops for whoever asks for something, loses nothing by it, and begins anew", async () => {
    const many = await manyPacks();
    const disk = new WatchedFileSystem();
    const results: Consolidation[] = [];
    let done: () => void = () => {};
    const merged = new Promise<void>((resolve) => {
      done = resolve;
    });
    const engine = await many.w.another({
      fs: disk.fs,
      housekeeping: {
        idleMs: 1,
        onDone: (result) => {
          results.push(result);
          if (result.mergedPacks > 0) done();
        },
      },
    });
    let asked: Promise<unknown> | undefined;
    disk.hook = ({ method, path }) => {
      if (method !== "read" || !path.endsWith(".dat") || asked !== undefined) return;
      asked = engine.list();
    };
    await engine.rename("latest", "changed");
    await merged;
    expect(asked).toBeDefined();
    expect(results.map((each) => each.mergedPacks)).toEqual([0, 2 * SAVES]);
    await engine.close();
    await expectRestorable(many);
  });

  it("P6 does not wait for a lock that somebody holds", async () => {
    const { w } = await manyPacks();
    const engine = await w.another({ lockTimeoutMs: 60_000, housekeeping: { idleMs: 0, onClose: true } });
    await engine.rename("latest", "changed");
    const lock = await acquireLock({
      fs: nodeFileSystem,
      folder: `${w.store}/locks`,
      identity: currentProcess(),
      now: Date.now,
      nonce: () => "somebody",
      sleep: () => Promise.reject(new Error("it waits")),
      timeoutMs: 0,
      isCancelled: () => false,
      onWait: () => {},
    });
    await engine.close();
    expect(packsIn(w, "packs")).toHaveLength(SAVES);
    lock.release();
  });
});
