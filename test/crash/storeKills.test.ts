import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/core/engine";
import { UNSYNCED } from "../support/dyingFileSystem";
import { killedEngine } from "../support/killedEngine";
import { openTestEngine, type TestWorkspace } from "../support/testEngine";
import { link, type TreeLiteral } from "../support/treeLiteral";
import { manyPacks } from "../unit/core/manyPacks";
import { killAtEveryStep } from "./everyStep";

const TREE: TreeLiteral = {
  "a.ts": "first",
  "b.bin": randomBytes(20_000),
  twin: "first",
  run: "#!/bin/sh\n",
  link: link("a.ts"),
  empty: {},
  src: { "c.ts": "one of many\n".repeat(500), deep: { "d.ts": "1", e: { f: "1" } } },
};

const QUIET = { fs: UNSYNCED, housekeeping: { idleMs: 0 } } as const;

async function threeCheckpoints(): Promise<TestWorkspace> {
  const w = await openTestEngine(TREE, QUIET);
  await w.checkpoint({ name: "first" });
  w.write("a.ts", "second");
  w.write("src/deep/d.ts", randomBytes(3_000));
  w.write("src/only here", randomBytes(2_000));
  await w.checkpoint();
  fs.rmSync(w.path("src/only here"));
  w.write("src/deep/d.ts", randomBytes(3_000));
  fs.chmodSync(w.path("run"), 0o755);
  await w.checkpoint();
  return w;
}

function edit(w: TestWorkspace): void {
  w.write("a.ts", `edited ${"at length ".repeat(300)}`);
  w.write("src/new", randomBytes(50_000));
  fs.rmSync(w.path("src/deep/e"), { recursive: true, force: true });
}

const saveAll = (w: TestWorkspace) => (engine: Engine) =>
  engine.save({ kind: "manual", trigger: "manual", scan: w.scan });

describe("killed at every step", () => {
  it("C3 the first save of all: no store, or one with the checkpoint", async () => {
    // One that is read in slices, too.
    const w = await openTestEngine({ ...TREE, large: randomBytes(1_100_000) }, QUIET);
    expect(fs.existsSync(`${w.storeRoot}/stores`)).toBe(false);
    expect(await killAtEveryStep({ w, act: saveAll(w) })).toBeGreaterThan(25);
  }, 300_000);

  it("C3 a save of everything anew, without an index", async () => {
    const w = await threeCheckpoints();
    fs.rmSync(`${w.store}/index`, { recursive: true });
    for (const name of fs.readdirSync(w.folder)) if (name !== "b.bin") fs.rmSync(w.path(name), { recursive: true });
    for (let i = 0; i < 20; i++) w.write(`new ${i}`, randomBytes(1_000 * i));
    expect(await killAtEveryStep({ w, act: saveAll(w) })).toBeGreaterThan(20);
  }, 300_000);

  it("C3 a save of some changes", async () => {
    const w = await threeCheckpoints();
    edit(w);
    expect(await killAtEveryStep({ w, act: saveAll(w) })).toBeGreaterThan(20);
  }, 300_000);

  it("C3 a save that was told what changed", async () => {
    const w = await threeCheckpoints();
    const change = (state: string): void => {
      w.write("a.ts", state.repeat(5_000));
      w.write("src/deep/told", state);
    };
    change("as saved");
    const request = { kind: "auto", trigger: "interval", scan: w.scan } as const;
    await w.checkpoint();
    change("as told");
    const scanned: string[] = [];
    await killAtEveryStep({
      w,
      prepare: async (engine) => {
        change("as saved");
        expect((await engine.save(request)).noChange).toBe(true);
        change("as told");
      },
      act: async (engine) => {
        const saved = await engine.save({ ...request, changedPaths: ["a.ts", "src/deep/told"] });
        scanned.push(saved.scanned);
      },
    });
    expect(new Set(scanned)).toEqual(new Set(["changed"]));
  }, 300_000);

  it("C3 C14 a save whose packs are cut into parts", async () => {
    const w = await threeCheckpoints();
    edit(w);
    const act = (engine: Engine) =>
      engine.save({ kind: "manual", trigger: "manual", scan: w.scan, packChunkBytes: 10_000 });
    expect(await killAtEveryStep({ w, act })).toBeGreaterThan(50);
  }, 300_000);

  for (const [what, change, act] of [
    ["a new name", { name: "given" }, (engine: Engine) => engine.rename("2", "given")],
    ["a pin", { pinned: true }, (engine: Engine) => engine.pin("2", true)],
    ["a note", { note: "said" }, (engine: Engine) => engine.setNote("2", "said")],
  ] as const)
    it(`C3 ${what}`, async () => {
      const w = await threeCheckpoints();
      const mayBecome = (row: Parameters<NonNullable<Parameters<typeof killAtEveryStep>[0]["mayBecome"]>>[0]) =>
        row.number === 2 ? { ...row, ...change } : row;
      expect(await killAtEveryStep({ w, act, mayBecome })).toBeGreaterThan(3);
    }, 300_000);

  it("C3 C10 a deletion: all that were to go, or none", async () => {
    const w = await threeCheckpoints();
    const mayGo = new Set((await w.engine.list()).filter(({ number }) => number < 3).map(({ id }) => id));
    expect(await killAtEveryStep({ w, mayGo, act: (engine) => engine.delete(["1", "2"]) })).toBeGreaterThan(20);
  }, 300_000);

  it("C3 C10 freeing, of packs that are all garbage and of some that are in part", async () => {
    const w = await threeCheckpoints();
    await w.engine.close();
    // Packs that nobody knows of: two saves, killed right before their commit.
    for (const text of ["lost", "lost too"]) {
      w.write("a.ts", text);
      const isCommit = (call: { method: string; to?: string }): boolean =>
        call.method === "rename" && call.to?.endsWith("catalog.sqlite") === true;
      expect((await killedEngine(w, 0, { act: saveAll(w), isStep: isCommit })).isDead).toBe(true);
    }
    // And some that others share: a deletion, killed right behind its commit.
    const isBehind = (call: { method: string; path: string }): boolean =>
      call.method === "unlink" && call.path.endsWith(".dat");
    expect((await killedEngine(w, 0, { act: (engine) => engine.delete(["2"]), isStep: isBehind })).isDead).toBe(true);
    w.engine = await w.another();
    expect((await w.engine.list()).map(({ number }) => number)).toEqual([3, 1]);
    const done: { removedPacks: number; rewrittenPacks: number }[] = [];
    const act = async (engine: Engine): Promise<void> => void done.push(await engine.gc());
    expect(await killAtEveryStep({ w, act })).toBeGreaterThan(30);
    expect(done[0]?.removedPacks).toBeGreaterThanOrEqual(2);
    expect(done[0]?.rewrittenPacks).toBeGreaterThanOrEqual(1);
  }, 300_000);

  it("C3 merging packs while nobody waits", async () => {
    const { w } = await manyPacks({ fs: UNSYNCED });
    const results: number[] = [];
    const killed = await killAtEveryStep({
      w,
      options: {
        housekeeping: { idleMs: 0, onClose: true, onDone: ({ mergedPacks }) => results.push(mergedPacks) },
      },
      prepare: (engine) => engine.rename("latest", "changed"),
      act: async () => {}, // it begins when the engine is closed
      // The removals are alike: of them the first and some others.
      kills: (steps) =>
        steps.flatMap(({ method }, k) =>
          method !== "unlink" || steps[k - 1]?.method !== "unlink" || k % 24 === 0 ? [k] : [],
        ),
      mayBecome: (row) => (row.number === 34 ? { ...row, name: "changed" } : row),
    });
    expect(results[0]).toBeGreaterThan(60);
    expect(killed).toBeGreaterThan(20);
  }, 300_000);
});
