import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem, nodeFileSystemFor } from "../../../src/core/fs/nodeFileSystem";
import { publishFile, readWholeFile } from "../../../src/core/fs/publishFile";
import { acquireLock } from "../../../src/core/store/lock";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, unfinished } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";
import { options } from "./lockFixture";

describe("a store", () => {
  it("has the id that xxhsum -H2 gives its workspace's path", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    const sum = execFileSync("xxhsum", ["-H2"], { input: fs.realpathSync(w.folder), encoding: "utf8" });
    expect(w.store.split("/").at(-1)).toBe(sum.slice(0, 16));
  });

  it("C3 is rid of whatever a crash left unfinished, wherever it lies, by the next operation", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    for (const folder of [".", "index", "locks", "packs", "trees"]) {
      const path = `${w.store}/${folder}/.checkpoint-tmp-dead`;
      fs.writeFileSync(path, "x");
      fs.utimesSync(path, 1, 1);
    }
    expect((await w.save()).noChange).toBe(true);
    expect(unfinished(w.storeRoot)).toEqual([]);
  });

  it("P3 is looked at once for each thing that a save must know of it", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", d: { e: "1" } }, { fs: disk.fs });
    await w.checkpoint();
    w.write("a", "2");
    const { store } = w;
    const calls: string[] = [];
    disk.hook = ({ method, path }) => {
      if (method === "readdir" || method === "open") calls.push(`${method} ${path.replace(store, "store")}`);
    };
    await w.checkpoint();
    disk.hook = () => {};
    const times = (call: string): number => calls.filter((each) => each === call).length;
    expect(times("open store/store.json")).toBe(1);
    for (const folder of ["store", "store/packs", "store/trees", "store/index", "store/locks"])
      expect([folder, times(`readdir ${folder}`)]).toEqual([folder, 1]);
  });

  it("C3 C13 that changed while a save waited for it is judged by what it is then", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    w.checkAfterwards = false;
    w.write("a", "2");
    const file = `${w.store}/store.json`;
    const lock = await acquireLock(options(`${w.store}/locks`));
    let refused: Promise<void> | undefined;
    await new Promise<void>((waits) => {
      const observed = w.engine.observed({ onProgress: ({ phase }) => phase === "lock" && waits() });
      const save = observed.save({ kind: "manual", trigger: "manual", scan: w.scan });
      refused = expect(save).rejects.toMatchObject({ code: "newer-format" });
    });
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"formatVersion": 1', '"formatVersion": 2'));
    fs.writeFileSync(`${w.store}/packs/${TEMP_PREFIX}x`, "another version's");
    const look = () => snapshotTree(w.store, { without: (path) => path === "locks/project.lock" });
    const before = look();
    lock.release();
    await refused;
    expect(look()).toEqual(before);
    expect(fs.readdirSync(`${w.store}/locks`)).toEqual([]);
  });

  it("C3 what a process published before it died in the middle is known to one that is running", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    w.write("b", "the same");
    const other = await w.another({ fs: disk.fs });
    disk.hook = ({ method, path, to }) => {
      if (method === "rename" && to?.endsWith("catalog.sqlite") === true) throw errno("EIO", path);
    };
    await expect(other.save({ kind: "manual", trigger: "manual", scan: w.scan })).rejects.toMatchObject({ code: "io" });
    await other.close();
    expect((await w.checkpoint()).newObjects).toBe(0);
    expect(Buffer.from(await w.engine.readFile("latest", "b")).toString()).toBe("the same");
  });
});

describe("publishing a file", () => {
  it("C12 Windows: waits, for a bounded time, while another program has the file open", () => {
    const folder = tempFolder();
    const waits: number[] = [];
    let failures = 0;
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (["rename", "open"].includes(method) && failures-- > 0) throw errno("EPERM", path);
    });
    const windows = { ...disk.fs, pause: (ms: number) => void waits.push(ms) };
    publishFile(disk.fs, folder, "f", Buffer.from("1"), "a");
    const failRenames = (count: number): void => {
      disk.hook = ({ method, path }) => {
        if (method === "rename" && count-- > 0) throw errno("EPERM", path);
      };
    };
    failRenames(3);
    publishFile(windows, folder, "f", Buffer.from("2"), "b");
    expect(fs.readFileSync(`${folder}/f`, "utf8")).toBe("2");
    expect(waits).toHaveLength(3);
    failRenames(Number.MAX_SAFE_INTEGER);
    expect(() => publishFile(windows, folder, "f", Buffer.from("3"), "c")).toThrow(/EPERM/);
    expect(waits.reduce((sum, each) => sum + each, 0)).toBeLessThan(2_000);
    failRenames(1);
    expect(() => publishFile(disk.fs, folder, "f", Buffer.from("3"), "d")).toThrow(/EPERM/);
    disk.hook = ({ method, path }) => {
      if (method === "open" && failures-- > 0) throw errno("EBUSY", path);
    };
    failures = 2;
    expect(readWholeFile(windows, `${folder}/f`)?.toString()).toBe("2");
    expect(fs.readdirSync(folder)).toEqual(["f"]);
  });

  it("the file system that waits is the one of Windows", () => {
    expect(nodeFileSystemFor("linux").pause).toBeUndefined();
    expect(nodeFileSystemFor("darwin").pause).toBeUndefined();
    const before = performance.now();
    nodeFileSystemFor("win32").pause?.(5);
    expect(performance.now() - before).toBeGreaterThan(3);
    expect(nodeFileSystem.pause === undefined).toBe(process.platform !== "win32");
  });
});
