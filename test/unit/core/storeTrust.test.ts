/**
 * What an engine believes about its store must be true: packs that others publish, vanish or leave behind, an index that
 * is newer than the store, inodes that arrive rounded.
 */
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { FileStat, FileSystem } from "../../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { rest } from "../../support/rest";
import { LANE_SCRIPT, openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

describe("packs that nobody committed", () => {
  it("C12 left by another process's failed save, they serve the next save of an engine that is running", async () => {
    const w = await openTestEngine({ a: "1" }, { laneScript: LANE_SCRIPT, laneCount: 2 });
    await w.checkpoint();
    for (let i = 0; i < 1_600; i++) w.write(`f${i}`, `content ${i}`);
    const full = new WatchedFileSystem(({ method, path }) => {
      if (method === "open" && path.includes("/trees/.checkpoint-tmp")) throw errno("ENOSPC", path);
    });
    const other = await w.another({ fs: full.fs });
    await expect(other.save({ kind: "manual", trigger: "cli", scan: w.scan })).rejects.toMatchObject({
      code: "disk-full",
    });
    await other.close();
    expect((await w.checkpoint()).added).toBe(1_600);
  });

  it("C4 kept by a restore without safety, what they hold can be saved and read by an engine that is running", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("b", "the only copy");
    await rest();
    const other = await w.another();
    await other.restore({ ref: first.id, scan: w.scan, safety: false, keepNew: true });
    await other.close();
    const second = await w.checkpoint();
    expect(String(await w.engine.readFile(second.id, "b"))).toBe("the only copy");
  });

  it("C12 a cancelled save does not take back a pack that was there before it", async () => {
    let armed = false;
    let cancelled = false;
    // The cancellation comes when the save finds that its pack exists already.
    const watching: FileSystem = {
      ...nodeFileSystem,
      lstat: (path) => {
        const found = nodeFileSystem.lstat(path);
        if (armed && found !== undefined && /pack-.*\.dat$/.test(String(path))) cancelled = true;
        return found;
      },
    };
    const w = await openTestEngine({ a: "1" }, { fs: watching });
    const first = await w.checkpoint();
    w.write("b", "the only copy");
    await rest();
    const other = await w.another({ fs: nodeFileSystem });
    await other.restore({ ref: first.id, scan: w.scan, safety: false, keepNew: true });
    await other.close();
    const second = await w.checkpoint();
    // Only its index makes the running engine not know the content: it is stored once more, as the same pack.
    fs.copyFileSync(w.path("b"), w.path("c"));
    armed = true;
    const save = w.engine
      .observed({ isCancelled: () => cancelled })
      .save({ kind: "manual", trigger: "manual", scan: w.scan });
    await save.catch((error: unknown) => expect(error).toMatchObject({ code: "cancelled" }));
    await w.reopen();
    expect(String(await w.engine.readFile(second.id, "b"))).toBe("the only copy");
  });
});

describe("an index that is newer than the store", () => {
  /** The store as it was after the first checkpoint, beside the index as it is after the second. */
  async function storeFromBackup(): Promise<TestWorkspace> {
    const w = await openTestEngine({ a: "1", b: "old", d: { x: "1" } });
    await w.checkpoint();
    const parts = ["packs", "trees", "catalog.sqlite"];
    const backup = `${w.storeRoot}/backup`;
    for (const part of parts) fs.cpSync(`${w.store}/${part}`, `${backup}/${part}`, { recursive: true });
    w.write("b", "new and precious");
    await rest();
    await w.checkpoint();
    await w.engine.close();
    for (const part of parts) {
      fs.rmSync(`${w.store}/${part}`, { recursive: true });
      fs.cpSync(`${backup}/${part}`, `${w.store}/${part}`, { recursive: true });
    }
    fs.rmSync(backup, { recursive: true });
    w.engine = await w.another();
    return w;
  }

  it("C8 is not believed: what the store lacks is read again", async () => {
    const w = await storeFromBackup();
    const checkpoint = await w.checkpoint();
    expect(String(await w.engine.readFile(checkpoint.id, "b"))).toBe("new and precious");
  });

  it("C8 nor when something else in the folder changed", async () => {
    const w = await storeFromBackup();
    w.write("z", "another");
    const checkpoint = await w.checkpoint();
    expect(String(await w.engine.readFile(checkpoint.id, "b"))).toBe("new and precious");
  });

  it("C8 nor when a pack was lost while the engine runs", async () => {
    const w = await openTestEngine({ a: "1" });
    w.checkAfterwards = false;
    await w.checkpoint();
    w.write("b", "in a pack of its own");
    await rest();
    await w.checkpoint();
    const packs = fs.readdirSync(`${w.store}/packs`).map((name) => `${w.store}/packs/${name}`);
    const newest = packs.sort((x, y) => fs.statSync(y).mtimeMs - fs.statSync(x).mtimeMs)[0] as string;
    for (const path of packs) if (path.slice(0, -4) === newest.slice(0, -4)) fs.rmSync(path);
    w.write("c", "a change");
    const checkpoint = await w.checkpoint();
    expect(String(await w.engine.readFile(checkpoint.id, "b"))).toBe("in a pack of its own");
  });

  it("C10 a folder that lost one entry to gc is read anew, and holds no file that is gone", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("b", "bee");
    const second = await w.checkpoint();
    await w.restore(first);
    await w.restore(second);
    await rest();
    await w.save();
    await w.engine.delete([second.id]);
    fs.rmSync(w.path("b"));
    const { checkpoint } = await w.save();
    const names = await w.engine.readDirectory(checkpoint?.id ?? "", "");
    expect(names.map((entry) => entry.name)).toEqual(["a"]);
  });
});

describe("other things to be careful with", () => {
  it("C1 files whose inodes arrive rounded to the same number keep their own content", async () => {
    const rounded = (stat: FileStat | undefined): FileStat | undefined =>
      stat && { ...facts(stat), ino: 2 ** 60 + 256 * Math.round(stat.ino / 2 ** 20) };
    const facts = ({ mode, size, mtimeMs, ctimeMs, dev, nlink, ino }: FileStat): FileStat => ({
      mode,
      size,
      mtimeMs,
      ctimeMs,
      dev,
      nlink,
      ino,
    });
    const lossy: FileSystem = {
      ...nodeFileSystem,
      lstat: (path) => rounded(nodeFileSystem.lstat(path)),
      fstat: (fd) => rounded(nodeFileSystem.fstat(fd)) as FileStat,
    };
    const w = await openTestEngine({ a: "content A", b: "content B" }, { fs: lossy });
    fs.linkSync(w.path("a"), w.path("a2"));
    fs.linkSync(w.path("b"), w.path("b2"));
    const { id } = await w.checkpoint();
    for (const name of ["a", "a2", "b", "b2"])
      expect(String(await w.engine.readFile(id, name))).toBe(`content ${name.charAt(0).toUpperCase()}`);
  });

  it("C21 closing an engine answers every question that is still open", async () => {
    const w = await openTestEngine({ a: "1" }, { laneScript: LANE_SCRIPT, laneCount: 2 });
    const { id } = await w.checkpoint();
    for (let i = 0; i < 2_000; i++) w.write(`f${i}`, Buffer.alloc(2_000, i));
    const comparison = w.engine.diff({ ref: id }, { workspace: w.scan });
    await w.engine.close();
    const answer = await comparison.then(
      ({ changes }) => changes.length,
      (error: unknown) => (error as { code?: string }).code,
    );
    expect([2_000, "cancelled"]).toContain(answer);
    w.engine = await w.another();
  });
});
