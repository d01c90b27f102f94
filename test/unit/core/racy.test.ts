import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { FileStat, FileSystem } from "../../../src/core/fs/fileSystem";
import { rest } from "../../support/rest";
import { openTestEngine } from "../../support/testEngine";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

/** Stamps of 4 ms, as of a kernel with 250 Hz: writes that follow at once look the same. */
function withCoarseClock(real: FileSystem): FileSystem {
  const tick = (ms: number): number => Math.floor(ms / 4) * 4;
  const coarse = (stat: FileStat): FileStat => ({ ...stat, mtimeMs: tick(stat.mtimeMs), ctimeMs: tick(stat.ctimeMs) });
  return {
    ...real,
    lstat: (path) => {
      const stat = real.lstat(path);
      return stat && coarse(stat);
    },
    fstat: (fd) => coarse(real.fstat(fd)),
  };
}

describe("edits that leave the same size", () => {
  it("C7 in the clock tick of the save, before or after it, are in the next checkpoint", async () => {
    const w = await openTestEngine({ a: "0000", d: { b: "0000" } });
    await w.checkpoint();
    for (let i = 1; i <= 150; i++) {
      const content = String(i).padStart(4, "0");
      w.write(i % 2 === 0 ? "a" : "d/b", content);
      const { checkpoint, noChange } = await w.save();
      expect({ i, noChange }).toEqual({ i, noChange: false });
      const read = await w.engine.readFile(checkpoint?.id ?? "", i % 2 === 0 ? "a" : "d/b");
      expect(Buffer.from(read).toString()).toBe(content);
    }
  });

  it("C7 made while the save runs are in this checkpoint or the next", async () => {
    const w = await openTestEngine({ a: "0000" });
    for (let i = 1; i <= 60; i++) {
      w.write("a", String(i).padStart(4, "0"));
      const saving = w.save({ name: `save ${i}` });
      if (i % 3 !== 0) await Promise.resolve();
      w.write("a", `x${String(i).padStart(3, "0")}`);
      await saving;
      await w.save();
      expect(Buffer.from(await w.engine.readFile("latest", "a")).toString()).toBe(`x${String(i).padStart(3, "0")}`);
    }
  });

  it("C7 with the modification time put back are seen by their change time; a restore undoes them", async () => {
    const w = await openTestEngine({ a: "then", d: { b: "then" } });
    const long = new Date("2020-01-01T00:00:00Z");
    for (const path of ["a", "d/b"]) fs.utimesSync(w.path(path), long, long);
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    await rest();
    // Now the index holds entries that are not racy.
    expect((await w.save()).noChange).toBe(true);
    for (const path of ["a", "d/b"]) {
      w.write(path, "edit");
      fs.utimesSync(w.path(path), long, long);
    }
    const second = await w.checkpoint();
    expect(second).toMatchObject({ changed: 2 });
    await w.restore(checkpoint);
    expect(w.snapshot()).toEqual(then);
  });

  it("C7 made just before a restore are undone by it and kept by its safety checkpoint", async () => {
    const w = await openTestEngine({ a: "0000" });
    const checkpoint = await w.checkpoint();
    for (let i = 1; i <= 60; i++) {
      w.write("a", String(i).padStart(4, "0"));
      await w.restore(checkpoint);
      expect(w.read("a")).toBe("0000");
      await w.undo();
      expect(w.read("a")).toBe(String(i).padStart(4, "0"));
    }
  });

  it("C2 C6 an edit within the tick of the clock in which a restore read the file is not overwritten", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "0000" }, { fs: withCoarseClock(disk.fs) });
    const checkpoint = await w.checkpoint();
    for (let i = 100; i < 130; i++) {
      w.write("a", `earlier edit ${i}`);
      let wasRead = false;
      disk.hook = ({ method, path }) => {
        if (method === "open" && path === w.path("a") && !wasRead) w.write("a", `A${i}`);
        if (method !== "close" || path !== w.path("a") || wasRead) return;
        wasRead = true;
        w.write("a", `B${i}`);
      };
      const { kept } = await w.restore(checkpoint);
      disk.hook = () => {};
      expect([wasRead, w.read("a"), kept.map(({ path }) => path)]).toEqual([true, `B${i}`, ["a"]]);
    }
  });

  it("C2 C6 nor one of a file that is ignored by the time an undo takes it away", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "0000" }, { fs: withCoarseClock(disk.fs) });
    const checkpoint = await w.checkpoint();
    for (let i = 100; i < 130; i++) {
      fs.rmSync(w.path("a"));
      await w.restore(checkpoint);
      w.write(".gitignore", "a");
      let wasRead = false;
      disk.hook = ({ method, path }) => {
        if (method !== "close" || path !== w.path("a") || wasRead) return;
        wasRead = true;
        w.write("a", `B${i}`);
      };
      const { kept } = await w.undo();
      disk.hook = () => {};
      expect([wasRead, w.read("a"), kept.map(({ path }) => path)]).toEqual([true, `B${i}`, ["a"]]);
      fs.rmSync(w.path(".gitignore"));
    }
  });

  it("C7 a file exchanged for another of the same size and times is seen by its inode", async () => {
    const w = await openTestEngine({ a: "then" });
    const long = new Date("2020-01-01T00:00:00Z");
    fs.utimesSync(w.path("a"), long, long);
    await w.checkpoint();
    w.write("b", "edit");
    fs.utimesSync(w.path("b"), long, long);
    fs.renameSync(w.path("b"), w.path("a"));
    expect((await w.checkpoint()).changed).toBe(1);
  });
});
