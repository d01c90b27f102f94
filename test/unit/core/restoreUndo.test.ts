import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

describe("undo of what the scan does not see", () => {
  it("C4 V10 a file brought back that is ignored now goes again, and redo brings it back", async () => {
    const w = await openTestEngine({ a: "1", x: "old x", d: { e: "1", link: "1" } });
    const first = await w.checkpoint();
    fs.rmSync(w.path("x"));
    fs.rmSync(w.path("d"), { recursive: true });
    w.write(".gitignore", "x\nd/\n");
    const before = w.snapshot();
    await w.restore(first, { paths: ["x", "d"] });
    const after = w.snapshot();
    expect(after).toEqual({ ...before, x: expect.anything(), d: expect.anything(), ...below(after, "d/") });
    for (let i = 0; i < 2; i++) {
      await w.reopen();
      const undone = await w.undo();
      expect(w.snapshot()).toEqual(before);
      expect(undone).toMatchObject({ kept: [], paths: { removed: ["d/e", "d/link", "x"] } });
      const again = await w.redo();
      expect(w.snapshot()).toEqual(after);
      expect(again).toMatchObject({ kept: [], paths: { added: ["d/e", "d/link", "x"] } });
    }
  });

  it("C4 C6 it stays, and is named, once it is no longer what the restore wrote", async () => {
    const w = await openTestEngine({ a: "1", x: "old x", gone: { e: "1", f: "1" } });
    const first = await w.checkpoint();
    fs.rmSync(w.path("x"));
    fs.rmSync(w.path("gone"), { recursive: true });
    w.write(".gitignore", "x\ngone/\n");
    await w.restore(first, { paths: ["x", "gone"] });
    w.write("x", "edited");
    w.write("gone/e", "2");
    w.write("gone/mine", "precious");
    const { kept, paths } = await w.undo();
    expect(paths.removed).toEqual(["gone/f"]);
    expect(kept).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: "x", code: "protected", reason: expect.stringMatching(/changed since/) }),
        expect.objectContaining({ path: "gone/e", code: "protected" }),
      ]),
    );
    expect([w.read("x"), w.read("gone/e"), w.read("gone/mine")]).toEqual(["edited", "2", "precious"]);
  });

  it("C4 C6 an ignored folder that was there before the restore stays, with its mode", async () => {
    const w = await openTestEngine({ d: { e: "1", f: "1" } });
    const first = await w.checkpoint();
    fs.rmSync(w.path("d/e"));
    fs.rmSync(w.path("d/f"));
    fs.chmodSync(w.path("d"), 0o700);
    w.write(".gitignore", "d/\n");
    const before = w.snapshot();
    await w.restore(first, { paths: ["d"] });
    expect(w.read("d/e")).toBe("1");
    await w.undo();
    expect(w.snapshot()).toEqual(before);
  });

  it("C4 content that has left the store since is not removed with it", async () => {
    const w = await openTestEngine({ a: "1", x: "the only copy" });
    const first = await w.checkpoint();
    fs.rmSync(w.path("x"));
    w.write(".gitignore", "x\n");
    await w.checkpoint();
    await w.restore(first, { paths: ["x"] });
    await w.engine.delete([first.id]);
    expect((await w.undo()).kept.map((each) => each.path)).toEqual(["x"]);
    expect(w.read("x")).toBe("the only copy");
  });
});

describe("the undo stack", () => {
  it("C4 C12 a restore whose undo cannot be written down does not begin", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", new: "1" }, { fs: disk.fs });
    const first = await w.checkpoint();
    w.write("a", "mine");
    fs.rmSync(w.path("new"));
    await w.checkpoint();
    const before = w.snapshot({ times: true });
    disk.hook = ({ method, to }) => {
      if (method === "rename" && to?.endsWith("catalog.sqlite") === true) throw errno("ENOSPC");
    };
    await expect(w.restore(first)).rejects.toMatchObject({ code: "disk-full" });
    expect(w.snapshot({ times: true })).toEqual(before);
    disk.hook = () => {};
    expect((await w.engine.undoState()).undo).toBeNull();
    await w.restore(first);
    await w.undo();
    expect(w.read("a")).toBe("mine");
  });

  it("C4 C12 is written before anything is touched, so that a full disk afterwards takes nothing from it", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", b: "1" }, { fs: disk.fs });
    const first = await w.checkpoint();
    w.write("a", "mine");
    w.write("b", "mine");
    const before = w.snapshot();
    disk.hook = ({ method, path, to }) => {
      if (method !== "rename" || to !== w.path("a")) return;
      // From the first change on nothing can be written any more, and one file cannot be replaced.
      disk.hook = (call) => {
        if (call.method === "rename" && call.to === w.path("b")) throw errno("EACCES", path);
        if (call.method === "write") throw errno("ENOSPC", call.path);
      };
    };
    const { kept, paths } = await w.restore(first);
    expect([paths.changed, kept.map(({ path, code }) => [path, code])]).toEqual([["a"], [["b", "denied"]]]);
    disk.hook = () => {};
    expect((await w.engine.undoState()).undo).toMatchObject({ checkpointId: first.id });
    await w.undo();
    expect(w.snapshot()).toEqual(before);
  });

  it("C4 is about what was done in the end: what could not be restored is not undone either", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", b: "1" }, { fs: disk.fs });
    const first = await w.checkpoint();
    w.write("a", "mine");
    w.write("b", "mine");
    disk.hook = ({ method, to }) => {
      if (method === "rename" && to === w.path("b")) throw errno("EACCES", to);
    };
    await w.restore(first);
    disk.hook = () => {};
    expect((await w.engine.undoState()).undo).toMatchObject({ files: 1 });
    w.write("b", "edited since");
    await w.undo();
    expect([w.read("a"), w.read("b")]).toEqual(["mine", "edited since"]);
  });

  it("C4 a step whose checkpoint was deleted is passed over; the others keep their places", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    const safeties: string[] = [];
    for (const content of ["22", "333", "4444"]) {
      w.write("a", content);
      safeties.push((await w.restore(first)).safetyId ?? "");
    }
    await w.engine.delete([safeties[2] ?? ""]);
    await w.undo();
    expect(w.read("a")).toBe("333");
    await w.engine.delete([safeties[1] ?? ""]);
    expect((await w.engine.undoState()).undo).not.toBeNull();
    await w.undo();
    expect(w.read("a")).toBe("22");
    await w.redo();
    expect(w.read("a")).toBe("333");
    await expect(w.undo().then(() => w.undo())).rejects.toMatchObject({ code: "nothing-to-undo" });
  });

  it("P6 stays small whatever restores leave alone or are about", async () => {
    const w = await openTestEngine({ a: "1", node_modules: {}, src: {} });
    for (let i = 0; i < 2_000; i++) {
      w.write(`node_modules/package-file-${i}.js`, `${i}`);
      w.write(`src/source-file-${i}.js`, `${i}`);
    }
    const all = await w.checkpoint({ scan: { ...w.scan, includeDependencies: true } });
    const size = async (): Promise<number> => (await w.engine.stats()).catalogBytes;
    w.write("a", "2");
    await w.restore(all);
    const after = await size();
    for (let i = 0; i < 5; i++) {
      w.write("a", `${i}xx`);
      fs.rmSync(w.path("src"), { recursive: true });
      const { changes } = await w.restore(all, { dryRun: true });
      expect(changes.length).toBe(2_001);
      await w.restore(all, { paths: changes.map((each) => each.path), exact: true });
    }
    // Rows of a few hundred bytes, in pages of 4 KB; a list of 2,000 paths alone would take 40 KB.
    expect((await size()) - after).toBeLessThan(5 * 8_192);
  });

  it("P6 keeps the latest 50 steps, each undo being one", async () => {
    const w = await openTestEngine({ a: "1" });
    const one = await w.checkpoint();
    w.write("a", "2");
    const two = await w.checkpoint();
    for (let i = 0; i < 60; i++) await w.restore(i % 2 === 0 ? one : two);
    let steps = 0;
    for (; (await w.engine.undoState()).undo !== null; steps++) await w.undo();
    expect(steps).toBe(25);
  });

  it("C4 a checkpoint named like another's id does not get in its way", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("a", "2");
    const { safetyId } = await w.restore(first);
    w.write("b", "1");
    await w.checkpoint({ name: safetyId ?? "" });
    expect((await w.undo()).checkpoint.id).toBe(safetyId);
    expect(w.read("a")).toBe("2");
  });
});

function below(snapshot: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(snapshot).filter(([path]) => path.startsWith(prefix)));
}

describe("deleting what an undo needs", () => {
  it("C4 is said beforehand, and by the undo afterwards", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("a", "22");
    const second = await w.checkpoint();
    expect((await w.engine.planDelete([second.id])).endsUndo).toBe(false);
    expect((await w.restore(first)).safetyId).toBe(second.id);
    expect((await w.engine.planDelete([second.id])).endsUndo).toBe(true);
    expect((await w.engine.planDelete([first.id])).endsUndo).toBe(false);
    await w.engine.delete([second.id]);
    await expect(w.undo()).rejects.toMatchObject({ code: "nothing-to-undo", message: /was deleted/ });
  });
});
