import * as fs from "node:fs";
import { constants } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { currentProcess } from "../../../src/core/fs/processIdentity";
import { type Consolidation, chooseMerge } from "../../../src/core/ops/consolidate";
import { loadCodecs } from "../../../src/core/store/codecs";
import { acquireLock } from "../../../src/core/store/lock";
import { PackWriter } from "../../../src/core/store/packWriter";
import { rest } from "../../support/rest";
import { withSeeds } from "../../support/seeded";
import type { Snapshot } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestOptions, type TestWorkspace } from "../../support/testEngine";
import { type Call, errno, WatchedFileSystem } from "../../support/watchedFileSystem";

/** More than a tier may have. */
const SAVES = 34;
const KIB = 1024;

interface ManyPacks {
  readonly w: TestWorkspace;
  /** By id. */
  readonly states: ReadonlyMap<string, Snapshot>;
}

/** A store of 34 blob packs and as many tree packs, each of one small save. */
async function manyPacks(options: TestOptions = {}, chunkBytes = 0): Promise<ManyPacks> {
  const w = await openTestEngine({ d: { e: { f: "0" } } }, { housekeeping: { idleMs: 0 }, ...options });
  const states = new Map<string, Snapshot>();
  for (let i = 0; i < SAVES; i++) {
    w.write(`f${i % 5}`, `version ${i} ${"of some text ".repeat(i)}`);
    w.write("d/e/f", `version ${i}`);
    const { id } = await w.checkpoint({ packChunkBytes: chunkBytes });
    states.set(id, w.snapshot());
  }
  return { w, states };
}

const packsIn = (w: TestWorkspace, folder: string): string[] =>
  fs.readdirSync(`${w.store}/${folder}`).filter((name) => /\.dat$|\.parts\.json$/.test(name));

async function expectRestorable({ w, states }: ManyPacks): Promise<void> {
  for (const [id, state] of states) {
    await w.restore(id, { safety: false });
    expect(w.snapshot()).toEqual(state);
  }
}

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

describe("merging small packs", () => {
  it("P6 leaves one pack in place of many, and every checkpoint as it was", async () => {
    const many = await manyPacks();
    const { w } = many;
    const before = await w.engine.stats();
    expect([packsIn(w, "packs").length, packsIn(w, "trees").length]).toEqual([SAVES, SAVES]);
    expect(await w.engine.gc()).toMatchObject({ deadObjects: 0, freedBytes: 0, rewrittenPacks: 2 * SAVES });
    expect([packsIn(w, "packs").length, packsIn(w, "trees").length]).toEqual([1, 1]);
    expect(await w.engine.stats()).toMatchObject({ packs: 2, objects: before.objects });
    await w.expectSound();
    await expectRestorable(many);
    await w.reopen();
    await expectRestorable(many);
  });

  it("P6 costs the next save nothing: nothing is read again", async () => {
    const disk = new WatchedFileSystem();
    const { w } = await manyPacks({ fs: disk.fs });
    await rest(); // entries as young as the save are read again in any case
    await w.save();
    await w.engine.gc();
    const read: string[] = [];
    disk.hook = ({ method, path }) => {
      if (method === "open" && path.startsWith(w.folder)) read.push(path);
    };
    expect((await w.save()).noChange).toBe(true);
    await w.reopen();
    expect((await w.save()).noChange).toBe(true);
    expect(read).toEqual([]);
  });

  it("P6 happens when the engine is left alone, and when a program that changed something ends", async () => {
    let done: (result: Consolidation) => void = () => {};
    const left = new Promise<Consolidation>((resolve) => {
      done = resolve;
    });
    const idle = await manyPacks();
    const engine = await idle.w.another({ housekeeping: { idleMs: 1, onDone: done } });
    await engine.rename("latest", "nothing before something was changed");
    expect(await left).toMatchObject({ mergedPacks: 2 * SAVES, newPacks: 2, damaged: [] });
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

  it("C3 killed at any step: every object is in a published pack, and the next run finishes it", async () => {
    const disk = new WatchedFileSystem();
    const { w, states } = await manyPacks({ fs: disk.fs });
    await w.engine.close();
    const { store } = w;
    const backup = tempFolder("backup");
    fs.cpSync(store, backup, { recursive: true });
    const restoreStore = (): void => {
      fs.rmSync(store, { recursive: true });
      fs.cpSync(backup, store, { recursive: true });
    };
    /** A run that dies at its k-th step; answers its steps when it got through. */
    const run = async (k: number): Promise<Call[] | undefined> => {
      restoreStore();
      const engine = await w.another({ fs: disk.fs });
      const steps: Call[] = [];
      let killed = false;
      disk.hook = (call) => {
        const isStep = changes(call) && !call.path.includes("/locks/");
        if (isStep && !killed) steps.push(call);
        killed ||= steps.length > k;
        // A dead process does nothing any more: it does not clear up either.
        if (killed) throw errno("EIO", call.path);
      };
      const outcome = await engine.gc().catch((error: unknown) => error);
      disk.hook = () => {};
      await engine.close();
      if (killed) return undefined;
      expect(outcome).toMatchObject({ rewrittenPacks: 2 * SAVES });
      return steps;
    };
    const steps = (await run(Number.POSITIVE_INFINITY)) ?? [];
    const unlinks = steps.flatMap(({ method }, k) => (method === "unlink" ? [k] : []));
    expect(unlinks.length).toBeGreaterThanOrEqual(4 * SAVES);
    // The removals are alike: of them the first and some others.
    const kills = steps.flatMap(({ method }, k) =>
      method !== "unlink" || steps[k - 1]?.method !== "unlink" || k % 12 === 0 ? [k] : [],
    );
    for (const k of kills) {
      expect(await run(k)).toBeUndefined();
      fs.rmSync(`${store}/locks`, { recursive: true });
      const next = await w.another({ fs: { ...nodeFileSystem, fsync: () => {} } });
      expect({ k, ...(await next.verify({ full: true })) }).toMatchObject({ k, ok: true, checkpoints: SAVES });
      for (const [id, state] of states)
        expect(`file 644 "${String(await next.readFile(id, "d/e/f"))}"`).toBe(state["d/e/f"]);
      expect((await next.save({ kind: "manual", trigger: "manual", scan: w.scan })).noChange).toBe(true);
      await next.gc();
      expect({ k, ...(await next.verify({ full: true })) }).toMatchObject({ k, ok: true });
      await next.close();
    }
    w.engine = await w.another();
    await expectRestorable({ w, states });
  }, 180_000);

  it("C3 C11 another process that has the packs open reads and saves on, at every step of it", async () => {
    const many = await manyPacks();
    const { w, states } = many;
    const other = await w.another();
    const fresh: Promise<{ close(): Promise<void> }>[] = [];
    const [first, ...more] = [...states.keys()] as [string, ...string[]];
    expect(String(await other.readFile(first, "d/e/f"))).toBe("version 0");
    const answers: Promise<string>[] = [];
    let asked = 0;
    const disk = new WatchedFileSystem((call) => {
      if (!changes(call) || asked >= more.length * 3) return;
      const i = asked++ % more.length;
      // A question is answered before the call returns: here, between two steps of the merging process.
      answers.push(
        other.readFile(more[i] as string, "d/e/f").then((content) => `${i + 1}: ${Buffer.from(content).toString()}`),
      );
      if (asked % 20 === 0) fresh.push(w.another());
    });
    const merging = await w.another({ fs: disk.fs });
    expect(await merging.gc()).toMatchObject({ rewrittenPacks: 2 * SAVES });
    await merging.close();
    expect(answers.length).toBeGreaterThan(SAVES);
    for (const answer of await Promise.all(answers)) {
      const [i, text] = answer.split(": ");
      expect(text).toBe(`version ${i}`);
    }
    for (const engine of await Promise.all(fresh)) await engine.close();
    expect(await other.verify({ full: true })).toMatchObject({ ok: true, packs: 2 });
    w.write("new", "saved by the other");
    const { checkpoint } = await other.save({ kind: "manual", trigger: "manual", scan: w.scan });
    expect(checkpoint).toMatchObject({ newObjects: 1, added: 1 });
    await other.close();
    await expectRestorable(many);
  });

  it("P6 C11 another process that has the index in memory reads nothing again afterwards", async () => {
    const { w } = await manyPacks();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await w.save();
    const disk = new WatchedFileSystem();
    const other = await w.another({ fs: disk.fs });
    const again = { kind: "manual", trigger: "manual", scan: w.scan } as const;
    await other.save(again);
    await w.engine.gc();
    expect(packsIn(w, "packs")).toHaveLength(1);
    const read: string[] = [];
    disk.hook = ({ method, path }) => {
      if (method === "open" && path.startsWith(w.folder)) read.push(path);
    };
    await other.save(again);
    await other.close();
    expect(read).toEqual([]);
  });

  it("C8 a pack with something damaged stays as it is and is named; the others are merged", async () => {
    const { w } = await manyPacks();
    w.checkAfterwards = false;
    const victim = `${w.store}/packs/${packsIn(w, "packs")[7]}`;
    const bytes = fs.readFileSync(victim);
    bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
    fs.writeFileSync(victim, bytes);
    await w.engine.close();
    const results: Consolidation[] = [];
    const engine = await w.another({
      housekeeping: { idleMs: 0, onClose: true, onDone: (result) => results.push(result) },
    });
    await engine.rename("latest", "changed");
    await engine.close();
    const [result] = results;
    // Without it the tier of blob packs is as full as it was: the 33 others are merged.
    expect(result).toMatchObject({ mergedPacks: 2 * SAVES - 1, newPacks: 2 });
    expect(result?.damaged).toMatchObject([
      { id: victim.slice(-20, -4), message: expect.stringMatching(/is damaged/) },
    ]);
    expect(fs.readFileSync(victim).equals(bytes)).toBe(true);
    expect(packsIn(w, "packs")).toHaveLength(2);
    w.engine = await w.another();
    const { problems } = await w.engine.verify({ full: true });
    expect(new Set(problems.map((each) => each.part))).toEqual(new Set([victim.slice(w.store.length + 1)]));
  });

  it("an object that several packs hold is in one afterwards", async () => {
    const many = await manyPacks();
    const { w } = many;
    const { objects } = await w.engine.stats();
    const codecs = await loadCodecs();
    const twice = Buffer.from("version 3");
    const writer = new PackWriter({ fs: nodeFileSystem, codecs, folder: `${w.store}/packs`, nonce: "again" });
    writer.add(codecs.hash(twice), twice);
    writer.finish();
    await w.reopen();
    expect((await w.engine.stats()).objects).toBe(objects + 1);
    await w.engine.gc();
    expect((await w.engine.stats()).objects).toBe(objects);
    await expectRestorable(many);
  });

  it("a store whose packs are cut into parts keeps them so", async () => {
    const many = await manyPacks({}, 100);
    const { w } = many;
    await w.engine.gc();
    expect(packsIn(w, "packs")).toEqual([expect.stringMatching(/parts\.json$/)]);
    const parts = fs.readdirSync(`${w.store}/packs`).filter((name) => name.includes(".part-"));
    expect(parts.length).toBeGreaterThan(SAVES);
    for (const part of parts) expect(fs.statSync(`${w.store}/packs/${part}`).size).toBeLessThanOrEqual(100);
    await expectRestorable(many);
  });
});

function changes({ method, args }: Call): boolean {
  if (method === "open") return ((args[1] as number) & constants.O_CREAT) !== 0;
  return ["write", "fsync", "ftruncate", "rename", "unlink", "mkdir"].includes(method);
}
