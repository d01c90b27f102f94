import * as fs from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { damageContent } from "../../support/damagedContent";
import { openTestEngine } from "../../support/testEngine";
import { folder } from "../../support/treeLiteral";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

describe("what cannot be brought back", () => {
  it("C8 C20 does not cost what is in its way", async () => {
    const w = await openTestEngine({ x: "the old file", y: "another file", z: "1" });
    w.checkAfterwards = false;
    const first = await w.checkpoint();
    for (const name of ["x", "y"]) {
      fs.rmSync(w.path(name));
      fs.mkdirSync(w.path(`${name}/deep`), { recursive: true });
      w.write(`${name}/mine`, "work");
      w.write(`${name}/deep/mine`, "work");
    }
    w.write("z", "2");
    await w.checkpoint();
    damageContent(w.store, "the old file");
    await w.reopen();
    const before = w.snapshot();
    const { kept, paths, changes } = await w.restore(first);
    expect(kept).toMatchObject([{ path: "x", code: "damaged" }]);
    expect(paths).toEqual({ added: [], changed: ["y", "z"], removed: ["y/deep/mine", "y/mine"] });
    expect(changes.some((each) => each.path.startsWith("x"))).toBe(false);
    expect([w.read("x/mine"), w.read("x/deep/mine"), w.read("y")]).toEqual(["work", "work", "another file"]);
    await w.undo();
    expect(w.snapshot()).toEqual(before);
  });

  it("C21 is named, also when the folder for its unfinished content has gone", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ d: { x: "file" } }, { fs: disk.fs });
    const first = await w.checkpoint();
    fs.rmSync(w.path("d/x"));
    fs.mkdirSync(w.path("d/x"));
    w.write("d/x/mine", "work");
    w.write("new", "1");
    const elsewhere = `${w.folder}-moved`;
    let planning = false;
    disk.hook = ({ method, path, to }) => {
      if (method === "rename" && to?.endsWith("catalog.sqlite") === true) planning = true;
      // The plan looks at the folder that it empties: right after that it becomes a link.
      if (!planning || method !== "readdir" || path !== w.path("d/x")) return;
      disk.hook = () => {};
      fs.renameSync(w.path("d"), elsewhere);
      fs.symlinkSync(elsewhere, w.path("d"));
    };
    const { kept } = await w.restore(first);
    expect(kept).toMatchObject([{ path: "d/x", code: "denied", reason: expect.stringMatching(/folder above it/) }]);
    expect(fs.readFileSync(`${elsewhere}/x/mine`, "utf8")).toBe("work");
    fs.rmSync(w.path("d"));
    fs.renameSync(elsewhere, w.path("d"));
  });
});

/** A user to whom permission bits apply; tests may run as root, to whom they do not. */
function asOrdinaryUser(): WatchedFileSystem {
  return new WatchedFileSystem(({ method, path, to, args }) => {
    const creates = method === "open" && (Number(args[1]) & fs.constants.O_CREAT) !== 0;
    const makes = creates || ["mkdir", "rmdir", "unlink", "rename", "symlink"].includes(method);
    for (const each of makes ? [path, ...(method === "rename" && to !== undefined ? [to] : [])] : []) {
      const parent = fs.lstatSync(dirname(each), { throwIfNoEntry: false });
      if (parent !== undefined && (parent.mode & 0o200) === 0) throw errno("EACCES", each);
    }
  });
}

describe("folders that are closed to changes", () => {
  it("C1 C12 a folder that is closed now and was open is restored with all in it, by an ordinary user", async () => {
    const w = await openTestEngine({ d: { a: "1", gone: "1", sub: { x: "1" } } }, { fs: asOrdinaryUser().fs });
    const first = await w.checkpoint();
    const then = w.snapshot();
    w.write("d/a", "2");
    fs.rmSync(w.path("d/gone"));
    w.write("d/new", "1");
    fs.rmSync(w.path("d/sub"), { recursive: true });
    w.write("d/sub", "a file");
    fs.chmodSync(w.path("d"), 0o555);
    const before = w.snapshot();
    expect((await w.restore(first)).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
    expect((await w.restore(first)).changes).toEqual([]);
    expect((await w.undo()).kept).toEqual([]);
    expect(w.snapshot()).toEqual(before);
  });

  it("C1 C12 a closed folder whose mode does not change is closed again; one that is not wanted goes with all in it", async () => {
    const w = await openTestEngine(
      { d: folder({ a: "1", e: folder({ b: "1" }, 0o555) }, 0o555) },
      { fs: asOrdinaryUser().fs },
    );
    const first = await w.checkpoint();
    const then = w.snapshot();
    fs.writeFileSync(w.path("d/a"), "2");
    fs.writeFileSync(w.path("d/e/b"), "2");
    fs.mkdirSync(w.path("n/m"), { recursive: true });
    w.write("n/m/x", "1");
    for (const path of ["n/m", "n"]) fs.chmodSync(w.path(path), 0o555);
    const before = w.snapshot();
    expect((await w.restore(first)).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
    expect((await w.undo()).kept).toEqual([]);
    expect(w.snapshot()).toEqual(before);
  });

  it("C1 C12 a file with several names in a closed folder gets its own mode", async () => {
    const w = await openTestEngine({ d: { a: "1" } }, { fs: asOrdinaryUser().fs });
    fs.linkSync(w.path("d/a"), w.path("b"));
    fs.chmodSync(w.path("d"), 0o555);
    const first = await w.checkpoint();
    const then = w.snapshot();
    fs.chmodSync(w.path("b"), 0o600);
    expect((await w.restore(first)).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
  });

  it("C12 is as before when the restore cannot begin", async () => {
    const disk = asOrdinaryUser();
    const w = await openTestEngine({ d: folder({ a: "1" }, 0o555) }, { fs: disk.fs });
    const first = await w.checkpoint();
    fs.writeFileSync(w.path("d/a"), "2");
    const before = w.snapshot();
    const rules = disk.hook;
    disk.hook = (call) => {
      if (call.method === "write" && call.path.startsWith(w.path("d"))) throw errno("ENOSPC", call.path);
      rules(call);
    };
    await expect(w.restore(first)).rejects.toMatchObject({ code: "disk-full" });
    expect(w.snapshot()).toEqual(before);
  });
});
