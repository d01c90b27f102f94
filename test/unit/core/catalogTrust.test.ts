import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { loadSqlite } from "../../../src/core/store/sqlite";
import { snapshotTree } from "../../support/snapshotTree";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const sqlite = await loadSqlite(nodeFileSystem, new URL("../../../dist/sql-wasm.wasm", import.meta.url).pathname);
const FILE = "catalog.sqlite";

/** The first question to an engine that has just been started. */
async function listAfterStart(w: TestWorkspace): Promise<unknown> {
  const engine = await w.another();
  try {
    return await engine.list();
  } finally {
    await engine.close();
  }
}

describe("a catalog that cannot be used", () => {
  it("C13 refuses a newer schema by name, and leaves it untouched", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    w.checkAfterwards = false;
    const file = `${w.store}/${FILE}`;
    const database = new sqlite.Database(fs.readFileSync(file));
    database.run("UPDATE meta SET value = 99 WHERE key = 'schema_version'");
    // Whoever writes a catalog without knowing about its seal writes none.
    database.run("PRAGMA application_id = 0");
    fs.writeFileSync(file, database.export());
    const before = fs.readFileSync(file);
    await expect(w.another()).rejects.toMatchObject({
      code: "newer-format",
      message: /newer version.*schema 99.*not touched/,
    });
    await expect(w.save()).rejects.toMatchObject({ code: "newer-format" });
    expect(fs.readFileSync(file).equals(before)).toBe(true);
  });

  it("C13 refuses a newer store format by name, and leaves it untouched", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    w.checkAfterwards = false;
    const file = `${w.store}/store.json`;
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"formatVersion": 1', '"formatVersion": 2'));
    const before = fs.readFileSync(file);
    await expect(w.another()).rejects.toMatchObject({ code: "newer-format" });
    await expect(w.save()).rejects.toMatchObject({ code: "newer-format" });
    expect(fs.readFileSync(file).equals(before)).toBe(true);
  });

  for (const [what, bytes] of [
    ["empty", Buffer.alloc(0)],
    ["nonsense", Buffer.from("this is no database, and never was one".repeat(100))],
    ["zeros", Buffer.alloc(8192)],
    ["cut", undefined],
  ] as const)
    it(`C8 says that a damaged file (${what}) is damaged, and does not write over it`, async () => {
      const w = await openTestEngine({ a: "1" });
      await w.checkpoint();
      w.checkAfterwards = false;
      const file = `${w.store}/${FILE}`;
      const damaged = bytes ?? fs.readFileSync(file).subarray(0, 5000);
      fs.writeFileSync(file, damaged);
      await expect(listAfterStart(w)).rejects.toMatchObject({ code: "damaged", message: /catalog.*is damaged/ });
      await expect(w.save()).rejects.toMatchObject({ code: "damaged" });
      await expect(w.engine.list()).rejects.toMatchObject({ code: "damaged" });
      expect(fs.readFileSync(file).equals(damaged)).toBe(true);
    });

  it("C9 a catalog that is lost is not taken for one that never was: nothing is saved over it or swept", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    w.write("a", "2");
    await w.checkpoint();
    w.checkAfterwards = false;
    const catalog = fs.readFileSync(`${w.store}/${FILE}`);
    fs.rmSync(`${w.store}/${FILE}`);
    const before = snapshotTree(w.store);
    const lost = { code: "damaged", message: /catalog .* is missing.*from a backup.*move the folder .* away/ };
    for (const attempt of [() => w.save(), () => w.engine.gc(), () => w.engine.list(), () => listAfterStart(w)])
      await expect(attempt()).rejects.toMatchObject(lost);
    expect(snapshotTree(w.store)).toEqual(before);
    fs.writeFileSync(`${w.store}/${FILE}`, catalog);
    expect(await w.engine.list()).toHaveLength(2);
    // As the message says: without the folder, all begins anew.
    fs.renameSync(w.store, `${w.storeRoot}/aside`);
    expect((await w.checkpoint()).number).toBe(1);
  });

  it("C3 C9 a first save that died before its commit is no lost catalog", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1" }, { fs: disk.fs });
    disk.hook = ({ method, path, to }) => {
      if (method === "rename" && to?.endsWith(FILE) === true) throw errno("EIO", path);
    };
    await expect(w.save()).rejects.toMatchObject({ code: "io" });
    disk.hook = () => {};
    await w.reopen();
    expect((await w.checkpoint()).number).toBe(1);
  });

  it("C3 C9 a first save that died right after its commit: the next operation notes that there is a catalog", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1" }, { fs: disk.fs });
    let committed = false;
    disk.hook = ({ method, path, to }) => {
      if (method === "rename" && to?.endsWith(FILE) === true) committed = true;
      else if (committed && method === "open" && /stores\/\w+\/\.checkpoint-tmp/.test(path)) throw errno("EIO", path);
    };
    await w.checkpoint();
    disk.hook = () => {};
    await w.reopen();
    expect((await w.save()).noChange).toBe(true);
    w.checkAfterwards = false;
    fs.rmSync(`${w.store}/${FILE}`);
    await expect(listAfterStart(w)).rejects.toMatchObject({ code: "damaged" });
  });
});
