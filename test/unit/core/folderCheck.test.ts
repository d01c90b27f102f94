/** A save that looks at everything: what it may take for unchanged without reading it again, and where it must not. */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FileStat, FileSystem } from "../../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { expectAsInNewStore } from "../../support/newStore";
import { rest } from "../../support/rest";
import { tempFolder } from "../../support/tempFolders";
import { LANE_SCRIPT, openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55";
const TREE = { a: "1", d: { b: "1", deep: { c: "1" } }, e: { f: "1" } };

describe("folders whose times tell changes of their listing", () => {
  it("P2 are not read again, and what changed in them is seen", async () => {
    const disk = watched();
    const w = await openTestEngine(TREE, { fs: disk.fs });
    await rest();
    await w.save();
    disk.read.clear();
    expect(await w.save()).toMatchObject({ noChange: true });
    // From the root's ignore files all other rules follow.
    expect([...disk.read]).toEqual([w.folder]);
    await rest();

    w.write("d/deep/new", "1");
    disk.read.clear();
    expect(await w.save()).toMatchObject({ checkpoint: { added: 1, changed: 0, files: 5 } });
    expect([...disk.read]).toEqual([w.folder, w.path("d/deep")]);

    w.write("e/f", "2");
    fs.rmSync(w.path("d/b"));
    fs.chmodSync(w.path("d/deep"), 0o700);
    expect(await w.save()).toMatchObject({ checkpoint: { added: 0, removed: 1, files: 4 } });
    await expectAsInNewStore(w);
  });

  it("P2 C6 are read again below ignore files that changed, and where rules changed", async () => {
    const w = await openTestEngine({
      d: { ".gitignore": "", deep: { "c.log": "1", "c.txt": "1" } },
      e: { "f.log": "1" },
    });
    await rest();
    await w.save();
    await w.save();
    w.write("d/.gitignore", "*.log\n");
    expect(await w.save()).toMatchObject({ checkpoint: { removed: 1, changed: 1, files: 3 } });
    await expectAsInNewStore(w);
    expect(await w.save({ scan: { ...w.scan, exclude: ["f.*"] } })).toMatchObject({
      checkpoint: { removed: 1, files: 2 },
    });
    expect(await w.save({ scan: { ...w.scan, maxFileBytes: 0 } })).toMatchObject({
      skipped: [{ path: "d/.gitignore" }, { path: "d/deep/c.txt" }, { path: "e/f.log" }],
    });
  });

  it("C20 hold what cannot be saved: it is named each time", async () => {
    const w = await openTestEngine({ d: { large: "1".repeat(60), small: "1" } }, { scan: { maxFileBytes: 50 } });
    await rest();
    for (let i = 0; i < 3; i++) {
      const saved = await w.save();
      expect(saved.skipped).toMatchObject([{ path: "d/large", reason: "too-large" }]);
      await expectAsInNewStore(w, saved);
    }
  });

  it("P2 are not read again for what is left out in a folder further in", async () => {
    const disk = watched();
    const w = await openTestEngine(
      {
        a: { b: { c: { large: "1".repeat(60), small: "1", d: { x: "1" } } } },
        e: { f: { "CACHEDIR.TAG": SIGNATURE } },
      },
      { fs: disk.fs, scan: { maxFileBytes: 50 } },
    );
    await rest();
    await w.save();
    disk.read.clear();
    const saved = await w.save();
    expect(saved.skipped).toMatchObject([{ path: "a/b/c/large", reason: "too-large" }]);
    // The folder that a cache lies in does not name it, and so has to be looked at itself.
    expect([...disk.read]).toEqual([w.folder, w.path("a/b/c"), w.path("e"), w.path("e/f")]);
    disk.read.clear();
    const told = await w.save({ changedPaths: [] });
    expect(told.skipped).toMatchObject([{ path: "a/b/c/large", reason: "too-large" }]);
    expect([...disk.read]).toEqual([w.path("a/b/c"), w.path("e"), w.path("e/f")]);
    await expectAsInNewStore(w, told);
    fs.rmSync(w.path("e/f/CACHEDIR.TAG"));
    w.write("e/f/new", "1");
    await expectAsInNewStore(w, await w.save());
  });

  it("C6 C20 are judged anew once an ignore file around them can be read again", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ d: { ".gitignore": "*.log\n", e: { f: { "g.log": "1" } } } }, { fs: disk.fs });
    await rest();
    await w.save();
    await w.save();
    w.write("d/e/f/h", "1");
    await rest();
    const path = w.path("d/.gitignore");
    disk.hook = (call) => {
      if (call.method === "open" && call.path === path) throw errno("EIO", path);
    };
    expect(await w.save()).toMatchObject({
      checkpoint: { added: 2 },
      skipped: [{ path: "d/.gitignore", reason: "unreadable" }],
    });
    disk.hook = () => {};
    const saved = await w.save();
    expect(saved).toMatchObject({ checkpoint: { removed: 1 }, skipped: [] });
    await expectAsInNewStore(w, saved);
  });

  it("C20 hold an ignore file that became shorter while it was read: it is named", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ d: { ".gitignore": "*.log\n", "e.log": "1" } }, { fs: disk.fs });
    const path = w.path("d/.gitignore");
    let left = 1;
    disk.hook = (call) => {
      if (call.method === "read" && call.path === path && left-- > 0) fs.truncateSync(path, 2);
    };
    const saved = await w.save();
    expect(saved.skipped).toMatchObject([{ path: "d/.gitignore", reason: "unreadable", message: /became shorter/ }]);
    disk.hook = () => {};
    fs.writeFileSync(path, "*.log\n");
    const next = await w.save();
    expect(next).toMatchObject({ checkpoint: { removed: 1 }, skipped: [] });
    await expectAsInNewStore(w, next);
  });

  it("C6 become caches and cease to be", async () => {
    const w = await openTestEngine({
      a: "1",
      d: { "CACHEDIR.TAG": "no signature yet, but of the same length", b: "1" },
    });
    await rest();
    await w.save();
    await w.save();
    w.write("d/CACHEDIR.TAG", SIGNATURE);
    expect(await w.save()).toMatchObject({ checkpoint: { files: 1 } });
    await rest();
    expect(await w.save()).toMatchObject({ noChange: true });
    w.write("d/CACHEDIR.TAG", "none");
    const saved = await w.save();
    expect(saved).toMatchObject({ checkpoint: { files: 3 } });
    await expectAsInNewStore(w, saved);
  });
});

describe("folders whose times tell nothing", () => {
  /** As mounts of object stores: a folder's times and inode never change. */
  const frozen = (tells: boolean): FileSystem => ({
    ...nodeFileSystem,
    lstat: (path) => {
      const stat = nodeFileSystem.lstat(path);
      return stat !== undefined && (stat.mode & 0o170000) === 0o040000
        ? { ...plain(stat), mtimeMs: 1, ctimeMs: 1 }
        : stat;
    },
    tellsListingChanges: () => tells,
  });

  it("P2 C20 are read each time", async () => {
    const w = await openTestEngine(TREE, { fs: frozen(false) });
    await w.save();
    w.write("d/deep/new", "1");
    expect(await w.save()).toMatchObject({ checkpoint: { added: 1 } });
    w.write("e/other", "1");
    // Nor is a watcher believed there: changes by other machines do not reach it.
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all", checkpoint: { added: 1 } });
  });

  it("C20 are read each time also when only a part of the workspace lies on such a file system", async () => {
    const disk = frozen(true);
    const otherDevice: FileSystem = {
      ...disk,
      lstat: (path) => {
        const stat = disk.lstat(path);
        return stat && String(path).includes("/d") ? { ...plain(stat), dev: stat.dev + 1 } : stat;
      },
    };
    const w = await openTestEngine(TREE, { fs: otherDevice });
    await w.save();
    w.write("d/deep/new", "1");
    expect(await w.save()).toMatchObject({ checkpoint: { added: 1 } });
    await expectAsInNewStore(w);
  });
});

describe("many folders", () => {
  it("P2 are checked by lanes as well", async () => {
    const w = await openTestEngine(forest(), { laneScript: LANE_SCRIPT, laneCount: 3 });
    await rest();
    const { checkpoint } = await w.save();
    expect(await w.save()).toMatchObject({ noChange: true });
    w.write("d7/f3", "other");
    fs.rmSync(w.path("d9"), { recursive: true });
    const second = await w.checkpoint();
    expect(second).toMatchObject({ changed: 1, removed: 60, files: (checkpoint?.files ?? 0) - 60 });
    await expectAsInNewStore(w);
  });

  it("P2 are checked without those lanes that die of it", async () => {
    const script = join(tempFolder(), "lane.cjs");
    fs.writeFileSync(script, 'require("node:worker_threads").parentPort.on("message", () => process.exit(1));');
    const w = await openTestEngine(forest());
    await rest();
    await w.save();
    const dying = await w.another({ laneScript: script, laneCount: 2 });
    w.write("d7/f3", "other");
    const saved = await dying.save({ kind: "manual", trigger: "manual", scan: w.scan });
    expect(saved).toMatchObject({ checkpoint: { changed: 1 } });
    await dying.close();
    await expectAsInNewStore(w, saved);
  });

  it("C21 stop being checked when the user cancels", async () => {
    const w = await openTestEngine(forest());
    await rest();
    await w.save();
    let asked = 0;
    const cancelling = w.engine.observed({ isCancelled: () => ++asked > 2 });
    w.write("d7/f3", "other");
    await expect(cancelling.save({ kind: "manual", trigger: "manual", scan: w.scan })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(await w.save()).toMatchObject({ checkpoint: { changed: 1 } });
  });
});

/** Enough records to be worth several threads. */
function forest(): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: 140 }, (_, d) => [
      `d${d}`,
      Object.fromEntries(Array.from({ length: 60 }, (_, f) => [`f${f}`, `${d}`])),
    ]),
  );
}

const plain = ({ mode, size, mtimeMs, ctimeMs, ino, dev, nlink }: FileStat): FileStat => ({
  ...{ mode, size, mtimeMs, ctimeMs, ino, dev, nlink },
});

/** The folders whose names are read. */
function watched(): { fs: FileSystem; read: Set<string> } {
  const read = new Set<string>();
  const disk = new WatchedFileSystem(({ method, path }) => {
    if (method === "readdir" && !path.includes("/stores/") && !path.endsWith("/stores")) read.add(path);
  });
  return { fs: disk.fs, read };
}
