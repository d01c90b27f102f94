import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { planSweep } from "../../../src/core/ops/gc";
import { DEFAULT_RETENTION, type RetentionPolicy } from "../../../src/shared/retention";
import { mutateTree, randomTree } from "../../support/randomTree";
import { Random, withSeeds } from "../../support/seeded";
import type { Snapshot } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestOptions, type TestWorkspace } from "../../support/testEngine";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGIN = Date.UTC(2026, 0, 5, 9);
const THINNING: RetentionPolicy = { ...DEFAULT_RETENTION, minFreeDiskBytes: 0 };
const AUTO = { kind: "auto", trigger: "interval" } as const;

/** A workspace whose clock stands where it is put. */
async function openWithClock(options: TestOptions = {}): Promise<{ w: TestWorkspace; clock: { now: number } }> {
  const clock = { now: BEGIN };
  const w = await openTestEngine({}, { now: () => clock.now, localOffsetMs: () => 0, ...options });
  return { w, clock };
}

/** Whatever is there by now. */
function writeAnew(w: TestWorkspace, path: string, content: Buffer): void {
  fs.rmSync(w.path(path), { recursive: true, force: true });
  w.write(path, content);
}

function bytesOfPacks(w: TestWorkspace): number {
  return ["packs", "trees"].reduce(
    (sum, folder) =>
      sum +
      fs
        .readdirSync(`${w.store}/${folder}`)
        .filter((name) => !name.endsWith(".idx"))
        .reduce((bytes, name) => bytes + fs.statSync(`${w.store}/${folder}/${name}`).size, 0),
    0,
  );
}

/** What the entries of all packs take that no checkpoint uses, told by what the engine shows and the index files. */
async function deadBytes(w: TestWorkspace): Promise<number> {
  const used = new Set<string>();
  const visit = async (ref: string, tree: string, path: string): Promise<void> => {
    if (used.has(tree)) return;
    used.add(tree);
    for (const { type, hash, name } of await w.engine.readDirectory(ref, path))
      if (type === "directory") await visit(ref, hash, path === "" ? name : `${path}/${name}`);
      else used.add(hash);
  };
  for (const { id, rootTree } of await w.engine.list()) await visit(id, rootTree, "");
  let dead = 0;
  for (const folder of ["packs", "trees"])
    for (const name of fs.readdirSync(`${w.store}/${folder}`).filter((each) => each.endsWith(".idx"))) {
      const index = fs.readFileSync(`${w.store}/${folder}/${name}`);
      for (let at = 0; at + 32 <= index.length; at += 32) {
        const hash = Buffer.from(index.subarray(at, at + 16))
          .reverse()
          .toString("hex");
        const stored = index.subarray(at, at + 16).toString("hex");
        if (!used.has(hash) && !used.has(stored)) dead += 24 + Number(index.readBigUInt64LE(at + 24));
      }
    }
  return dead;
}

describe("C19 pruning a store", () => {
  it("C19 C10 what the plan names goes, the rest is whole, and the store is smaller by what was said", async () => {
    await withSeeds(2, async (random) => {
      const workspace = tempFolder("workspace");
      randomTree(random, workspace, 20);
      const { w, clock } = await openWithClock({ workspace });
      const saved = new Map<string, Snapshot>();
      // Five days, a checkpoint every two hours.
      for (let i = 0; i < 60; i++) {
        clock.now = BEGIN + i * 2 * HOUR;
        writeAnew(w, "always", random.bytes(3_000));
        mutateTree(random, workspace, 2);
        const pinned = random.chance(0.05);
        const { id } = await w.checkpoint(random.chance(0.1) ? { name: `n${i}` } : AUTO);
        if (pinned) await w.engine.pin(id, true);
        saved.set(id, w.snapshot());
      }
      const before = await w.engine.list();
      const plan = await w.engine.planPrune({ policy: THINNING });
      expect(plan.going.length).toBeGreaterThan(10);
      expect(plan.kept + plan.going.length).toBe(60);
      const size = bytesOfPacks(w);
      const result = await w.engine.prune({ policy: THINNING });
      expect(result.gone).toEqual(plan.going);
      const freed = size - bytesOfPacks(w);
      expect(freed).toBeGreaterThanOrEqual(plan.freedBytes * 0.95 - 1_000);
      expect(freed).toBeLessThanOrEqual(plan.freedBytes + 1_000);
      const gone = new Set(result.gone.map(({ checkpoint }) => checkpoint.id));
      const left = await w.engine.list();
      expect(left.map(({ id }) => id)).toEqual(before.map(({ id }) => id).filter((id) => !gone.has(id)));
      for (const { checkpoint } of result.gone) expect([checkpoint.pinned, checkpoint.name]).toEqual([false, null]);
      expect((await w.engine.prune({ policy: THINNING })).gone).toEqual([]);
      for (const { id } of left) {
        await w.restore(id, { safety: false });
        expect(w.snapshot()).toEqual(saved.get(id));
      }
    });
  });

  it("C19 a limit on the store's size holds afterwards, on disk", async () => {
    const random = new Random(21);
    const { w, clock } = await openWithClock();
    for (let i = 0; i < 30; i++) {
      clock.now = BEGIN + i * HOUR;
      w.write("a", random.bytes(10_000));
      w.write("kept", `${i}`);
      await w.checkpoint(AUTO);
    }
    const maxStoreBytes = 150_000;
    // No limit takes what is kept for being of the last hours.
    clock.now += 25 * HOUR;
    const policy = { ...THINNING, maxStoreBytes };
    const plan = await w.engine.planPrune({ policy });
    expect(new Set(plan.going.map(({ reason }) => reason))).toEqual(new Set(["size"]));
    await w.engine.prune({ policy, automatic: true });
    const { totalBytes } = await w.engine.stats();
    expect(totalBytes).toBeLessThanOrEqual(maxStoreBytes);
    // Not much more than it takes.
    expect(totalBytes).toBeGreaterThan(maxStoreBytes - 25_000);
    expect((await w.engine.list())[0]?.number).toBe(30);
    const tiny = await w.engine.prune({ policy: { ...THINNING, maxStoreBytes: 1 } });
    expect(tiny.missingBytes).toBeGreaterThan(0);
    expect((await w.engine.list()).map(({ number }) => number)).toEqual([30]);
  });

  it("C19 a minimum of free disk: automatic checkpoints make room, automatic saves pause, others are warned", async () => {
    let free = 5_000_000;
    const disk: FileSystem = { ...nodeFileSystem, freeBytes: () => free };
    const random = new Random(22);
    const { w, clock } = await openWithClock({ fs: disk });
    const room = { minFreeDiskBytes: 1_000_000 };
    for (let i = 0; i < 5; i++) {
      clock.now = BEGIN + i * HOUR;
      w.write("a", random.bytes(50_000));
      const { lowDiskBytes } = await w.save({ ...AUTO, ...room });
      expect(lowDiskBytes).toBeUndefined();
    }
    expect((await w.engine.stats()).freeDiskBytes).toBe(5_000_000);
    free = 920_000;
    w.write("a", "new");
    const before = await w.engine.list();
    await expect(w.save({ ...AUTO, ...room })).rejects.toMatchObject({ code: "disk-low" });
    expect(await w.engine.list()).toEqual(before);
    // All are of the last hours: none of them goes for the room.
    const early = await w.engine.planPrune({ policy: { ...THINNING, ...room } });
    expect(early.going).toEqual([]);
    expect(early.missingBytes).toBeGreaterThan(79_000);
    clock.now += 25 * HOUR;
    const plan = await w.engine.planPrune({ policy: { ...THINNING, ...room } });
    expect(plan.going.map(({ checkpoint, reason }) => [checkpoint.number, reason])).toEqual([
      [1, "disk"],
      [2, "disk"],
    ]);
    expect(plan).toMatchObject({ freeDiskBytes: 920_000, missingBytes: 0 });
    const byHand = await w.save(room);
    expect(byHand).toMatchObject({ noChange: false, lowDiskBytes: 920_000 });
    free = 1_000_000;
    w.write("a", "newer");
    expect((await w.save({ ...AUTO, ...room })).noChange).toBe(false);
  });

  it("C19 a disk that is full of other things costs no history", async () => {
    let free = 500e9;
    const { w, clock } = await openWithClock({ fs: { ...nodeFileSystem, freeBytes: () => free } });
    for (let i = 0; i < 20; i++) {
      clock.now += HOUR;
      w.write("a", `v${i}`);
      await w.checkpoint(AUTO);
    }
    free = 500e6;
    const policy = { ...DEFAULT_RETENTION, allHours: 0 };
    const { gone, kept, missingBytes } = await w.engine.prune({ policy, automatic: true });
    expect([gone, kept, missingBytes]).toEqual([[], 20, 500e6]);
    expect(await w.engine.list()).toHaveLength(20);
  });

  it("C19 garbage that is not worth a rewrite goes when the store is too large", async () => {
    const random = new Random(23);
    const { w } = await openWithClock();
    w.write("large", random.bytes(200_000));
    w.write("small", random.bytes(5_000));
    const first = await w.checkpoint();
    fs.rmSync(w.path("small"));
    await w.checkpoint();
    await w.engine.delete([first.id]);
    const { totalBytes } = await w.engine.stats();
    const policy = { ...THINNING, maxStoreBytes: totalBytes - 4_000 };
    const plan = await w.engine.planPrune({ policy });
    expect(plan).toMatchObject({ going: [], missingBytes: 0 });
    expect(plan.freedBytes).toBeGreaterThan(5_000);
    const { gone, freed } = await w.engine.prune({ policy, automatic: true });
    expect([gone, freed.rewrittenPacks]).toEqual([[], 1]);
    expect((await w.engine.stats()).totalBytes).toBeLessThanOrEqual(policy.maxStoreBytes);
  });

  it("C19 the room that a limit needs rewrites no pack for a few dead bytes", async () => {
    const random = new Random(24);
    const { w, clock } = await openWithClock();
    w.write("large", random.bytes(200_000));
    w.write("tiny", "1");
    await w.checkpoint(AUTO);
    fs.rmSync(w.path("tiny"));
    w.write("middle", random.bytes(60_000));
    clock.now += HOUR;
    await w.checkpoint(AUTO);
    fs.rmSync(w.path("middle"));
    clock.now += HOUR;
    await w.checkpoint(AUTO);
    const policy = { ...THINNING, allHours: 0, maxStoreBytes: (await w.engine.stats()).totalBytes - 40_000 };
    const { gone, freed } = await w.engine.prune({ policy, automatic: true });
    expect(gone.map(({ checkpoint, reason }) => [checkpoint.number, reason])).toEqual([
      [1, "size"],
      [2, "size"],
    ]);
    // The pack of the middle one is all garbage; that of the large one has a few bytes of it and stays as it is.
    const large = fs.readdirSync(`${w.store}/packs`).map((name) => fs.statSync(`${w.store}/packs/${name}`).size);
    expect(Math.max(...large)).toBeGreaterThan(200_000);
    expect([freed.rewrittenPacks, freed.removedPacks > 0]).toEqual([0, true]);
    expect((await w.engine.stats()).totalBytes).toBeLessThanOrEqual(policy.maxStoreBytes);
  });

  it("C19 undo and redo go on working after it", async () => {
    const { w, clock } = await openWithClock();
    w.write("a", "1");
    const first = await w.checkpoint(AUTO);
    w.write("a", "2");
    clock.now += 60_000;
    await w.restore(first);
    clock.now += 400 * DAY;
    w.write("b", "later");
    await w.checkpoint();
    expect((await w.engine.prune({ policy: { ...THINNING, maxStoreBytes: 1 } })).gone).toMatchObject([
      { checkpoint: { id: first.id } },
    ]);
    await w.undo();
    expect(w.read("a")).toBe("2");
    await w.engine.prune({ policy: { ...THINNING, maxStoreBytes: 1 } });
    await w.redo();
    expect(w.read("a")).toBe("1");
  });

  it("C19 of what was agreed to nothing goes that has been set apart since", async () => {
    const { w, clock } = await openWithClock();
    for (let i = 0; i < 4; i++) {
      w.write("a", `${i}`);
      await w.checkpoint(AUTO);
    }
    clock.now += 400 * DAY;
    const only = (await w.engine.planPrune({ policy: THINNING })).going.map(({ checkpoint }) => checkpoint.id);
    expect(only).toHaveLength(3);
    await w.engine.pin("2", true);
    const { gone } = await w.engine.prune({ policy: THINNING, only: only.slice(0, 2) });
    expect(gone.map(({ checkpoint }) => checkpoint.number)).toEqual([1]);
    expect((await w.engine.list()).map(({ number }) => number)).toEqual([4, 3, 2]);
  });

  it("C19 makes no store where there is none", async () => {
    const w = await openTestEngine({ a: "1" });
    w.checkAfterwards = false;
    expect((await w.engine.prune({ policy: THINNING })).gone).toEqual([]);
    expect(fs.existsSync(`${w.storeRoot}/stores`)).toBe(false);
  });

  it("C8 C19 a damaged checkpoint stops it before anything goes", async () => {
    const { w, clock } = await openWithClock();
    w.checkAfterwards = false;
    for (let i = 0; i < 3; i++) {
      w.write(`f${i}`, `${i}`);
      await w.checkpoint(AUTO);
    }
    clock.now += 400 * DAY;
    await w.reopen();
    const trees = `${w.store}/trees`;
    const packs = fs.readdirSync(trees).filter((name) => name.endsWith(".dat"));
    for (const name of packs) {
      const bytes = fs.readFileSync(`${trees}/${name}`);
      bytes[bytes.length - 8] = (bytes[bytes.length - 8] ?? 0) ^ 1;
      fs.writeFileSync(`${trees}/${name}`, bytes);
    }
    await expect(w.engine.prune({ policy: THINNING })).rejects.toMatchObject({ code: "damaged" });
    expect(await w.engine.list()).toHaveLength(3);
  });
});

describe("C10 how much of the garbage is freed", () => {
  it("C10 random checkpoints deleted, then gc: at least 95 % of the dead bytes are freed", async () => {
    await withSeeds(4, async (random) => {
      const workspace = tempFolder("workspace");
      randomTree(random, workspace, 40);
      const w = await openTestEngine({}, { workspace });
      for (let i = 0; i < 8; i++) {
        // One pack with much in it, and many with little.
        for (let file = 0; file < (i === 0 ? 40 : 2); file++)
          writeAnew(w, `data${i === 0 ? file : random.below(40)}`, random.bytes(2_000 + random.below(4_000)));
        await w.checkpoint({ name: `n${i}` });
        mutateTree(random, workspace, 5);
      }
      const used = bytesOfPacks(w);
      const count = 1 + random.below(6);
      for (let i = 0; i < count; i++) {
        const { id } = random.pick(await w.engine.list());
        await w.engine.delete([id]);
      }
      const dead = used - bytesOfPacks(w) + (await deadBytes(w));
      await w.engine.gc();
      expect(used - bytesOfPacks(w)).toBeGreaterThanOrEqual(dead * 0.95);
      expect(await deadBytes(w)).toBeLessThanOrEqual(dead * 0.05);
    });
  });

  it("C10 thorough: at most 5 % of the garbage stays; worthwhile: at most 20 bytes are copied for one that is freed", async () => {
    await withSeeds(300, (random) => {
      const packs = Array.from({ length: 1 + random.below(20) }, (_, i) => {
        const bytes = 1_000 + random.below(1_000_000);
        const isDead = random.chance(0.1);
        const share = random.pick([0.001, 0.03, 0.05, 0.5]) * random.next();
        return { id: i, bytes, live: isDead ? [] : [1], deadBytes: isDead ? bytes : Math.ceil(bytes * share) };
      });
      const sum = (of: readonly { deadBytes: number }[]): number => of.reduce((all, each) => all + each.deadBytes, 0);
      const dead = sum(packs);
      const thorough = planSweep(packs as never, "thorough") as unknown as typeof packs;
      expect(dead - sum(thorough)).toBeLessThanOrEqual(dead * 0.05);
      const worthwhile = planSweep(packs as never, "worthwhile") as unknown as typeof packs;
      for (const each of worthwhile) expect(each.deadBytes * 20).toBeGreaterThanOrEqual(each.bytes);
      const left = packs.filter((each) => !worthwhile.includes(each));
      for (const each of left) expect(each.deadBytes).toBeLessThan(each.bytes * 0.05);
      for (const plan of [thorough, worthwhile])
        expect(packs.filter(({ live }) => live.length === 0).every((each) => plan.includes(each))).toBe(true);
    });
  });
});
