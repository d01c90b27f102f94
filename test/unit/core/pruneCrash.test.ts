/** Pruning, and deleting a whole store, killed in place of each of their steps. */
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { DEFAULT_RETENTION } from "../../../src/shared/retention";
import { UNSYNCED } from "../../support/dyingFileSystem";
import { killedEngine } from "../../support/killedEngine";
import { Random } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

const DAY = 24 * 3_600_000;
const BEGIN = Date.UTC(2026, 0, 5, 9);
const POLICY = { ...DEFAULT_RETENTION, minFreeDiskBytes: 0 };

/** Puts the stores back as they were, before each of the steps. */
async function atEachStep(w: TestWorkspace, body: (step: number) => Promise<{ readonly isDead: boolean }>) {
  const aside = tempFolder("aside");
  const stores = `${w.storeRoot}/stores`;
  fs.cpSync(stores, aside, { recursive: true });
  for (let step = 0; ; step++) {
    fs.rmSync(stores, { recursive: true });
    fs.cpSync(aside, stores, { recursive: true });
    if (!(await body(step)).isDead) return step;
  }
}

describe("killed", () => {
  it("C3 C19 a prune leaves all checkpoints or those that were to stay, whole, and the next one does the rest", async () => {
    const random = new Random(41);
    const clock = { now: BEGIN };
    const w = await openTestEngine({}, { now: () => clock.now, localOffsetMs: () => 0, fs: UNSYNCED });
    for (let i = 0; i < 6; i++) {
      clock.now = BEGIN + i * 60_000;
      w.write("changing", random.bytes(2_000));
      w.write(`own${i}`, random.bytes(1_000));
      await w.checkpoint({ kind: "auto", trigger: "interval" });
    }
    await w.engine.pin("2", true);
    clock.now = BEGIN + 10 * DAY;
    await w.engine.close();
    const act = { act: (engine: TestWorkspace["engine"]) => engine.prune({ policy: POLICY }) };
    const outcomes = new Set<string>();
    const steps = await atEachStep(w, async (step) => {
      const disk = await killedEngine(w, step, act);
      await w.reopen();
      const numbers = (await w.engine.list()).map(({ number }) => number).join();
      outcomes.add(numbers);
      expect(["6,5,4,3,2,1", "6,2"], `step ${step}`).toContain(numbers);
      const { ok, problems } = await w.engine.verify({ full: true });
      expect({ step, ok, problems }).toEqual({ step, ok: true, problems: [] });
      await w.engine.prune({ policy: POLICY });
      await w.engine.gc();
      expect((await w.engine.list()).map(({ number }) => number)).toEqual([6, 2]);
      // Nothing of what went is left over.
      expect((await w.engine.gc()).freedBytes).toBe(0);
      await w.engine.close();
      return disk;
    });
    expect(steps).toBeGreaterThan(8);
    expect(outcomes.size).toBe(2);
    await w.reopen();
  });

  it("C3 C19 deleting a store leaves it as it was or not at all, and the next one clears up", async () => {
    const storeRoot = tempFolder("store");
    const other = await openTestEngine({ b: "2" }, { storeRoot, fs: UNSYNCED });
    other.checkAfterwards = false;
    await other.checkpoint();
    await other.engine.close();
    const [id] = fs.readdirSync(`${storeRoot}/stores`) as [string];
    const w = await openTestEngine({ a: "1" }, { storeRoot, fs: UNSYNCED });
    w.checkAfterwards = false;
    await w.checkpoint();
    await w.engine.close();
    fs.rmSync(other.folder, { recursive: true });
    const steps = await atEachStep(w, async (step) => {
      const disk = await killedEngine(w, step, { act: (engine) => engine.deleteStore(id) });
      await w.reopen();
      const stores = await w.engine.stores();
      const gone = stores.find((each) => each.id === id);
      if (gone !== undefined) {
        expect(gone).toMatchObject({ state: "gone", workspace: other.folder });
        // Its folder comes back: everything is there.
        fs.mkdirSync(other.folder);
        await other.reopen();
        expect((await other.engine.verify({ full: true })).ok).toBe(true);
        expect(await other.engine.list()).toHaveLength(1);
        await other.engine.close();
        fs.rmSync(other.folder, { recursive: true });
        await w.engine.deleteStore(id);
      }
      expect((await w.engine.stores()).map(({ state }) => state)).toEqual(["open"]);
      expect((await w.engine.list()).map(({ number }) => number)).toEqual([1]);
      await w.engine.close();
      return disk;
    });
    expect(steps).toBeGreaterThan(8);
    await w.reopen();
  });
});
