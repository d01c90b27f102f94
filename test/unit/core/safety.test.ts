import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { snapshotTree } from "../../support/snapshotTree";
import { openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

describe("the safety checkpoint", () => {
  it("C4 is made first, holds the state before, and is not made twice for one state", async () => {
    const w = await openTestEngine({ a: "1", b: { c: "2" } });
    const checkpoint = await w.checkpoint();
    w.write("a", "edited");
    fs.rmSync(w.path("b"), { recursive: true });
    const { safetyId } = await w.restore(checkpoint);
    const [safety, ...older] = await w.engine.list();
    expect(safety).toMatchObject({ id: safetyId, kind: "safety", trigger: "restore", changed: 1, removed: 1 });
    expect(older).toHaveLength(1);
    expect(Buffer.from(await w.engine.readFile(safetyId ?? "", "a")).toString()).toBe("edited");
    // The state now is the first checkpoint's: no other is needed for it.
    expect((await w.restore(safetyId ?? "")).safetyId).toBe(checkpoint.id);
    expect(await w.engine.list()).toHaveLength(2);
  });

  it("C4 is left out only when the user says so; then there is no undo", async () => {
    const w = await openTestEngine({ a: "1" });
    const checkpoint = await w.checkpoint();
    w.write("a", "edited");
    expect((await w.restore(checkpoint, { safety: false })).safetyId).toBeNull();
    expect(await w.engine.list()).toHaveLength(1);
    await expect(w.undo()).rejects.toMatchObject({ code: "nothing-to-undo" });
  });

  for (const part of ["packs", "trees", "catalog.sqlite"])
    it(`C4 when it cannot be written (${part}: disk full), nothing is restored and nothing touched`, async () => {
      const disk = new WatchedFileSystem();
      const w = await openTestEngine({ a: "1", b: { c: "2" } }, { fs: disk.fs });
      const checkpoint = await w.checkpoint();
      w.write("a", "edited");
      w.write("b/new", "new");
      const before = w.snapshot({ times: true });
      const store = w.store;
      disk.hook = ({ method, path, to }) => {
        const hit = part === "catalog.sqlite" ? to?.endsWith(part) === true : path.startsWith(`${store}/${part}/`);
        if (hit && ["write", "rename"].includes(method)) throw errno("ENOSPC", path);
      };
      await expect(w.restore(checkpoint)).rejects.toMatchObject({
        code: "safety-failed",
        message: expect.stringMatching(/^Nothing was restored.*disk is full.*/),
      });
      expect(w.snapshot({ times: true })).toEqual(before);
      disk.hook = () => {};
      expect(await w.engine.list()).toHaveLength(1);
      await w.restore(checkpoint);
      expect(w.snapshot()).toEqual({ a: 'file 644 "1"', b: "folder 755", "b/c": 'file 644 "2"' });
      await w.undo();
      expect(w.read("b/new")).toBe("new");
    });
});

describe("undo and redo", () => {
  it("C4 go back and forth through several restores, also after a reload", async () => {
    const w = await openTestEngine({ a: "1" });
    const states = [w.snapshot()];
    const ids = [(await w.checkpoint()).id];
    for (const content of ["2", "3", "4"]) {
      w.write("a", content);
      w.write(`only-${content}`, content);
      ids.push((await w.checkpoint()).id);
      states.push(w.snapshot());
    }
    for (const i of [0, 2, 1]) await w.restore(ids[i] ?? "");
    for (const i of [2, 0, 3]) {
      await w.reopen();
      await w.undo();
      expect(w.snapshot()).toEqual(states[i]);
    }
    await expect(w.undo()).rejects.toMatchObject({ code: "nothing-to-undo" });
    for (const i of [0, 2, 1]) {
      expect((await w.engine.undoState()).redo).not.toBeNull();
      await w.reopen();
      await w.redo();
      expect(w.snapshot()).toEqual(states[i]);
    }
    await expect(w.redo()).rejects.toMatchObject({ code: "nothing-to-redo" });
  });

  it("C4 a new restore ends what could be redone", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("a", "2");
    const second = await w.checkpoint();
    await w.restore(first);
    await w.undo();
    await w.restore(first);
    expect(await w.engine.undoState()).toMatchObject({ redo: null, undo: { checkpointId: first.id, files: 1 } });
    await w.undo();
    expect(w.read("a")).toBe("2");
    expect((await w.engine.resolve("latest")).id).toBe(second.id);
  });

  it("C4 undo keeps edits made elsewhere since, and saves those made in the same place", async () => {
    const w = await openTestEngine({ a: "1", b: "1", c: { d: "1" } });
    const checkpoint = await w.checkpoint();
    w.write("a", "2");
    w.write("c/new", "2");
    await w.restore(checkpoint);
    w.write("b", "edited since");
    w.write("c/other", "new since");
    w.write("a", "edited in the same place");
    const undone = await w.undo();
    expect(w.snapshot()).toEqual({
      a: 'file 644 "2"',
      b: 'file 644 "edited since"',
      c: "folder 755",
      "c/d": 'file 644 "1"',
      "c/new": 'file 644 "2"',
      "c/other": 'file 644 "new since"',
    });
    expect(Buffer.from(await w.engine.readFile(undone.safetyId ?? "", "a")).toString()).toBe(
      "edited in the same place",
    );
  });

  it("C4 undo of a restore of some paths concerns these alone, folders made for them included", async () => {
    const w = await openTestEngine({ keep: "1", x: { y: { "z.txt": "1", other: "1" } } });
    const checkpoint = await w.checkpoint();
    w.write("keep", "2");
    fs.rmSync(w.path("x"), { recursive: true });
    const before = w.snapshot();
    const restored = await w.restore(checkpoint, { paths: ["x/y/z.txt"] });
    expect(restored).toMatchObject({ added: 1, kept: [], paths: { added: ["x/y/z.txt"] } });
    expect(w.snapshot()).toEqual({
      keep: 'file 644 "2"',
      x: "folder 755",
      "x/y": "folder 755",
      "x/y/z.txt": 'file 644 "1"',
    });
    await w.undo();
    expect(w.snapshot()).toEqual(before);
    await w.redo();
    expect(w.read("x/y/z.txt")).toBe("1");
  });

  it("C4 undo works after the checkpoint that was restored has been deleted, and redo too", async () => {
    const w = await openTestEngine({ a: "1", b: { c: "1" } });
    const checkpoint = await w.checkpoint();
    w.write("a", "2");
    w.write("b/c", "2");
    const before = w.snapshot();
    await w.restore(checkpoint);
    const restored = w.snapshot();
    await w.engine.delete([checkpoint.id]);
    await w.reopen();
    await w.undo();
    expect(w.snapshot()).toEqual(before);
    await w.redo();
    expect(w.snapshot()).toEqual(restored);
  });

  it("C4 keepNew leaves new files alone, in the restore and in its undo", async () => {
    const w = await openTestEngine({ a: "1", d: { e: "1" } });
    const checkpoint = await w.checkpoint();
    w.write("a", "2");
    w.write("new", "new");
    w.write("d/new", "new");
    const before = w.snapshot();
    const result = await w.restore(checkpoint, { keepNew: true });
    expect(result.paths).toEqual({ added: [], changed: ["a"], removed: [] });
    expect(w.read("new")).toBe("new");
    w.write("new", "edited since");
    await w.undo();
    expect(w.snapshot()).toEqual({ ...before, new: 'file 644 "edited since"' });
  });

  it("C4 unchanged files keep their inode and times", async () => {
    const w = await openTestEngine({ a: "1", b: { c: "1" }, d: "1" });
    const checkpoint = await w.checkpoint();
    w.write("a", "2");
    const before = w.snapshot({ times: true });
    await w.restore(checkpoint);
    const after = snapshotTree(w.folder, { times: true });
    expect(after["b/c"]).toBe(before["b/c"]);
    expect(after.b).toBe(before.b);
    expect(after.d).toBe(before.d);
    expect(after.a).not.toBe(before.a);
  });
});
