import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/shared/errors";
import { checkpointContents } from "../support/checkpointContents";
import { tempFolder } from "../support/tempFolders";
import { closeAll, LANE_SCRIPT, openTestEngine, type TestWorkspace, unfinished } from "../support/testEngine";

const MOUNT_BYTES = 8 << 20;

const mounted: string[] = [];

/** A disk of its own, so small that it is soon full. */
function smallDisk(): string {
  const folder = tempFolder("small-disk");
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${MOUNT_BYTES}`, "tmpfs", folder]);
  mounted.push(folder);
  return folder;
}

function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = fs.mkdtempSync("/tmp/checkpoint-mount-");
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
  if (status === 0) execFileSync("umount", [folder]);
  fs.rmdirSync(folder);
  return status === 0;
}

afterEach(async () => {
  await closeAll();
  for (const folder of mounted.splice(0)) execFileSync("umount", [folder]);
});

/** Takes all that is left of the disk. */
function fillUp(folder: string, leaveBytes = 0): string {
  const path = `${folder}/ballast`;
  const fd = fs.openSync(path, "w");
  const block = Buffer.alloc(4096, 1);
  try {
    for (;;) fs.writeSync(fd, block);
  } catch {
    // Full.
  }
  fs.closeSync(fd);
  fs.truncateSync(path, Math.max(0, fs.statSync(path).size - leaveBytes));
  return path;
}

function expectFull(error: unknown): void {
  if (!CheckpointError.is(error)) throw error;
  expect(["disk-full", "safety-failed"]).toContain(error.code);
  expect(error.message).toMatch(/disk is full.*Free some space/);
}

async function expectNothingLost(w: TestWorkspace, states: ReadonlyMap<string, object>): Promise<void> {
  await w.reopen();
  expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true, problems: [], damaged: [] });
  for (const [id, state] of states) expect(await checkpointContents(w.engine, id)).toEqual(state);
}

// Only root may mount, and only Linux has tmpfs: elsewhere the same is proven with injected errors (faultMatrix.test.ts).
describe.runIf(canMount())("a disk that is really full", () => {
  for (const [how, lanes] of [
    ["on this thread", {}],
    ["in lanes", { laneScript: LANE_SCRIPT, laneCount: 2 }],
  ] as const)
    it(`C12 the store's: saving ${how} until it is full, then after freeing some`, async () => {
      const storeRoot = smallDisk();
      const w = await openTestEngine({ a: "1" }, { storeRoot, ...lanes, housekeeping: { idleMs: 0 } });
      const states = new Map<string, object>();
      const big = "laneScript" in lanes;
      for (let i = 0; ; i++) {
        expect(i).toBeLessThan(100);
        w.write(`f${i}`, randomBytes(700_000));
        // What compresses to nothing makes it a case for lanes.
        if (big) for (let j = 0; j < 1_600; j++) w.write(`many ${j}`, `${i} ${j}`);
        try {
          const { id } = await w.checkpoint();
          states.set(id, w.snapshot());
        } catch (error) {
          expectFull(error);
          break;
        }
      }
      expect(states.size).toBeGreaterThan(3);
      expect(unfinished(storeRoot)).toEqual([]);
      await expectNothingLost(w, states);
      // Nothing that needs room works now, and all of it says so; what needs none does.
      await w.save().then(() => expect.unreachable(), expectFull);
      expect((await w.engine.list()).length).toBe(states.size);
      const before = w.snapshot();
      const [first, second] = [...states.keys()];
      await w.restore(first ?? "").then(() => expect.unreachable(), expectFull);
      expect(w.snapshot()).toEqual(before);
      // Room is made by what is meant for it.
      const { freedBytes } = await w.engine.delete([...states.keys()].slice(-2));
      expect(freedBytes).toBeGreaterThan(500_000);
      for (const id of [...states.keys()].slice(-2)) states.delete(id);
      for (const name of fs.readdirSync(w.folder).filter((each) => /^f\d/.test(each))) fs.rmSync(w.path(name));
      states.set((await w.checkpoint()).id, w.snapshot());
      await w.restore(second ?? "");
      expect(w.snapshot()).toEqual(states.get(second ?? ""));
      await w.undo();
      await expectNothingLost(w, states);
    }, 120_000);

  it("C12 the store's: at every amount of room that is left, a save is there or not, and says which", async () => {
    const storeRoot = smallDisk();
    const w = await openTestEngine({ a: "1", d: { b: "1" } }, { storeRoot, housekeeping: { idleMs: 0 } });
    const states = new Map([[(await w.checkpoint()).id, w.snapshot()]]);
    let refused = 0;
    for (let kilobytes = 0; kilobytes < 120; kilobytes += 4) {
      const ballast = fillUp(storeRoot, kilobytes << 10);
      w.write("a", randomBytes(20_000));
      w.write("d/b", `${kilobytes}`);
      try {
        states.set((await w.checkpoint()).id, w.snapshot());
      } catch (error) {
        expectFull(error);
        refused++;
      }
      expect(unfinished(storeRoot)).toEqual([]);
      await expectNothingLost(w, states);
      fs.rmSync(ballast);
    }
    expect(refused).toBeGreaterThan(3);
    expect(states.size).toBeGreaterThan(3);
  }, 120_000);

  it("C12 C20 a store that can only be read: everything that only looks works, the rest says why it cannot", async () => {
    const storeRoot = smallDisk();
    const w = await openTestEngine(
      { a: "1", d: { b: "1" } },
      { storeRoot, housekeeping: { idleMs: 0, onClose: true } },
    );
    const { id } = await w.checkpoint();
    w.write("a", "2");
    const before = w.snapshot();
    execFileSync("mount", ["-o", "remount,ro", storeRoot]);
    await w.reopen();
    expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true });
    expect((await w.engine.list()).map((each) => each.id)).toEqual([id]);
    expect(Buffer.from(await w.engine.readFile(id, "a")).toString()).toBe("1");
    expect((await w.engine.diff({ ref: id }, { workspace: w.scan })).changes.map(({ path }) => path)).toEqual(["a"]);
    expect((await w.restore(id, { dryRun: true })).paths.changed).toEqual(["a"]);
    expect((await w.engine.search({ text: "1" })).matches).toHaveLength(2);
    expect(await w.engine.interrupted()).toBe(null);
    for (const refused of [
      () => w.save(),
      () => w.restore(id),
      () => w.restore(id, { safety: false }),
      () => w.undo(),
      () => w.engine.pin(id, true),
      () => w.engine.delete([id]),
      () => w.engine.gc(),
    ])
      await expect(refused()).rejects.toMatchObject({
        code: "access-denied",
        message: expect.stringMatching(/denied.*Check the permissions/),
      });
    expect(w.snapshot()).toEqual(before);
    execFileSync("mount", ["-o", "remount,rw", storeRoot]);
    await w.restore(id);
    expect(w.read("a")).toBe("1");
  });

  it("C12 the workspace's: a restore leaves all as it was and says so; with room again it works", async () => {
    const workspace = smallDisk();
    const w = await openTestEngine(
      { a: "then", large: randomBytes(2_000_000), gone: randomBytes(1_000_000), d: { x: "then" } },
      { workspace, housekeeping: { idleMs: 0 } },
    );
    const { id } = await w.checkpoint();
    const then = w.snapshot();
    fs.rmSync(w.path("gone"));
    w.write("large", "now");
    w.write("a", "now");
    w.write("d/x", "now");
    w.write("new", "now");
    let refused = 0;
    for (let kilobytes = 0; kilobytes <= 3_600; kilobytes += 400) {
      // Ignored, so it is neither saved nor in the way.
      w.write(".checkpointignore", "ballast\n");
      const ballast = fillUp(workspace, kilobytes << 10);
      const isBallast = (path: string): boolean => path === "ballast";
      const before = w.snapshot({ without: isBallast });
      try {
        await w.restore(id);
        const restored = w.snapshot({ without: isBallast });
        expect(restored).toEqual(then);
        await w.undo();
        expect(w.snapshot({ without: isBallast })).toEqual(before);
      } catch (error) {
        expectFull(error);
        refused++;
        expect({ kilobytes, tree: w.snapshot({ without: isBallast }) }).toEqual({ kilobytes, tree: before });
        expect(unfinished(workspace)).toEqual([]);
      }
      expect(await w.engine.interrupted()).toBe(null);
      fs.rmSync(ballast);
    }
    expect(refused).toBeGreaterThan(2);
    await w.restore(id);
    expect(w.snapshot()).toEqual(then);
  }, 120_000);
});
