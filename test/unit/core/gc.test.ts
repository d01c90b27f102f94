import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { loadCodecs } from "../../../src/core/store/codecs";
import { PackWriter } from "../../../src/core/store/packWriter";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { mutateTree, randomTree } from "../../support/randomTree";
import { rest } from "../../support/rest";
import { Random, withSeeds } from "../../support/seeded";
import { type Snapshot, snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

const bytesIn = (w: TestWorkspace, folder: string): number =>
  fs
    .readdirSync(`${w.store}/${folder}`)
    .reduce((sum, name) => sum + fs.statSync(`${w.store}/${folder}/${name}`).size, 0);

describe("deleting checkpoints", () => {
  it("C10 frees what only they used, and keeps everything others use", async () => {
    const random = new Random(1);
    const shared = random.bytes(100_000);
    const w = await openTestEngine({ shared, mine: random.bytes(200_000), d: { mine: random.bytes(50_000) } });
    const first = await w.checkpoint();
    fs.rmSync(w.path("d"), { recursive: true });
    w.write("mine", random.bytes(70_000));
    const second = await w.checkpoint();
    const then = w.snapshot();
    const before = bytesIn(w, "packs");
    const plan = await w.engine.planDelete([first.id]);
    expect(plan).toMatchObject({ deadObjects: 2, checkpoints: [{ id: first.id }] });
    expect(bytesIn(w, "packs")).toBe(before);
    const { deadObjects, freedBytes } = await w.engine.delete([first.id]);
    // Two contents, and two trees: the folder's and the root's.
    expect(deadObjects).toBe(4);
    expect(freedBytes).toBeGreaterThanOrEqual(plan.deadBytes);
    expect(before - bytesIn(w, "packs")).toBeGreaterThanOrEqual(plan.deadBytes * 0.95);
    expect(await w.engine.list()).toMatchObject([{ id: second.id, parentId: null }]);
    w.write("mine", "x");
    w.write("shared", "x");
    await w.restore(second);
    expect(w.snapshot()).toEqual(then);
    expect(await w.engine.gc()).toMatchObject({ deadObjects: 0 });
  });

  it("C10 frees every dead byte when the last checkpoint goes, and numbers are not used again", async () => {
    const w = await openTestEngine({ a: new Random(2).bytes(10_000) });
    await w.checkpoint();
    await w.engine.delete(["latest"]);
    expect(fs.readdirSync(`${w.store}/packs`)).toEqual([]);
    expect(fs.readdirSync(`${w.store}/trees`)).toEqual([]);
    expect(await w.engine.list()).toEqual([]);
    expect(await w.checkpoint()).toMatchObject({ number: 2, newObjects: 1 });
  });

  it("C10 a save after it stores again what went: the index trusts nothing that was removed", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "2", e: { c: "3" } } });
    const first = await w.checkpoint();
    const then = w.snapshot();
    const aside = `${tempFolder("aside")}/d`;
    fs.renameSync(w.path("d"), aside);
    w.write("a", "other");
    await w.checkpoint();
    await w.engine.delete([first.id]);
    fs.renameSync(aside, w.path("d"));
    w.write("a", "1");
    const third = await w.checkpoint();
    await w.expectSound();
    fs.rmSync(w.path("d"), { recursive: true });
    await w.restore(third);
    expect(w.snapshot()).toEqual(then);
  });

  it("C10 C11 deleting in one process, saving in another: nothing is trusted that has gone", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "2" } });
    const other = await w.another();
    try {
      await w.checkpoint();
      await rest();
      await w.save();
      // The other engine has looked at nothing of this yet.
      await other.delete(["latest"]);
      const again = await w.checkpoint();
      await w.expectSound();
      fs.rmSync(w.path("d"), { recursive: true });
      await other.restore({ ref: again.id, scan: w.scan });
      expect(w.read("d/b")).toBe("2");
    } finally {
      await other.close();
    }
  });

  it("C10 random checkpoints, deleted in random order: the others stay whole at every step", async () => {
    await withSeeds(5, async (random) => {
      const workspace = tempFolder("workspace");
      randomTree(random, workspace, 30);
      const w = await openTestEngine({}, { workspace });
      const saved = new Map<string, Snapshot>();
      for (let i = 0; i < 6; i++) {
        const chunks = random.pick([0, 4_096]);
        saved.set((await w.checkpoint({ name: `n${i}`, packChunkBytes: chunks })).id, w.snapshot());
        mutateTree(random, workspace, 6);
      }
      while (saved.size > 1) {
        const id = random.pick([...saved.keys()]);
        saved.delete(id);
        if (random.chance(0.3)) await w.reopen();
        await w.engine.delete([id]);
        await w.expectSound();
        const [other, tree] = random.pick([...saved]);
        await w.restore(other, { safety: random.chance(0.5) });
        expect(w.snapshot()).toEqual(tree);
      }
    });
  });

  it("C10 packs are copied in pieces, however large what they hold", async () => {
    const random = new Random(7);
    const disk = new WatchedFileSystem();
    const large = Buffer.concat([random.bytes(9_000_000), Buffer.alloc(30_000_000)]);
    const w = await openTestEngine({ large, gone: random.bytes(3_000_000) }, { fs: disk.fs });
    const first = await w.checkpoint();
    fs.rmSync(w.path("gone"));
    await w.checkpoint();
    const then = w.snapshot();
    let largest = 0;
    disk.hook = ({ method, path, args }) => {
      if (method === "read" && path.endsWith(".dat")) largest = Math.max(largest, Number(args[3]));
    };
    expect(await w.engine.delete([first.id])).toMatchObject({ rewrittenPacks: 1 });
    disk.hook = () => {};
    expect(largest).toBeLessThanOrEqual(1 << 20);
    fs.rmSync(w.path("large"));
    await w.restore("latest");
    expect(w.snapshot()).toEqual(then);
  });

  it("C10 needs room for one new pack at a time", async () => {
    const random = new Random(8);
    const w = await openTestEngine({});
    for (let i = 0; i < 4; i++) {
      w.write(`keep${i}`, random.bytes(100_000));
      w.write(`gone${i}`, random.bytes(50_000));
      await w.checkpoint();
      fs.rmSync(w.path(`gone${i}`));
    }
    const last = await w.checkpoint();
    const then = w.snapshot();
    let most = 0;
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (method === "unlink" && path.endsWith(".dat")) most = Math.max(most, bytesIn(w, "packs"));
    });
    const engine = await w.another({ fs: disk.fs });
    const before = bytesIn(w, "packs");
    const gone = (await engine.list()).filter((each) => each.id !== last.id);
    expect(await engine.delete(gone.map((each) => each.id))).toMatchObject({ rewrittenPacks: 4 });
    await engine.close();
    expect(most - before).toBeLessThan(110_000);
    for (const name of Object.keys(then)) fs.rmSync(w.path(name));
    await w.restore(last);
    expect(w.snapshot()).toEqual(then);
  });

  /** A pack of `kept` and `gone`, of which `kept` is damaged; the checkpoint that alone uses `gone`. */
  async function damagedPack(): Promise<{ w: TestWorkspace; first: Checkpoint; kept: Buffer }> {
    const random = new Random(9);
    const kept = random.bytes(20_000);
    const w = await openTestEngine({ kept, gone: random.bytes(20_000) });
    const first = await w.checkpoint();
    fs.rmSync(w.path("gone"));
    await w.checkpoint();
    const pack = fs.readdirSync(`${w.store}/packs`).find((name) => name.endsWith(".dat")) ?? "";
    const path = `${w.store}/packs/${pack}`;
    const bytes = fs.readFileSync(path);
    const at = bytes.indexOf(kept.subarray(0, 100)) + 50;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fs.writeFileSync(path, bytes);
    return { w, first, kept };
  }

  it("C8 C10 a pack with something damaged that is in use stays as it is, and all else goes on", async () => {
    const { w, first } = await damagedPack();
    w.checkAfterwards = false;
    const [name] = fs.readdirSync(`${w.store}/packs`).filter((each) => each.endsWith(".dat")) as [string];
    const named = [{ id: name.slice(5, -4), message: expect.stringMatching(/damaged/) }];
    expect(await w.engine.delete([first.id])).toMatchObject({ damaged: named });
    // What was found is known from now on.
    expect(fs.readdirSync(`${w.store}/packs`)).toEqual(["damaged.list", name, name.replace(/dat$/, "idx")].sort());
    const { damaged } = await w.engine.verify({ full: true });
    expect(damaged.map((each) => each.paths)).toEqual([["kept"]]);
    expect(await w.engine.gc()).toMatchObject({ freedBytes: 0, damaged: named });
    w.write("new", "1");
    await w.checkpoint();
  });

  it("C8 C10 what is damaged in one pack is copied from another that has it whole", async () => {
    const { w, first, kept } = await damagedPack();
    const codecs = await loadCodecs();
    const writer = new PackWriter({ fs: nodeFileSystem, codecs, folder: `${w.store}/packs`, nonce: "other" });
    writer.add(codecs.hash(kept), kept);
    writer.add(codecs.hash(Buffer.from("more")), Buffer.from("more"));
    writer.finish();
    await w.engine.delete([first.id]);
    fs.rmSync(w.path("kept"));
    await w.restore("latest");
    expect(fs.readFileSync(w.path("kept")).equals(kept)).toBe(true);
  });

  it("C8 C10 what the disk does not give back as it was written does not take the place of what is whole", async () => {
    let breaks = false;
    const write: FileSystem["write"] = (fd, bytes, ...rest) => {
      const isWhole = !breaks || !Buffer.from(bytes).includes("kept, and kept");
      return nodeFileSystem.write(fd, isWhole ? bytes : Buffer.from(bytes).reverse(), ...rest);
    };
    const w = await openTestEngine(
      { gone: randomBytes(3_000), kept: "kept, and kept" },
      { fs: { ...nodeFileSystem, write } },
    );
    const first = await w.checkpoint();
    fs.rmSync(w.path("gone"));
    await w.checkpoint();
    const packs = fs.readdirSync(`${w.store}/packs`);
    breaks = true;
    await expect(w.engine.delete([first.id])).rejects.toMatchObject({ code: "io" });
    breaks = false;
    expect(fs.readdirSync(`${w.store}/packs`)).toEqual(packs);
    await w.expectSound();
    expect((await w.engine.gc()).freedBytes).toBeGreaterThan(3_000);
    fs.rmSync(w.path("kept"));
    await w.restore("latest");
    expect(w.read("kept")).toBe("kept, and kept");
  });

  it("C10 children of a deleted checkpoint tell their changes against what is left", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("b", "2");
    const second = await w.checkpoint();
    w.write("c", "3");
    const third = await w.checkpoint();
    await w.engine.delete([second.id]);
    const { checkpoint, changes } = await w.engine.show(third.id);
    expect(checkpoint.parentId).toBe(first.id);
    expect(changes.map((each) => each.path)).toEqual(["b", "c"]);
  });

  it("refuses unknown references before anything goes", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    const before = snapshotTree(w.store);
    await expect(w.engine.delete(["latest", "nobody"])).rejects.toMatchObject({ code: "not-found" });
    expect(snapshotTree(w.store)).toEqual(before);
  });

  it("the index folder, or all of it but the catalog's parts, may be lost: a save reads more and all is well", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "2" } });
    await w.checkpoint();
    fs.rmSync(`${w.store}/index`, { recursive: true });
    fs.rmSync(`${w.store}/locks`, { recursive: true });
    await w.reopen();
    expect((await w.save()).noChange).toBe(true);
    expect(fs.readdirSync(`${w.store}/index`)).toContain("files.base");
  });
});

it("C10 what a checkpoint changed is said against the one that is its parent now", async () => {
  const w = await openTestEngine({ a: "1", b: "1" });
  await w.checkpoint();
  w.write("a", "22");
  const second = await w.checkpoint();
  w.write("c", "new");
  const third = await w.checkpoint();
  expect([third.added, third.changed]).toEqual([1, 0]);
  await w.engine.delete([second.id]);
  const { checkpoint, changes } = await w.engine.show(third.id);
  expect([checkpoint.added, checkpoint.changed, checkpoint.removed]).toEqual([1, 1, 0]);
  expect(changes.map((change) => change.path)).toEqual(["a", "c"]);
});

it("C10 makes no store where there is none", async () => {
  const w = await openTestEngine({ a: "1" });
  w.checkAfterwards = false;
  expect(await w.engine.gc()).toMatchObject({ freedBytes: 0 });
  expect(fs.existsSync(`${w.storeRoot}/stores`)).toBe(false);
});
