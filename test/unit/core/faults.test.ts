import * as fs from "node:fs";
import { constants } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/shared/errors";
import type { TestWorkspace } from "../../support/testEngine";
import { openTestEngine } from "../../support/testEngine";
import { folder, link } from "../../support/treeLiteral";
import { type Call, errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const THEN = {
  a: "then",
  b: { c: "then", d: { e: "then" } },
  "file-now-folder": { x: { y: "then" } },
  "folder-now-file": "then",
  "link-now-folder": link("a"),
  gone: { f: "then", empty: {} },
  big: Buffer.alloc(300_000, "then "),
};

async function changedWorkspace(disk: WatchedFileSystem): Promise<{ w: TestWorkspace; id: string }> {
  const w = await openTestEngine(THEN, { fs: disk.fs });
  const { id } = await w.checkpoint();
  for (const path of ["a", "b/c", "b/d/e", "big"]) w.write(path, "now");
  for (const path of ["file-now-folder", "folder-now-file", "link-now-folder", "gone"])
    fs.rmSync(w.path(path), { recursive: true });
  w.write("file-now-folder", "now");
  fs.mkdirSync(w.path("folder-now-file"));
  w.write("folder-now-file/z", "now");
  fs.mkdirSync(w.path("link-now-folder"));
  w.write("new", "now");
  // So that every restore below finds the same safety checkpoint.
  await w.checkpoint();
  return { w, id };
}

const inWorkspace = (w: TestWorkspace, call: Call): boolean => call.path.startsWith(`${w.folder}/`);

describe("a disk that fails", () => {
  it("C12 C20 full at the k-th write of a restore, for every k: originals whole, nothing new stays", async () => {
    const disk = new WatchedFileSystem();
    const { w, id } = await changedWorkspace(disk);
    let before = w.snapshot({ times: true });
    const failing = new Set(["write", "symlink", "mkdir"]);
    let failures = 0;
    for (let k = 1; ; k++) {
      let count = 0;
      let failed = false;
      disk.hook = (call) => {
        if (!inWorkspace(w, call) || !failing.has(call.method) || ++count !== k) return;
        failed = true;
        throw errno("ENOSPC", call.path);
      };
      const outcome = await w.restore(id).catch((error: unknown) => error);
      disk.hook = () => {};
      if (!failed) break;
      if (!CheckpointError.is(outcome)) {
        // A folder in the place of a file is made when there is no way back: named, the rest done, undo possible.
        expect((outcome as { kept: unknown[] }).kept).not.toEqual([]);
        await w.undo();
        before = w.snapshot({ times: true });
        continue;
      }
      failures++;
      expect(outcome).toMatchObject({ code: "disk-full" });
      // Folders in which temp files came and went have new times: all else is untouched.
      const strip = (tree: Record<string, string>): Record<string, string> =>
        Object.fromEntries(
          Object.entries(tree).map(([path, entry]) => [path, entry.replace(/^(folder \d+) .*/, "$1")]),
        );
      expect(strip(w.snapshot({ times: true }))).toEqual(strip(before));
    }
    expect(failures).toBeGreaterThan(7);
    expect(w.snapshot()).toMatchObject({ a: 'file 644 "then"', "file-now-folder/x/y": 'file 644 "then"' });
  });

  it("C12 at every single step of a restore that is not a write: never a wrong byte, and undo brings back all", async () => {
    const disk = new WatchedFileSystem();
    const { w, id } = await changedWorkspace(disk);
    const before = w.snapshot();
    await w.restore(id);
    const then = w.snapshot();
    await w.undo();
    for (const method of ["rename", "unlink", "rmdir", "chmod", "fsync", "fchmod", "readdir", "lstat"] as const)
      for (let k = 1; k < 60; k++) {
        let count = 0;
        let failed = false;
        disk.hook = (call) => {
          if (!inWorkspace(w, call) || call.method !== method || ++count !== k) return;
          failed = true;
          throw errno("EIO", call.path);
        };
        await w.restore(id).catch((error: unknown) => {
          if (!CheckpointError.is(error)) throw error;
        });
        disk.hook = () => {};
        for (const [path, entry] of Object.entries(w.snapshot())) {
          const whole = [before[path], then[path]].some(
            (each) => each?.replace(/ \d+ /, " ") === entry.replace(/ \d+ /, " "),
          );
          expect({ method, k, path, entry, whole }).toMatchObject({ whole: true });
        }
        if (!failed) break;
        await w.restore("2");
        expect({ method, k, tree: w.snapshot() }).toEqual({ method, k, tree: before });
      }
  });

  it("C12 full at the k-th write of a save, for every k: earlier checkpoints whole, nothing half-written", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", b: { c: "1" } }, { fs: disk.fs });
    await w.checkpoint();
    w.write("a", "2");
    w.write("b/d", "2");
    for (let k = 1; ; k++) {
      let count = 0;
      let failed = false;
      disk.hook = ({ method, path }) => {
        if (method !== "write" || !path.startsWith(w.storeRoot) || ++count !== k) return;
        failed = true;
        throw errno("ENOSPC", path);
      };
      const outcome = await w.save().catch((error: unknown) => error);
      disk.hook = () => {};
      await w.expectSound();
      if (!CheckpointError.is(outcome)) {
        // Not written: the index, which may be lost, or nothing at all.
        expect(await w.engine.list()).toHaveLength(2);
        if (failed) expect((await w.save()).noChange).toBe(true);
        break;
      }
      expect(outcome).toMatchObject({ code: "disk-full" });
      expect(await w.engine.list()).toHaveLength(1);
    }
    w.write("a", "3");
    await w.restore("2");
    expect(w.snapshot()).toEqual({ a: 'file 644 "2"', b: "folder 755", "b/c": 'file 644 "1"', "b/d": 'file 644 "2"' });
  });
});

describe("a disk that fails late", () => {
  it("C12 C3 what was told to have failed is not there, though the new catalog had its name already", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1" }, { fs: disk.fs });
    for (const before of [0, 1]) {
      w.write("a", `${before + 2}`);
      let failures = 1;
      let isCommitted = false;
      disk.hook = ({ method, path, to }) => {
        if (method === "rename" && to?.endsWith("catalog.sqlite")) isCommitted = true;
        else if (isCommitted && method === "fsync" && path === w.store && failures-- > 0) throw errno("EIO", path);
      };
      await expect(w.save()).rejects.toMatchObject({ code: "io" });
      disk.hook = () => {};
      expect(failures).toBeLessThan(1);
      expect(await w.engine.list()).toHaveLength(before);
      await w.expectSound();
      expect((await w.checkpoint()).number).toBe(before + 1);
    }
  });

  it("C12 what is committed is told as such, whatever fails behind it", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1" }, { fs: disk.fs });
    let isCommitted = false;
    let failed = 0;
    disk.hook = ({ method, path, to }) => {
      if (method === "rename" && to?.endsWith("catalog.sqlite")) isCommitted = true;
      else if (isCommitted && path.endsWith("catalog.sqlite") && ++failed > 0) throw errno("EIO", path);
    };
    expect((await w.save()).noChange).toBe(false);
    disk.hook = () => {};
    expect(failed).toBeGreaterThan(0);
    expect(await w.engine.list()).toHaveLength(1);
    w.write("a", "2");
    expect((await w.checkpoint()).number).toBe(2);
  });

  it("C12 a restored file that cannot be closed is taken away again, like one that cannot be written", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ gone: "1", changed: "1" }, { fs: disk.fs });
    const { id } = await w.checkpoint();
    fs.rmSync(w.path("gone"));
    w.write("changed", "2");
    const before = w.snapshot();
    for (const name of ["gone", ".checkpoint-tmp-"]) {
      disk.hook = ({ method, path, args }) => {
        if (method !== "close" || !path.startsWith(w.path(name))) return;
        fs.closeSync(args[0] as number);
        throw errno("ENOSPC", path);
      };
      await expect(w.restore(id)).rejects.toMatchObject({ code: "disk-full" });
      disk.hook = () => {};
      expect(w.snapshot()).toEqual(before);
    }
  });

  it("C12 a failed write leaves no file open", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1" }, { fs: disk.fs });
    disk.hook = ({ method, path }) => {
      if (method === "write" && !path.includes("/packs/") && !path.includes("/locks/")) throw errno("ENOSPC", path);
    };
    await expect(w.save()).rejects.toMatchObject({ code: "disk-full" });
    disk.hook = () => {};
    expect(disk.openPaths).toEqual([]);
  });
});

describe("files that cannot be read", () => {
  it("C12 C20 an unreadable file or folder is named; everything else is saved", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine(
      { a: "1", secret: "1", d: { b: "1" }, closed: { c: "1", e: { f: "1" } } },
      { fs: disk.fs },
    );
    disk.hook = ({ method, path }) => {
      if (method === "open" && path === w.path("secret")) throw errno("EACCES", path);
      if (method === "readdir" && path === w.path("closed")) throw errno("EACCES", path);
    };
    const { skipped, checkpoint, report } = await w.save();
    expect(skipped).toEqual([
      { path: "closed", reason: "unreadable", message: "permission denied" },
      { path: "secret", reason: "unreadable", message: "permission denied" },
    ]);
    expect(checkpoint).toMatchObject({ files: 2, bytes: 2, skipped: 2 });
    expect(report).toMatchObject({ files: 2, directories: 1 });
    expect((await w.engine.show("latest")).skipped).toEqual(skipped);
    // What could not be read then is not "new since".
    disk.hook = () => {};
    w.write("a", "2");
    const { paths, kept } = await w.restore(checkpoint?.id ?? "");
    expect(paths).toEqual({ added: [], changed: ["a"], removed: [] });
    expect(kept.map((each) => each.path)).toEqual(["closed/c", "closed/e/f", "secret"]);
    expect(w.read("secret")).toBe("1");
  });

  it("C12 an unreadable file or folder of today is never overwritten or removed", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", secret: "1", closed: { c: "1", e: { f: "1" } } }, { fs: disk.fs });
    const { id } = await w.checkpoint();
    for (const path of ["a", "secret", "closed/c"]) w.write(path, "edited");
    disk.hook = ({ method, path }) => {
      if (method === "open" && path === w.path("secret")) throw errno("EACCES", path);
      if (["readdir", "lstat", "open"].includes(method) && path.startsWith(w.path("closed/")))
        throw errno("EACCES", path);
      if (method === "readdir" && path === w.path("closed")) throw errno("EACCES", path);
    };
    const promised = await w.restore(id, { dryRun: true });
    const { paths, kept } = await w.restore(id);
    expect(paths).toEqual({ added: [], changed: ["a"], removed: [] });
    expect(kept).toEqual(promised.kept);
    expect(kept.map((each) => each.path)).toEqual(["closed/c", "closed/e", "secret"]);
    disk.hook = () => {};
    expect([w.read("secret"), w.read("closed/c"), w.read("closed/e/f")]).toEqual(["edited", "edited", "1"]);
  });

  it("C12 a file that vanishes, grows or becomes something else while it is read is named or read again", async () => {
    const disk = new WatchedFileSystem();
    const tree = {
      vanishes: "1",
      grows: "1",
      once: "1",
      becomes: "1",
      large: Buffer.alloc(3_000_000, 1),
      a: "1",
      d: { x: "1" },
    };
    const w = await openTestEngine(tree, { fs: disk.fs });
    let opens = 0;
    disk.hook = ({ method, path }) => {
      if (method === "open" && path === w.path("vanishes")) fs.rmSync(path);
      if (method === "open" && path === w.path("becomes")) {
        fs.rmSync(path);
        fs.symlinkSync("a", path);
      }
      if (method === "read" && path === w.path("grows")) fs.appendFileSync(path, "more");
      if (method === "read" && path === w.path("large")) fs.appendFileSync(path, "more");
      if (method === "open" && path === w.path("once") && opens++ === 0) fs.appendFileSync(path, " and more");
    };
    const { skipped, checkpoint, report } = await w.save();
    disk.hook = () => {};
    expect(skipped.map((each) => `${each.path} ${each.reason}`).sort()).toEqual([
      ...["becomes changed-while-read", "grows changed-while-read", "large changed-while-read", "vanishes vanished"],
    ]);
    expect(Buffer.from(await w.engine.readFile("latest", "once")).toString()).toBe("1 and more");
    expect(checkpoint).toMatchObject({ files: 3, bytes: 12, skipped: 4 });
    expect(report).toMatchObject({ files: 3, newObjects: 2, deduplicated: 1 });
    expect(disk.openPaths.filter((path) => path.startsWith(w.folder))).toEqual([]);
  });

  it("C12 a read error in the middle of a large file leaves that file out and no trace in the pack", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ large: Buffer.alloc(5_000_000, "ab"), small: "1" }, { fs: disk.fs });
    disk.hook = ({ method, path, args }) => {
      if (method === "read" && path === w.path("large") && Number(args[4]) > 2_000_000) throw errno("EIO", path);
    };
    const { skipped, checkpoint } = await w.save();
    expect(skipped).toEqual([{ path: "large", reason: "unreadable", message: "the disk reported a read error" }]);
    expect(checkpoint).toMatchObject({ files: 1, newObjects: 1 });
  });

  it("C12 a large file that cannot be looked at when it has been read is left out, and the next one saved", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ large: Buffer.alloc(2_000_000, "ab"), next: "1" }, { fs: disk.fs });
    disk.hook = ({ method, path }) => {
      if (method === "fstat" && path === w.path("large")) throw errno("EIO", path);
    };
    const { skipped, checkpoint } = await w.save();
    expect(skipped).toEqual([{ path: "large", reason: "unreadable", message: "the disk reported a read error" }]);
    expect(checkpoint).toMatchObject({ files: 1, newObjects: 1 });
  });

  it("C12 nothing but reading is ever asked of the workspace by a save", async () => {
    const writes: Call[] = [];
    const disk = new WatchedFileSystem((call) => {
      const reads = ["lstat", "fstat", "read", "readdir", "readlink", "close", "realpath"];
      const forReading =
        call.method === "open" && ((call.args[1] as number) & (constants.O_WRONLY | constants.O_RDWR)) === 0;
      if (!reads.includes(call.method) && !forReading) writes.push(call);
    });
    const w = await openTestEngine({ a: "1", l: link("a"), d: folder({ b: "1" }, 0o700) }, { fs: disk.fs });
    const before = w.snapshot({ times: true });
    await w.checkpoint();
    expect(writes.filter((call) => inWorkspace(w, call))).toEqual([]);
    expect(w.snapshot({ times: true })).toEqual(before);
  });
});
