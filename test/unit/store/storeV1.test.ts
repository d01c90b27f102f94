/** C13: a store as version 1 wrote it stays readable; what a later version wrote is refused by name and not touched. */
import * as nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { openPackSet } from "../../../src/core/store/packSet";
import { locateStore } from "../../../src/core/store/storeLayout";
import { encodeTree } from "../../../src/core/store/tree";
import { snapshotTree } from "../../support/snapshotTree";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { file, link } from "../../support/treeLiteral";
import { codecs, fs, noise, tempFolder, writePack } from "./packFixture";

const FIXTURE = `${import.meta.dirname}/../../fixtures/store-v1`;

const first = {
  "read me.txt": "first\n",
  "run.sh": file("#!/bin/sh\necho hi\n", 0o755),
  latest: link("read me.txt"),
  dangling: link("../nowhere/é"),
  "noise.bin": Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i * 31 + (i >> 3) * 7) & 255)),
  src: { "a.ts": "export const a = 1;\n".repeat(5000), "ü\n.ts": "odd name\n", deep: { er: { x: "" } } },
  "empty folder": {},
  big: "x".repeat(5000),
};
const { deep: _, ...src } = first.src;
const second = { ...first, src, "read me.txt": "second\n", new: Buffer.alloc(2500, "split me ") };
const third = { ...second, latest: { file: "was a link\n" } };

/** The fixture as the store of an empty workspace. */
async function openFixture(): Promise<TestWorkspace> {
  const w = await openTestEngine();
  await w.engine.close();
  const layout = locateStore(fs, codecs, w.folder, w.storeRoot);
  nodeFs.cpSync(FIXTURE, layout.folder, { recursive: true });
  // As every store has them; what a checkout gives is up to the umask.
  for (const part of ["", "/packs", "/trees"]) nodeFs.chmodSync(`${layout.folder}${part}`, 0o700);
  w.engine = await w.another();
  return w;
}

describe("a store of version 1", () => {
  it("C13 lists what it held, to the last field", async () => {
    const w = await openFixture();
    const list = await w.engine.list();
    expect(
      list.map(({ number, name, note, kind, pinned, branch }) => [number, name, note, kind, pinned, branch]),
    ).toEqual([
      [3, "näme 3", null, "manual", false, "main"],
      [2, null, null, "auto", true, null],
      [1, "first", "the oldest", "manual", false, null],
    ]);
    expect(list[2]).toMatchObject({
      id: "01a1f9b7-95e2-764d-968c-8fdf9fa4b187",
      createdAt: 1795190920675,
      rootTree: "55696c96a0ce4bfc00ba4c93c21f0146",
      files: 9,
      bytes: 108057,
    });
    const { ok, problems } = await w.engine.verify({ full: true });
    expect({ ok, problems }).toEqual({ ok: true, problems: [] });
  });

  it("C13 is compared, searched, and its files have their history", async () => {
    const w = await openFixture();
    const { changes } = await w.engine.diff({ ref: "1" }, { ref: "3" });
    expect(changes.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual([
      "added latest/file",
      "added new",
      "changed read me.txt",
      "removed src/deep/er/x",
      "typeChanged latest",
    ]);
    expect((await w.engine.history("read me.txt")).map(({ checkpoint }) => checkpoint.number)).toEqual([2, 1]);
    expect((await w.engine.search({ text: "odd name" })).matches.map(({ path }) => path)).toEqual(["src/ü\n.ts"]);
  });

  it("C13 is restored, byte for byte, and can be saved on", async () => {
    const w = await openFixture();
    for (const [ref, tree] of [
      ["3", third],
      ["1", first],
      ["2", second],
    ] as const) {
      await w.restore(ref);
      const expected = await openTestEngine(tree);
      expect(w.snapshot()).toEqual(expected.snapshot());
    }
    w.write("more", "more");
    expect((await w.checkpoint()).number).toBeGreaterThan(3);
  });

  it("C9 C13 its log makes its catalog anew", async () => {
    const w = await openFixture();
    const known = await w.engine.list();
    nodeFs.rmSync(`${w.store}/catalog.sqlite`);
    await w.engine.repair();
    expect(await w.engine.list()).toEqual(known);
  });
});

describe("what a later version wrote", () => {
  /** Changes one file of the fixture, tries everything, and expects that nothing was touched. */
  async function expectRefused(path: string, change: (content: Buffer) => Buffer | string): Promise<void> {
    const w = await openFixture();
    w.checkAfterwards = false;
    nodeFs.writeFileSync(`${w.store}/${path}`, change(nodeFs.readFileSync(`${w.store}/${path}`)));
    const before = snapshotTree(w.store);
    const newer = { code: "newer-format", message: /newer version|has format/ };
    for (const attempt of [() => w.save(), () => w.engine.gc(), () => w.engine.repair()])
      await expect(attempt()).rejects.toMatchObject(newer);
    expect(snapshotTree(w.store, { without: (name) => name.startsWith("index") || name === "locks" })).toEqual(
      withoutFolders(before),
    );
  }
  const withoutFolders = (snapshot: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(snapshot).filter(([name]) => !/^(index|locks)/.test(name)));

  it("C13 a store is refused by name and left untouched", () =>
    expectRefused("store.json", (text) => String(text).replace('"formatVersion": 1', '"formatVersion": 2')));

  it("C13 so is the log of checkpoints, where the catalog is lost", async () => {
    const w = await openFixture();
    w.checkAfterwards = false;
    const json = JSON.stringify({ version: 2, nextNumber: 9 });
    const sum = codecs.xxh64(Buffer.from(json)).toString(16).padStart(16, "0");
    nodeFs.writeFileSync(`${w.store}/checkpoints.log`, `${sum} ${json}\n`);
    nodeFs.rmSync(`${w.store}/catalog.sqlite`);
    await expect(w.engine.repair()).rejects.toMatchObject({
      code: "newer-format",
      message: /checkpoints\.log.*format 2/,
    });
    expect(nodeFs.existsSync(`${w.store}/catalog.sqlite`)).toBe(false);
  });

  it("C13 a journal of a restore", async () => {
    const w = await openFixture();
    w.checkAfterwards = false;
    nodeFs.mkdirSync(`${w.store}/journal`);
    nodeFs.writeFileSync(`${w.store}/journal/restore.json`, JSON.stringify({ version: 2, sum: "", intent: {} }));
    await expect(w.engine.recover("finish", w.scan)).rejects.toMatchObject({ code: "newer-format" });
    await expect(w.engine.gc()).rejects.toMatchObject({ code: "newer-format" });
    expect((await w.engine.verify({ full: false })).problems).toMatchObject([{ part: "journal/restore.json" }]);
  });

  it("C13 a tree: the checkpoint that names it cannot be read, and the message says why", async () => {
    const w = await openFixture();
    const bytes = encodeTree([]);
    bytes[0] = 2;
    writePack(`${w.store}/trees`, [bytes]);
    const set = openPackSet({ fs, codecs, folder: `${w.store}/trees` });
    const { decodeTree } = await import("../../../src/core/store/tree");
    expect(() => decodeTree(set.read(codecs.hash(bytes)) as Buffer)).toThrow(
      /newer version of Checkpoint \(format 2\)/,
    );
    set.close();
  });

  it("C13 a parts manifest", () => {
    const folder = tempFolder();
    const { id } = writePack(folder, [noise(900)], 300);
    const path = `${folder}/pack-${id}.dat.parts.json`;
    nodeFs.writeFileSync(path, nodeFs.readFileSync(path, "utf8").replace('"version":1', '"version":2'));
    const set = openPackSet({ fs, codecs, folder });
    expect(set.damagedIndexes[0]?.message).toMatch(/its version is 2, and only 1 is known/);
    expect(set.has(codecs.hash(noise(900)))).toBe(false);
  });
});
