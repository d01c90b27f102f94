import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/core/engine";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const SQL_WASM = new URL("../../../dist/sql-wasm.wasm", import.meta.url).pathname;

interface Moving {
  readonly parent: string;
  readonly w: TestWorkspace;
  /** The engine of another folder over the same stores. */
  at(name: string, disk?: WatchedFileSystem): Promise<TestWorkspace>;
}

/** `<parent>/old`, with one checkpoint. */
async function workspaceThatMoves(): Promise<Moving> {
  const parent = tempFolder("parent");
  const w = await openTestEngine({ a: "1", d: { b: "2" } }, { workspace: `${parent}/old` });
  w.checkAfterwards = false; // its folder moves away
  await w.checkpoint();
  const at = (name: string, disk?: WatchedFileSystem): Promise<TestWorkspace> =>
    openTestEngine(
      {},
      { workspace: `${parent}/${name}`, storeRoot: w.storeRoot, ...(disk === undefined ? {} : { fs: disk.fs }) },
    );
  return { parent, w, at };
}

const storesOf = (w: TestWorkspace): string[] => fs.readdirSync(`${w.storeRoot}/stores`);

describe("a workspace folder that was renamed", () => {
  it("C20 keeps its checkpoints, and can be renamed back and again", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    const [oldId] = storesOf(w);
    fs.renameSync(`${parent}/old`, `${parent}/new`);
    const moved = await at("new");
    expect(await moved.engine.list()).toHaveLength(1);
    expect(storesOf(w)).toHaveLength(1);
    expect(storesOf(w)).not.toEqual([oldId]);
    expect(JSON.parse(fs.readFileSync(`${moved.store}/store.json`, "utf8"))).toMatchObject({
      workspace: fs.realpathSync(`${parent}/new`),
    });
    expect((await moved.save()).noChange).toBe(true);
    moved.write("a", "changed");
    await moved.restore("1");
    expect(moved.read("a")).toBe("1");
    moved.checkAfterwards = false;
    await moved.engine.close();
    fs.renameSync(`${parent}/new`, `${parent}/old`);
    await w.reopen();
    expect((await w.engine.list()).map((each) => each.number)).toEqual([2, 1]);
    expect(storesOf(w)).toEqual([oldId]);
    await w.expectSound();
  });

  it("C20 an engine that was open under the old name says that the folder is gone, and brings no second store into being", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    fs.renameSync(`${parent}/old`, `${parent}/new`);
    const moved = await at("new");
    await expect(w.save()).rejects.toMatchObject({ code: "workspace-missing" });
    expect(storesOf(w)).toHaveLength(1);
    expect(await moved.engine.list()).toHaveLength(1);
  });

  it("C20 a copy has no part in the checkpoints, also when the original is gone", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    fs.cpSync(`${parent}/old`, `${parent}/copy`, { recursive: true });
    const copy = await at("copy");
    expect(await copy.engine.list()).toEqual([]);
    fs.rmSync(`${parent}/old`, { recursive: true });
    await copy.reopen();
    expect(await copy.engine.list()).toEqual([]);
    expect(storesOf(w)).toHaveLength(1);
    copy.checkAfterwards = false;
  });

  it("C20 while something is at the old path, the store stays with it", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    fs.renameSync(`${parent}/old`, `${parent}/new`);
    fs.mkdirSync(`${parent}/old`);
    const moved = await at("new");
    expect(await moved.engine.list()).toEqual([]);
    moved.checkAfterwards = false;
    await w.reopen();
    expect(await w.engine.list()).toHaveLength(1);
  });

  it("C20 a new folder with an old one's inode, or of unknown age, is not taken for it", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    fs.renameSync(`${parent}/old`, `${parent}/new`);
    const file = `${w.store}/store.json`;
    const description = JSON.parse(fs.readFileSync(file, "utf8")) as { rootBorn: number };
    for (const rootBorn of [description.rootBorn - 1, 0]) {
      fs.writeFileSync(file, JSON.stringify({ ...description, rootBorn }));
      const moved = await at("new");
      moved.checkAfterwards = false;
      expect(await moved.engine.list()).toEqual([]);
    }
    const disk = new WatchedFileSystem();
    const ageless = { ...disk.fs, lstat: (path: string) => withoutAge(disk.fs.lstat(path)) };
    fs.writeFileSync(file, JSON.stringify({ ...description, rootBorn: 0 }));
    const moved = await at("new", { ...disk, fs: ageless } as WatchedFileSystem);
    moved.checkAfterwards = false;
    expect(await moved.engine.list()).toEqual([]);
  });

  it("C20 of several stores that were this folder's, it gets the one used last; one it has already stays", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    const other = await at("other");
    other.write("x", "other");
    await other.checkpoint({ name: "of the other" });
    other.checkAfterwards = false;
    await Promise.all([w.engine.close(), other.engine.close()]);
    // The folder takes the place of the other one, and goes on with its checkpoints.
    fs.rmSync(`${parent}/other`, { recursive: true });
    fs.renameSync(`${parent}/old`, `${parent}/other`);
    await other.reopen();
    expect((await other.engine.list())[0]?.name).toBe("of the other");
    await other.checkpoint({ name: "last" });
    await other.engine.close();
    fs.renameSync(`${parent}/other`, `${parent}/third`);
    const third = await at("third");
    expect((await third.engine.list())[0]?.name).toBe("last");
  });

  it("C3 C20 an adoption that is interrupted at any step is finished by the next opening", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    await w.engine.close();
    const before = snapshotTree(w.folder);
    let from = "old";
    let interrupted = 0;
    for (let step = 1; ; step++) {
      const to = `new-${step}`;
      fs.renameSync(`${parent}/${from}`, `${parent}/${to}`);
      from = to;
      let count = 0;
      // As after a kill: from the step on nothing succeeds, not even tidying up.
      const dying = new WatchedFileSystem(({ method, path }) => {
        const changes = ["open", "write", "link", "mkdir", "unlink", "rename", "fsync"].includes(method);
        if (changes && path.startsWith(w.storeRoot) && ++count >= step) throw errno("EIO", path);
      });
      const failed = await openEngine(
        { folder: `${parent}/${to}`, storeRoot: w.storeRoot },
        { sqlWasmPath: SQL_WASM, fs: dying.fs },
      ).then(
        async (open) => {
          await open.close();
          return false;
        },
        () => true,
      );
      if (failed) interrupted++;
      const whole = await at(to);
      expect({ step, list: (await whole.engine.list()).length }).toEqual({ step, list: 1 });
      expect(storesOf(w)).toHaveLength(1);
      expect((await whole.save()).noChange).toBe(true);
      expect((await whole.engine.verify({ full: true })).ok).toBe(true);
      // A lock's temp file may be a waiter's, so it goes only when it is old.
      whole.checkAfterwards = false;
      if (!failed) break;
    }
    expect(interrupted).toBeGreaterThan(5);
    expect(snapshotTree(`${parent}/${from}`)).toEqual(before);
  });

  it("C11 C20 two that open it at once share the one store", async () => {
    const { parent, w, at } = await workspaceThatMoves();
    fs.renameSync(`${parent}/old`, `${parent}/new`);
    const both = await Promise.all([at("new"), at("new")]);
    for (const each of both) expect(await each.engine.list()).toHaveLength(1);
    expect(storesOf(w)).toHaveLength(1);
  });
});

function withoutAge(stat: ReturnType<WatchedFileSystem["fs"]["lstat"]>): typeof stat {
  if (stat === undefined) return undefined;
  const { mode, size, mtimeMs, ctimeMs, ino, dev, nlink } = stat;
  return { mode, size, mtimeMs, ctimeMs, ino, dev, nlink };
}
