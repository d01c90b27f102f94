/** A catalog that is lost or damaged, made anew. */
import * as fs from "node:fs";
import { expect, it } from "vitest";
import { loadCodecs } from "../../../src/core/store/codecs";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { withSeeds } from "../../support/seeded";
import { snapshotTree } from "../../support/snapshotTree";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const openedCodecs = await loadCodecs();

const catalogOf = (w: TestWorkspace): string => `${w.store}/catalog.sqlite`;
const logOf = (w: TestWorkspace): string => `${w.store}/checkpoints.log`;

/** Names, notes, a pin, a deletion, a restore: all that a catalog holds. */
async function storyteller(): Promise<{ w: TestWorkspace; known: readonly Checkpoint[] }> {
  const w = await openTestEngine({ a: "1", d: { b: "2" }, big: "x".repeat(3000) }, { scan: { maxFileBytes: 2000 } });
  w.checkAfterwards = false;
  await w.checkpoint({ name: "the first", note: "with a note" });
  for (const text of ["22", "333", "4444"]) {
    w.write("a", text);
    await w.checkpoint({ kind: text === "333" ? "auto" : "manual" });
  }
  await w.engine.rename("2", "now näme 🎉");
  await w.engine.pin("2", true);
  await w.engine.setNote("3", "line\nline");
  await w.engine.delete(["4"]);
  await w.restore("2");
  return { w, known: await w.engine.list() };
}

/** Ends the engine, damages the store, and repairs it with a new one. */
async function repaired(w: TestWorkspace, damage: () => void): Promise<readonly Checkpoint[]> {
  await w.engine.close();
  damage();
  w.engine = await w.another();
  const result = await w.engine.repair();
  expect(result).toMatchObject({ ok: true, damaged: [], problems: [] });
  return w.engine.list();
}

/** What changed is told by the trees: counts are kept, and so is everything else. */
async function expectKept(w: TestWorkspace, known: readonly Checkpoint[]): Promise<void> {
  expect(await w.engine.list()).toEqual(known);
  expect((await w.engine.show("1")).skipped).toMatchObject([{ path: "big", reason: "too-large" }]);
  for (const { id } of known) await w.engine.show(id);
  // Numbers are not used again.
  w.write("a", "after that");
  expect((await w.checkpoint()).number).toBe(Math.max(...known.map(({ number }) => number), 4) + 1);
}

it("C9 deleted: all checkpoints are there again, with names, notes, pins and times", async () => {
  const { w, known } = await storyteller();
  expect(await repaired(w, () => fs.rmSync(catalogOf(w)))).toEqual(known);
  await expectKept(w, known);
  w.checkAfterwards = true;
});

it("C9 until then nothing is taken for garbage, and everything says what to do", async () => {
  const { w } = await storyteller();
  await w.engine.close();
  fs.rmSync(catalogOf(w));
  w.engine = await w.another();
  const before = snapshotTree(w.store);
  const says = { code: "damaged", message: /catalog .* is missing.*"Repair Store"/ };
  for (const attempt of [() => w.save(), () => w.engine.gc(), () => w.engine.delete(["1"]), () => w.engine.list()])
    await expect(attempt()).rejects.toMatchObject(says);
  expect(await w.engine.verify({ full: true })).toMatchObject({ ok: false, problems: [{ part: "catalog.sqlite" }] });
  expect(snapshotTree(w.store)).toEqual(before);
});

it("C9 with store.json gone as well, a store is not taken for a new one", async () => {
  const { w, known } = await storyteller();
  await w.engine.close();
  fs.rmSync(catalogOf(w));
  fs.rmSync(`${w.store}/store.json`);
  w.engine = await w.another();
  await expect(w.save()).rejects.toMatchObject({ code: "damaged" });
  expect(await w.engine.repair()).toMatchObject({ ok: true });
  expect(await w.engine.list()).toEqual(known);
  w.checkAfterwards = true;
});

it("C9 cut off at every 512 bytes", async () => {
  const { w, known } = await storyteller();
  const whole = fs.readFileSync(catalogOf(w));
  for (let length = 0; length < whole.length; length += 512)
    expect(await repaired(w, () => fs.writeFileSync(catalogOf(w), whole.subarray(0, length))), `${length}`).toEqual(
      known,
    );
  await expectKept(w, known);
  w.checkAfterwards = true;
});

it("C9 one bit flipped anywhere: it is noticed, and what was damaged is kept beside", async () => {
  const { w, known } = await storyteller();
  await withSeeds(40, async (random) => {
    const bit = random.below(8 * fs.statSync(catalogOf(w)).size);
    const flip = (): void => {
      const bytes = fs.readFileSync(catalogOf(w));
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      fs.writeFileSync(catalogOf(w), bytes);
    };
    expect(await repaired(w, flip)).toEqual(known);
    expect(fs.readdirSync(`${w.store}/damaged`).some((name) => name.startsWith("catalog-"))).toBe(true);
  });
  await expectKept(w, known);
  w.checkAfterwards = true;
});

it("C9 with the log gone too, what SQLite can still read of a flipped image is kept", async () => {
  const { w, known } = await storyteller();
  const after = await repaired(w, () => {
    const bytes = fs.readFileSync(catalogOf(w));
    bytes[68] = (bytes[68] ?? 0) ^ 1;
    fs.writeFileSync(catalogOf(w), bytes);
    fs.rmSync(logOf(w));
  });
  expect(after.filter(({ trigger }) => trigger !== "repair")).toEqual(known);
  w.checkAfterwards = true;
});

it("C9 with neither, every state is found by its trees, and can be restored", async () => {
  const { w, known } = await storyteller();
  const after = await repaired(w, () => {
    fs.rmSync(catalogOf(w));
    fs.rmSync(logOf(w));
  });
  const roots = new Set(after.map(({ rootTree }) => rootTree));
  for (const { rootTree } of known) expect(roots).toContain(rootTree);
  expect(after.every(({ note }) => note?.startsWith("Found in the store"))).toBe(true);
  const first = after.find(({ rootTree }) => rootTree === known.at(-1)?.rootTree) as Checkpoint;
  await w.restore(first);
  expect(w.read("a")).toBe("1");
  w.checkAfterwards = true;
});

it("C9 a log that misses the last save (a power cut): its state is found by its tree", async () => {
  const { w, known } = await storyteller();
  w.write("a", "the last one");
  const last = await w.checkpoint({ name: "lost name" });
  const after = await repaired(w, () => {
    const lines = fs.readFileSync(logOf(w), "utf8").trimEnd().split("\n");
    fs.writeFileSync(logOf(w), `${lines.slice(0, -1).join("\n")}\n${lines.at(-1)?.slice(0, 30)}`);
    fs.rmSync(catalogOf(w));
  });
  expect(after.slice(1)).toEqual(known);
  expect(after[0]).toMatchObject({ rootTree: last.rootTree, name: null, trigger: "repair", files: last.files });
  w.checkAfterwards = true;
});

it("C9 damaged lines of the log are named, and written anew from the catalog", async () => {
  const { w, known } = await storyteller();
  await w.engine.close();
  const bytes = fs.readFileSync(logOf(w));
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  fs.writeFileSync(logOf(w), bytes);
  w.engine = await w.another();
  expect((await w.engine.verify({ full: false })).problems).toMatchObject([{ part: "checkpoints.log" }]);
  expect(await w.engine.repair()).toMatchObject({ ok: true, healed: [{ part: "checkpoints.log" }] });
  expect(await repaired(w, () => fs.rmSync(catalogOf(w)))).toEqual(known);
  w.checkAfterwards = true;
});

it("C9 a log that is lost, or not in step, is written anew by the next commit", async () => {
  const { w } = await storyteller();
  for (const damage of [
    () => fs.rmSync(logOf(w)),
    () => fs.truncateSync(logOf(w), 50),
    () => fs.appendFileSync(logOf(w), "junk"),
  ]) {
    damage();
    await w.engine.rename("1", `${Math.random()}`);
    const known = await w.engine.list();
    expect(await repaired(w, () => fs.rmSync(catalogOf(w)))).toEqual(known);
  }
  w.checkAfterwards = true;
});

it("C9 P6 the log stays a few times as large as what is in it", async () => {
  const { w } = await storyteller();
  const whole = (await w.engine.stats()).catalogBytes;
  for (let i = 0; i < 1_500; i++) await w.engine.setNote("1", `${i} ${"n".repeat(300)}`);
  expect(fs.statSync(logOf(w)).size).toBeLessThan(whole + (512 << 10));
});

it("C9 with a damaged line and the catalog lost, the checkpoint that a restore came from is still one", async () => {
  const w = await openTestEngine({ a: "1" });
  w.checkAfterwards = false;
  const first = await w.checkpoint();
  w.write("a", "2");
  const { rootTree } = await w.checkpoint({ name: "precious" });
  await w.restore(first);
  w.write("a", "3");
  await w.checkpoint();
  // Neither end of the restore is denied.
  expect(fs.readFileSync(logOf(w), "latin1")).not.toMatch(/"trees":\[[^\]]*[0-9a-f]{32}/);
  await repaired(w, () => {
    const log = fs.readFileSync(logOf(w), "latin1");
    // As an earlier log has it, and with its line of the checkpoint damaged.
    const trees = JSON.stringify({ trees: [rootTree] });
    const sum = openedCodecs.xxh64(Buffer.from(trees)).toString(16).padStart(16, "0");
    fs.writeFileSync(logOf(w), `${log.replace("precious", "preciouX")}${sum} ${trees}\n`, "latin1");
    fs.rmSync(catalogOf(w));
  });
  const states = async () => (await w.engine.list()).map((each) => each.rootTree);
  expect(await states()).toContain(rootTree);
  await w.engine.gc();
  expect(await states()).toContain(rootTree);
  expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true });
});

it("V21 C9 a purge that was killed before its sweep is not taken back when the catalog is lost", async () => {
  let isArmed = false;
  const watched = new WatchedFileSystem((call) => {
    if (isArmed && call.method === "unlink" && /\/(packs|trees)\/pack-/.test(String(call.path)))
      throw errno("EIO", String(call.path));
  });
  const w = await openTestEngine({ a: "1" }, { fs: watched.fs });
  w.checkAfterwards = false;
  w.write("secret", "password");
  await w.checkpoint();
  for (const text of ["2", "3"]) {
    w.write("a", text);
    await w.checkpoint();
  }
  isArmed = true;
  await expect(w.engine.purge(["secret"])).rejects.toThrow("EIO");
  isArmed = false;
  const listed = await repaired(w, () => fs.rmSync(catalogOf(w)));
  expect(listed).toHaveLength(3);
  const plan = await w.engine.planPurge(["secret"]);
  expect(plan).toMatchObject({ paths: [], missing: ["secret"], owesSweep: true });
  expect((await w.engine.purge([])).freed.deadObjects).toBeGreaterThan(0);
  expect(await w.engine.planPurge(["secret"])).toMatchObject({ paths: [], owesSweep: false });
  // The log says so as well.
  await repaired(w, () => fs.rmSync(catalogOf(w)));
  expect(await w.engine.planPurge(["secret"])).toMatchObject({ paths: [], owesSweep: false });
});
