import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { Catalog } from "../../../src/core/store/catalog";
import { loadCodecs } from "../../../src/core/store/codecs";
import { MAX_LISTED_SKIPPED } from "../../../src/core/store/skippedList";
import { loadSqlite } from "../../../src/core/store/sqlite";
import type { Change } from "../../../src/shared/changes";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const codecs = await loadCodecs();
const sqlite = await loadSqlite(nodeFileSystem, new URL("../../../dist/sql-wasm.wasm", import.meta.url).pathname);
let nonces = 0;
const open = (folder: string, disk = nodeFileSystem): Catalog =>
  Catalog.open({ fs: disk, codecs, sqlite, nonce: () => `n${nonces++}` }, folder);
const FILE = "catalog.sqlite";

const checkpoint = (number: number, changes: Partial<Checkpoint> = {}): Checkpoint => ({
  ...{
    id: `0190-${number}`,
    number,
    createdAt: number * 1000,
    kind: "manual",
    trigger: "manual",
    name: null,
    note: null,
  },
  ...{
    pinned: false,
    parentId: number > 1 ? `0190-${number - 1}` : null,
    rootTree: "0".repeat(32),
    files: 1,
    bytes: 2 ** 40,
  },
  ...{
    newObjects: 3,
    newBytes: 4,
    added: 5,
    changed: 6,
    removed: 7,
    skipped: 8,
    branch: null,
    head: null,
    groupId: null,
  },
  ...changes,
});
const CHANGE: Change = {
  path: "a/é\n\\xff",
  kind: "added",
  after: { type: "file", mode: 0o644, size: 3, hash: "ab".repeat(16) },
};
const SKIPPED = { path: "secret", reason: "unreadable", message: "permission denied" } as const;

function insert(catalog: Catalog, ...numbers: number[]): void {
  for (const number of numbers) catalog.insert(checkpoint(number), [CHANGE], [SKIPPED], `{"n":${number}}`);
  catalog.commit();
}

describe("the catalog", () => {
  it("gives back what was put in, newest first, after a restart", () => {
    const folder = tempFolder();
    const full = checkpoint(3, {
      name: "näme 'quoted'",
      note: "line\nline",
      pinned: true,
      branch: "main",
      head: "abc",
      groupId: "g",
      kind: "auto",
    });
    const catalog = open(folder);
    insert(catalog, 1, 2);
    catalog.insert(full, undefined, [], "{}");
    catalog.commit();
    const again = open(folder);
    expect(again.checkpoints).toEqual([full, checkpoint(2), checkpoint(1)]);
    expect(again.latest).toEqual(full);
    expect(again.nextNumber()).toBe(4);
    expect(again.changesOf("0190-1")).toEqual([CHANGE]);
    expect(again.changesOf(full.id)).toBeUndefined();
    expect(again.skippedOf("0190-2")).toEqual({ listed: [SKIPPED], folders: [] });
    expect(again.rulesOf("0190-2")).toBe('{"n":2}');
  });

  it("shows nothing to others before the commit, and everything after it", () => {
    const folder = tempFolder();
    const [mine, other] = [open(folder), open(folder)];
    mine.insert(checkpoint(1), [], [], "{}");
    expect(other.reload()).toBe(false);
    expect(other.checkpoints).toEqual([]);
    mine.commit();
    expect(other.reload()).toBe(true);
    expect(other.checkpoints).toEqual([checkpoint(1)]);
    expect(other.reload()).toBe(false);
    expect(mine.reload()).toBe(false);
    other.update("0190-1", { name: "n", pinned: true, note: "x" });
    other.commit();
    expect(mine.reload()).toBe(true);
    expect(mine.latest).toMatchObject({ name: "n", pinned: true, note: "x" });
  });

  it("notices every one of many quick commits", () => {
    const folder = tempFolder();
    const [mine, other] = [open(folder), open(folder)];
    insert(mine, 1);
    for (let i = 0; i < 200; i++) {
      other.reload();
      other.update("0190-1", { name: `name ${i % 10}` });
      other.commit();
      expect({ i, seen: mine.reload() }).toEqual({ i, seen: true });
      expect(mine.latest?.name).toBe(`name ${i % 10}`);
    }
  });

  it("forgets by rollback what was not committed", () => {
    const folder = tempFolder();
    const catalog = open(folder);
    insert(catalog, 1);
    catalog.insert(checkpoint(2), [], [], "{}");
    catalog.update("0190-1", { name: "x" });
    catalog.rollback();
    expect(catalog.checkpoints).toEqual([checkpoint(1)]);
    expect(catalog.nextNumber()).toBe(2);
  });

  it("C12 keeps the old file, whole, when the new one cannot be written", () => {
    const folder = tempFolder();
    const disk = new WatchedFileSystem();
    const catalog = open(folder, disk.fs);
    insert(catalog, 1);
    const before = fs.readFileSync(`${folder}/${FILE}`);
    for (const method of ["open", "write", "fsync", "rename"] as const) {
      disk.hook = (call) => {
        if (call.method === method) throw errno("ENOSPC", call.path);
      };
      catalog.insert(checkpoint(2), [], [], "{}");
      expect(() => catalog.commit()).toThrow(/ENOSPC/);
      disk.hook = () => {};
      catalog.rollback();
      expect(catalog.checkpoints).toHaveLength(1);
      expect(fs.readFileSync(`${folder}/${FILE}`).equals(before)).toBe(true);
      expect(fs.readdirSync(folder)).toEqual([FILE, "checkpoints.log"]);
    }
    insert(catalog, 2);
    expect(open(folder).checkpoints).toHaveLength(2);
  });

  const RESTORE = {
    at: 1,
    kind: "restore",
    targetId: "0190-1",
    baseRoot: "0".repeat(32),
    resultRoot: "1".repeat(32),
    originId: null,
    files: 2,
  } as const;

  it("takes out checkpoints: children go to the next ancestor left, and no undo step loses its place", () => {
    const catalog = open(tempFolder());
    insert(catalog, 1, 2, 3, 4);
    const rows = ["0190-2", "0190-4"].map((beforeId) => ({ ...RESTORE, beforeId }));
    const ids = rows.map((row) => catalog.addRestore(row));
    catalog.commit();
    const asked: unknown[] = [];
    const other: Change = { ...CHANGE, path: "other" };
    catalog.remove(new Set(["0190-2", "0190-3"]), (child, parent) => {
      asked.push([child.number, parent?.number]);
      return { counts: { added: 7, changed: 8, removed: 9 }, list: [other] };
    });
    catalog.commit();
    expect(asked).toEqual([[4, 1]]);
    expect(catalog.latest).toMatchObject({ added: 7, changed: 8, removed: 9 });
    expect(catalog.checkpoints.map((each) => [each.number, each.parentId])).toEqual([
      [4, "0190-1"],
      [1, null],
    ]);
    expect(catalog.changesOf("0190-4")).toEqual([other]);
    expect(catalog.changesOf("0190-1")).toEqual([CHANGE]);
    expect(catalog.restores()).toEqual(rows.map((row, i) => ({ ...row, id: ids[i] })));
    expect(catalog.nextNumber()).toBe(5);
  });

  it("P6 keeps the newest 50 restores, and those that they take back or repeat", () => {
    const catalog = open(tempFolder());
    const origin = catalog.addRestore({ ...RESTORE, beforeId: "b" });
    for (let i = 0; i < 100; i++) catalog.addRestore({ ...RESTORE, beforeId: `old ${i}` });
    const ids: number[] = [];
    for (let i = 0; i < 60; i++)
      ids.push(
        catalog.addRestore({ ...RESTORE, kind: i % 2 === 0 ? "undo" : "redo", beforeId: "b", originId: origin }),
      );
    // The first was not old enough to be referred to by anybody, so it went with the others.
    expect(catalog.restores().map((each) => each.id)).toEqual(ids.slice(-50));
    const kept = ids[10] as number;
    for (let i = 0; i < 60; i++) catalog.addRestore({ ...RESTORE, kind: "undo", beforeId: "b", originId: kept });
    expect(catalog.restores()[0]?.id).toBe(kept);
    expect(catalog.restores()).toHaveLength(51);
  });

  it("C11 before a change goes by the content: of what others committed nothing is erased, however alike the files", () => {
    const folder = tempFolder();
    const file = `${folder}/${FILE}`;
    // A file system that tells two files of one size apart by nothing, as inodes and clock ticks may coincide.
    const blind = {
      ...nodeFileSystem,
      fstat: (fd: number) => ({ ...nodeFileSystem.fstat(fd), ino: 1, mtimeMs: 1, ctimeMs: 1 }),
    };
    const mine = open(folder, blind);
    insert(mine, 1);
    // As written by a program that knows of no seal: with one, the headers would differ.
    const unsealed = fs.readFileSync(file);
    unsealed.writeUInt32BE(0, 68);
    fs.writeFileSync(file, unsealed);
    expect(mine.reload()).toBe(true);
    const header = unsealed.subarray(0, 100);
    const other = open(folder);
    other.update("0190-1", { name: "theirs" });
    other.commit();
    const theirs = fs.readFileSync(file);
    header.copy(theirs);
    fs.writeFileSync(file, theirs);
    expect(mine.reload()).toBe(false);
    mine.reloadExactly();
    mine.update("0190-1", { note: "mine" });
    mine.commit();
    expect(open(folder).latest).toMatchObject({ name: "theirs", note: "mine" });
  });

  it("P6 is read once when it turns out to differ", () => {
    const folder = tempFolder();
    let reads = 0;
    const disk = new WatchedFileSystem(({ method, args }) => {
      // More than the header, which tells whether there is something new.
      if (method === "read" && (args[3] as number) > 100) reads++;
    });
    const [mine, other] = [open(folder, disk.fs), open(folder)];
    insert(other, 1);
    mine.reloadExactly();
    expect([mine.latest?.number, reads]).toEqual([1, 1]);
    mine.reloadExactly();
    expect(reads).toBe(2);
    insert(other, 2);
    mine.reloadExactly();
    expect([mine.latest?.number, reads]).toEqual([2, 3]);
    expect(mine.reload()).toBe(false);
  });

  it("C11 readers see a commit that left the file's size, inode and times as they were", () => {
    const folder = tempFolder();
    const blind = {
      ...nodeFileSystem,
      fstat: (fd: number) => ({ ...nodeFileSystem.fstat(fd), ino: 1, mtimeMs: 1, ctimeMs: 1 }),
    };
    const [mine, other] = [open(folder, blind), open(folder, blind)];
    insert(mine, 1);
    other.reload();
    for (const name of ["a", "b", "c"]) {
      other.update("0190-1", { name });
      other.commit();
      expect(mine.reload()).toBe(true);
      expect(mine.latest?.name).toBe(name);
    }
  });

  it("P6 does not grow with the number of files that could not be saved; none of them is taken for new", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", deep: { secret: {} }, d: { b: "1" } }, { fs: disk.fs });
    const count = 3_000;
    for (let i = 0; i < count; i++) w.write(`deep/secret/file number ${i}`, `${i}`);
    disk.hook = ({ method, path }) => {
      if (method === "open" && path.includes("/secret/")) throw errno("EACCES", path);
    };
    const first = await w.checkpoint();
    expect(first.skipped).toBe(count);
    expect((await w.engine.stats()).catalogBytes).toBeLessThan(80_000);
    expect((await w.engine.show("latest")).skipped).toHaveLength(MAX_LISTED_SKIPPED);
    disk.hook = () => {};
    w.write("d/new", "1");
    const { paths } = await w.restore(first);
    expect(paths).toEqual({ added: [], changed: [], removed: ["d/new"] });
    expect(fs.readdirSync(w.path("deep/secret"))).toHaveLength(count);
  });

  it("P6 does not grow with the number of files", async () => {
    const few = await openTestEngine({ a: "1" });
    const many = await openTestEngine(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`f${i}`, `${i}`])));
    await few.checkpoint();
    await many.checkpoint();
    const size = async (w: typeof few): Promise<number> => (await w.engine.stats()).catalogBytes;
    expect(await size(many)).toBe(await size(few));
  });
});
