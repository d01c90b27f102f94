/** Damage that is known, and what repairs it. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import type { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { repair } from "../../../src/core/ops/repair";
import { closeBareStore, openBareStore, quietOperation } from "../../support/bareStore";
import { damageContent } from "../../support/damagedContent";
import { DyingFileSystem } from "../../support/dyingFileSystem";
import { rest } from "../../support/rest";
import { openTestEngine, type TestWorkspace, unfinished } from "../../support/testEngine";
import { type Call, errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const datsIn = (w: TestWorkspace, folder: string): string[] =>
  fs
    .readdirSync(`${w.store}/${folder}`)
    .filter((name) => name.endsWith(".dat"))
    .map((name) => `${w.store}/${folder}/${name}`);

function flip(path: string, at: number): void {
  const bytes = fs.readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  fs.writeFileSync(path, bytes);
}

const listOf = (w: TestWorkspace): string => `${w.store}/packs/damaged.list`;

/** Two checkpoints; the content of `a` in the first is damaged, and `a` is there unchanged. */
async function withDamage(): Promise<TestWorkspace> {
  const w = await openTestEngine({ a: "the content of a, not compressed", d: { b: "b" } });
  w.checkAfterwards = false;
  await w.checkpoint();
  w.write("c", "another");
  await rest();
  await w.checkpoint();
  await w.engine.close();
  damageContent(w.store, "the content of a");
  w.engine = await w.another();
  return w;
}

describe("known damage", () => {
  it("C8 what verify found is stored anew by the next save, in another process, though nothing changed", async () => {
    const w = await withDamage();
    expect((await w.engine.verify({ full: true })).ok).toBe(false);
    expect(fs.existsSync(listOf(w))).toBe(true);
    await w.reopen();
    expect((await w.save()).noChange).toBe(true);
    expect(String(await w.engine.readFile("1", "a"))).toBe("the content of a, not compressed");
    const { damaged } = await w.engine.verify({ full: true });
    expect(damaged).toEqual([]);
  });

  it("C8 so is what a read stumbled over: written down when the engine is closed", async () => {
    const w = await withDamage();
    await expect(w.engine.readFile("1", "a")).rejects.toMatchObject({ code: "damaged" });
    expect(fs.existsSync(listOf(w))).toBe(false);
    await w.reopen();
    expect(fs.existsSync(listOf(w))).toBe(true);
    await w.save();
    expect(String(await w.engine.readFile("2", "a"))).toBe("the content of a, not compressed");
  });

  it("C8 or by the next operation that holds the lock", async () => {
    const w = await withDamage();
    await expect(w.engine.readFile("1", "a")).rejects.toMatchObject({ code: "damaged" });
    w.write("e", "something else");
    const { id } = await w.checkpoint();
    expect(String(await w.engine.readFile(id, "a"))).toBe("the content of a, not compressed");
  });

  for (const lanes of [{}, { laneCount: 2 }])
    it(`C8 a restore that fails for it, and a search, know it afterwards ${JSON.stringify(lanes)}`, async () => {
      for (const stumble of ["restore", "search"]) {
        const w = await withDamage();
        fs.renameSync(w.path("a"), w.path("moved"));
        await rest();
        await w.save();
        if (stumble === "restore") {
          await w.restore("1");
          expect(w.exists("a")).toBe(false);
          // Undone by hand, as a user would.
          fs.writeFileSync(w.path("a"), "the content of a, not compressed");
        } else expect((await w.engine.search({ text: "content" })).unreadable).toHaveLength(1);
        await w.reopen();
        expect(fs.readFileSync(listOf(w), "utf8")).toMatch(/\n[0-9a-f]{16} [0-9a-f]{32}/);
      }
    });

  it("C8 a list that is torn, or lost, is nobody's trouble", async () => {
    const w = await withDamage();
    await w.engine.verify({ full: true });
    for (const content of ["", "nonsense", fs.readFileSync(listOf(w), "utf8").slice(0, -1)]) {
      fs.writeFileSync(listOf(w), content);
      await w.reopen();
      expect(await w.engine.list()).toHaveLength(2);
      await expect(w.engine.readFile("1", "a")).rejects.toMatchObject({ code: "damaged" });
    }
  });

  it("C8 a copy that was put back from a backup is read although the list speaks against it", async () => {
    const w = await withDamage();
    await w.engine.verify({ full: true });
    await w.engine.close();
    damageContent(w.store, "uhe content of a");
    w.engine = await w.another();
    expect(String(await w.engine.readFile("1", "a"))).toBe("the content of a, not compressed");
    expect((await w.engine.verify({ full: true })).ok).toBe(true);
    expect(fs.existsSync(listOf(w))).toBe(false);
  });
});

describe("repair", () => {
  it("C8 heals from the workspace, writes the pack anew and leaves a sound store", async () => {
    const w = await withDamage();
    const { ok, healed, damaged } = await w.engine.repair();
    expect({ ok, damaged }).toEqual({ ok: true, damaged: [] });
    expect(healed.map(({ message }) => message).join("\n")).toMatch(/taken from a\b/);
    expect(fs.readdirSync(`${w.store}/damaged`)).not.toEqual([]);
    expect(fs.existsSync(listOf(w))).toBe(false);
    w.checkAfterwards = true;
  });

  it("C8 heals from where the content lies by now", async () => {
    const w = await withDamage();
    fs.mkdirSync(w.path("x"));
    fs.renameSync(w.path("a"), w.path("x", "renamed"));
    expect(await w.engine.repair()).toMatchObject({ ok: true });
    w.checkAfterwards = true;
  });

  it("C8 what nothing tells any more stays damaged, and by name; the rest is as it was", async () => {
    const w = await withDamage();
    w.write("a", "something else by now");
    const { ok, damaged } = await w.engine.repair();
    expect(ok).toBe(false);
    expect(damaged.map(({ checkpoint, paths }) => [checkpoint.number, paths])).toEqual([
      [2, ["a"]],
      [1, ["a"]],
    ]);
    expect(String(await w.engine.readFile("1", "d/b"))).toBe("b");
    // The file comes back: so does the checkpoint.
    w.write("a", "the content of a, not compressed");
    expect(await w.engine.repair()).toMatchObject({ ok: true });
    w.checkAfterwards = true;
  });

  it("C8 an index that is damaged or gone is made anew", async () => {
    const w = await withDamage();
    await w.engine.repair();
    for (const folder of ["packs", "trees"]) {
      const [first, second] = datsIn(w, folder).map((path) => path.replace(/dat$/, "idx"));
      fs.rmSync(first as string);
      if (second !== undefined) flip(second, 3);
    }
    await w.reopen();
    expect((await w.engine.verify({ full: true })).problems.map(({ part }) => part.replace(/.*\./, ""))).toContain(
      "idx",
    );
    const { ok, healed } = await w.engine.repair();
    expect(ok).toBe(true);
    expect(healed.filter(({ part }) => part.endsWith(".idx")).length).toBeGreaterThanOrEqual(2);
    w.checkAfterwards = true;
  });

  it("C8 trees are made anew from the scan, and from the checkpoints beside them", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "2", e: { c: "3" } } });
    w.checkAfterwards = false;
    await w.checkpoint();
    w.write("a", "2");
    await w.checkpoint();
    w.write("a", "3");
    fs.mkdirSync(w.path("d", "new"));
    w.write("d/new/x", "x");
    await w.checkpoint();
    fs.rmSync(w.path("d", "b"));
    await w.checkpoint();
    const before = await w.engine.list();
    for (const path of datsIn(w, "trees")) {
      const intact = fs.readFileSync(path);
      flip(path, -9);
      await w.reopen();
      expect(await w.engine.repair()).toMatchObject({ ok: true, damaged: [] });
      expect(await w.engine.list()).toEqual(before);
      expect(intact.length).toBeGreaterThan(0);
    }
    w.checkAfterwards = true;
  });

  it("C8 C12 so is what lies on a bad sector", async () => {
    const content = "c".repeat(70_000);
    const w = await openTestEngine({ a: "before it", b: content });
    await w.checkpoint();
    await w.engine.close();
    const [pack] = datsIn(w, "packs") as [string];
    const isBad = ({ method, path, args }: Call): boolean => {
      const [, , , length, position] = args as Parameters<typeof nodeFileSystem.read>;
      return method === "read" && path === pack && Number(position) <= 200 && Number(position) + Number(length) > 200;
    };
    const disk = new WatchedFileSystem((call) => {
      if (isBad(call)) throw errno("EIO", call.path);
    });
    w.engine = await w.another({ fs: disk.fs });
    const { ok, problems } = await w.engine.verify({ full: true });
    expect(ok).toBe(false);
    expect(problems.every(({ part }) => part === `packs/${basename(pack)}`)).toBe(true);
    expect(await w.engine.repair()).toMatchObject({ ok: true });
    expect(String(await w.engine.readFile("1", "b"))).toBe(content);
  });

  it("C8 an empty or missing store is none to be repaired", async () => {
    const w = await openTestEngine({ a: "1" });
    expect(await w.engine.repair()).toMatchObject({ ok: true, checkpoints: 0, healed: [] });
    expect(fs.existsSync(`${w.storeRoot}/stores`)).toBe(false);
  });
});

it("C3 C8 killed at any step, a repair has lost nothing that could be read, and the next one finishes it", async () => {
  const w = await withDamage();
  await w.engine.close();
  // Everything at once: content, an index, a tree that the workspace still has, the catalog.
  fs.rmSync((datsIn(w, "packs").at(-1) as string).replace(/dat$/, "idx"));
  const byTime = (a: string, b: string): number => fs.statSync(a).mtimeMs - fs.statSync(b).mtimeMs;
  flip(datsIn(w, "trees").sort(byTime).at(-1) as string, -9);
  flip(`${w.store}/catalog.sqlite`, 3_000);
  const broken = `${w.storeRoot}/broken`;
  const store = w.store;
  fs.renameSync(store, broken);
  let steps = 0;
  for (let lifetime = 0; lifetime <= steps; lifetime++) {
    fs.rmSync(store, { recursive: true, force: true });
    fs.cpSync(broken, store, { recursive: true });
    const disk = new DyingFileSystem(lifetime);
    const dying = openBareStore(w.folder, w.storeRoot, disk.fs);
    await repair(dying, quietOperation).catch((error: unknown) => {
      if (!disk.isDead) throw error;
    });
    if (disk.isDead) steps = lifetime + 1;
    const next = openBareStore(w.folder, w.storeRoot);
    for (const content of ["b", "another"])
      expect(String(next.blobs.read(next.codecs.hash(Buffer.from(content)))), `step ${lifetime}`).toBe(content);
    expect(await repair(next, quietOperation), `step ${lifetime}`).toMatchObject({ ok: true, damaged: [] });
    expect(next.catalog.checkpoints.map(({ number }) => number)).toEqual([2, 1]);
    // Those of the lock are left to whoever comes a minute later.
    expect(unfinished(store).filter((path) => !path.startsWith("locks/"))).toEqual([]);
    closeBareStore(next);
  }
  expect(steps).toBeGreaterThan(30);
  fs.rmSync(broken, { recursive: true });
  w.engine = await w.another();
  expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true });
});

/** The entries of a `.dat`: where they begin, and where they end. */
function entriesOf(dat: Buffer): { at: number; end: number; frame: Buffer }[] {
  const entries: { at: number; end: number; frame: Buffer }[] = [];
  for (let at = 8; at < dat.length; at = entries.at(-1)?.end ?? dat.length) {
    const end = at + 24 + Number(dat.readBigUInt64LE(at + 16));
    entries.push({ at, end, frame: dat.subarray(at + 24, end) });
  }
  return entries;
}

it("C8 no blob pack goes while it is not known what a lost folder listing names", async () => {
  const w = await openTestEngine({ a: "aaaa", sub: { x: "the lost one", y: "yyyy" } });
  w.checkAfterwards = false;
  await w.checkpoint();
  const [blobs, trees] = [datsIn(w, "packs")[0] as string, datsIn(w, "trees")[0] as string];
  w.write("sub/x", "second version");
  await w.checkpoint();
  await w.engine.close();
  // The header of the content, with no index to tell; and the listing that names it.
  const blob = fs.readFileSync(blobs);
  flip(blobs, entriesOf(blob).find(({ frame }) => frame.includes("the lost one"))?.at as number);
  fs.rmSync(blobs.replace(/dat$/, "idx"));
  const isSub = (frame: Buffer): boolean => frame.includes("x") && frame.includes("y") && !frame.includes("sub");
  flip(trees, (entriesOf(fs.readFileSync(trees)).find(({ frame }) => isSub(frame))?.end as number) - 8);
  w.engine = await w.another();
  expect(await w.engine.verify({ full: true })).toMatchObject({ ok: false });
  expect(await w.engine.repair()).toMatchObject({ ok: true, damaged: [] });
  await w.restore("1");
  expect(fs.readFileSync(w.path("sub/x"), "utf8")).toBe("the lost one");
});

/** A checkpoint whose content lies in parts, as nowhere else. */
async function withParts(): Promise<{ w: TestWorkspace; folder: string; names: () => string[] }> {
  const w = await openTestEngine({ b: "small" });
  w.checkAfterwards = false;
  w.write("a", randomBytes(20_000));
  await w.checkpoint({ packChunkBytes: 4096 });
  w.write("a", "other");
  await w.checkpoint();
  await w.engine.close();
  const folder = `${w.store}/packs`;
  return { w, folder, names: () => fs.readdirSync(folder).sort() };
}

it.each([{ lost: ["dat.parts.json"] }, { lost: ["dat.parts.json", "idx"] }])(
  "C8 parts that add up are a pack without $lost",
  async ({ lost }) => {
    const { w, folder, names } = await withParts();
    const manifest = names().find((name) => name.endsWith(".parts.json")) as string;
    const before = new Map(names().map((name) => [name, fs.readFileSync(`${folder}/${name}`, "latin1")]));
    for (const end of lost) fs.rmSync(`${folder}/${manifest.replace("dat.parts.json", end)}`);
    w.engine = await w.another();
    w.write("a", "third");
    await w.checkpoint();
    for (const [name, content] of before) expect(fs.readFileSync(`${folder}/${name}`, "latin1"), name).toBe(content);
    expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true });
  },
);

it("C8 parts that do not add up are kept if there is an index, and deleted if they never were a pack", async () => {
  const { w, folder, names } = await withParts();
  const manifest = names().find((name) => name.endsWith(".parts.json")) as string;
  const id = manifest.slice("pack-".length, -".dat.parts.json".length);
  fs.rmSync(`${folder}/${manifest}`);
  fs.rmSync(`${folder}/pack-${id}.dat.part-000001`);
  const left = names().filter((name) => name.includes(id));
  const never = "pack-0123456789abcdef.dat.part-000000";
  fs.writeFileSync(`${folder}/${never}`, "half of it");
  w.engine = await w.another();
  w.write("b", "third");
  await w.checkpoint();
  expect(fs.readdirSync(`${w.store}/damaged`).sort()).toEqual(left);
  expect(names().filter((name) => name.includes(id) || name === never)).toEqual([]);
});
