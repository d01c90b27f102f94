import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import { MAX_UNSAVED_BYTES, type UnsavedFile } from "../../../src/shared/saves";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

const editor = (path: string, text: string): UnsavedFile => ({ path, content: Buffer.from(text) });

async function held(w: TestWorkspace, checkpoint: Checkpoint | null | string | undefined, path: string) {
  const ref = typeof checkpoint === "string" ? checkpoint : (checkpoint?.id ?? "");
  return Buffer.from(await w.engine.readFile(ref, path)).toString();
}

describe("unsaved texts in a save", () => {
  it("V11 the checkpoint holds the editor's text, the disk stays as it is", async () => {
    const w = await openTestEngine({ "a.txt": "disk", src: { "b.txt": "b on disk" }, "c.txt": "c" });
    fs.chmodSync(w.path("src/b.txt"), 0o750);
    const before = w.snapshot();
    const first = await w.checkpoint({ unsaved: [editor("src/b.txt", "typed, not saved")] });
    expect(w.snapshot()).toEqual(before);
    expect(await held(w, first, "src/b.txt")).toBe("typed, not saved");
    expect(await held(w, first, "a.txt")).toBe("disk");
    expect(await w.engine.stat(first.id, "src/b.txt")).toMatchObject({ size: 16, mode: 0o750 });
    expect(first).toMatchObject({ files: 3, bytes: 4 + 16 + 1, added: 3 });
  });

  it("V11 an editor's change alone makes a checkpoint, the same again makes none, and none dirty saves the disk", async () => {
    const w = await openTestEngine({ "a.txt": "disk", "b.txt": "b" });
    const disk = await w.checkpoint();
    const typed = await w.checkpoint({ kind: "auto", changedPaths: [], unsaved: [editor("a.txt", "typed")] });
    expect(typed).toMatchObject({ added: 0, changed: 1, removed: 0 });
    expect((await w.save({ changedPaths: [], unsaved: [editor("a.txt", "typed")] })).noChange).toBe(true);
    // Also for an engine that knows nothing but what is on disk.
    await w.reopen();
    expect((await w.save({ unsaved: [editor("a.txt", "typed")] })).noChange).toBe(true);
    const after = await w.checkpoint({ changedPaths: [] });
    expect(after.rootTree).toBe(disk.rootTree);
    expect(await held(w, after, "a.txt")).toBe("disk");
  });

  it("V11 what is on disk is known afterwards, also when it was new together with the text", async () => {
    const w = await openTestEngine({ "a.txt": "one", d: { "b.txt": "b" } });
    await w.checkpoint();
    w.write("a.txt", "two, on disk");
    const typed = await w.checkpoint({ unsaved: [editor("a.txt", "three, typed")] });
    expect(await held(w, typed, "a.txt")).toBe("three, typed");
    const { checkpoint, report } = await w.save();
    expect(await held(w, checkpoint, "a.txt")).toBe("two, on disk");
    // The index remembers the disk's content, which is in the store already.
    expect(report.newObjects).toBe(0);
    await w.engine.gc();
    w.write("a.txt", "one");
    expect(await held(w, await w.checkpoint(), "a.txt")).toBe("one");
  });

  it("V11 after a gc freed what only the disk held, the next save reads it again", async () => {
    const w = await openTestEngine({ "a.txt": "one", "b.txt": "b" });
    await w.checkpoint();
    w.write("a.txt", "two, on disk");
    await w.checkpoint({ unsaved: [editor("a.txt", "three, typed")] });
    await w.engine.gc();
    const { checkpoint } = await w.save({ changedPaths: [] });
    expect(await held(w, checkpoint, "a.txt")).toBe("two, on disk");
    expect(await held(w, checkpoint, "b.txt")).toBe("b");
  });

  it("V11 a file that is not on disk any more is in if its folder is there and no rule leaves it out", async () => {
    const w = await openTestEngine({ src: { "a.ts": "a" }, ".gitignore": "*.log\nout/\n", out: { x: "x" } });
    const unsaved = [
      editor("src/gone.ts", "was deleted outside"),
      editor("src/debug.log", "ignored"),
      editor("out/y.ts", "in an ignored folder"),
      editor("nowhere/z.ts", "no such folder"),
      editor("../escape.ts", "outside"),
      editor("src//a.ts", "no path"),
      editor("/etc/passwd", "absolute"),
      editor(".git/config", "version control"),
    ];
    const { checkpoint, skipped } = await w.save({ unsaved });
    // The rules say nothing of it, so it would be missed.
    expect(skipped.map(({ path, reason }) => [path, reason])).toEqual([["nowhere/z.ts", "unsaved"]]);
    expect(checkpoint?.files).toBe(3);
    expect(await held(w, checkpoint, "src/gone.ts")).toBe("was deleted outside");
    expect((await w.engine.readDirectory(checkpoint?.id ?? "", "")).map(({ name }) => name)).toEqual([
      ".gitignore",
      "src",
    ]);
    expect((await w.engine.readDirectory(checkpoint?.id ?? "", "src")).map(({ name }) => name)).toEqual([
      "a.ts",
      "gone.ts",
    ]);
    expect(w.exists("src/gone.ts")).toBe(false);
  });

  it("V11 what cannot be taken is named: too large, too much, links, rules that are not in force", async () => {
    const w = await openTestEngine(
      { "a.txt": "a", "b.txt": "b", "c.txt": "c", ".gitignore": "secret\n", secret: "s" },
      { scan: { maxFileBytes: MAX_UNSAVED_BYTES - 10 } },
    );
    fs.symlinkSync("a.txt", w.path("link"));
    const big = (path: string, bytes: number): UnsavedFile => ({ path, content: Buffer.alloc(bytes) });
    const { checkpoint, skipped } = await w.save({
      unsaved: [
        big("a.txt", MAX_UNSAVED_BYTES - 5),
        big("b.txt", MAX_UNSAVED_BYTES - 20),
        big("c.txt", 21),
        editor("link", "through the link"),
        editor(".gitignore", ""),
      ],
    });
    expect(skipped.map(({ path, reason }) => `${reason} ${path}`)).toEqual([
      "unsaved a.txt",
      "unsaved c.txt",
      "unsaved link",
      "unsaved .gitignore",
    ]);
    expect(skipped[1]?.message).toContain("64 MB");
    expect(await held(w, checkpoint, "a.txt")).toBe("a");
    expect(await held(w, checkpoint, "c.txt")).toBe("c");
    expect(await held(w, checkpoint, "link")).toBe("a.txt");
    expect(await held(w, checkpoint, ".gitignore")).toBe("secret\n");
    expect((await w.engine.stat(checkpoint?.id ?? "", "b.txt")).size).toBe(MAX_UNSAVED_BYTES - 20);
    // They were in the workspace when it was scanned, so a restore must take none of them for new or gone.
    expect((await w.restore(checkpoint ?? "", { dryRun: true })).paths.changed).toEqual(["b.txt"]);
  });

  it("V11 a name with another case is the file it means, where the file system says so", async () => {
    const { platform } = process;
    Object.defineProperty(process, "platform", { value: "darwin" });
    try {
      const w = await openTestEngine({ src: { "Read Me.md": "disk" } });
      const { checkpoint } = await w.save({ unsaved: [editor("SRC/read me.md", "typed")] });
      const names = await w.engine.readDirectory(checkpoint?.id ?? "", "src");
      expect(names.map(({ name }) => name)).toEqual(["Read Me.md"]);
      expect(await held(w, checkpoint, "src/Read Me.md")).toBe("typed");
    } finally {
      Object.defineProperty(process, "platform", { value: platform });
    }
  });
});

describe("unsaved texts in a restore", () => {
  async function dirty() {
    const w = await openTestEngine({ "a.txt": "old", "b.txt": "b" });
    const target = await w.checkpoint();
    // On disk there is what no checkpoint holds, and the editor holds something else again.
    w.write("a.txt", "new on disk");
    return { w, target, unsaved: [editor("a.txt", "typed, not saved")] };
  }

  it("V11 the text is in a checkpoint, undo brings back the disk, redo and gc in between lose nothing", async () => {
    const { w, target, unsaved } = await dirty();
    const before = w.snapshot();
    const { safetyId, unsavedId } = await w.restore(target, { unsaved });
    expect(w.read("a.txt")).toBe("old");
    expect(await held(w, unsavedId, "a.txt")).toBe("typed, not saved");
    expect(await held(w, safetyId ?? "", "a.txt")).toBe("new on disk");
    const kept = await w.engine.resolve(unsavedId ?? "");
    expect(kept).toMatchObject({ kind: "safety", trigger: "unsaved", files: 2 });
    await w.engine.gc();
    await w.undo();
    expect(w.snapshot()).toEqual(before);
    await w.redo();
    expect(w.read("a.txt")).toBe("old");
    await w.restore(unsavedId ?? "");
    expect(w.read("a.txt")).toBe("typed, not saved");
  });

  it("V11 a text equal to the disk's makes no checkpoint of its own, a known one is not made twice", async () => {
    const { w, target, unsaved } = await dirty();
    const first = await w.restore(target, { unsaved: [editor("a.txt", "new on disk")] });
    expect(first.unsavedId).toBeUndefined();
    await w.undo();
    const second = await w.restore(target, { unsaved });
    await w.undo();
    const count = (await w.engine.list()).length;
    const third = await w.restore(target, { unsaved });
    expect(third.unsavedId).toBe(second.unsavedId);
    expect((await w.engine.list()).length).toBe(count);
  });

  it("V11 undo and redo keep texts too, and tell beforehand what they would change", async () => {
    const { w, target } = await dirty();
    w.write("untouched.txt", "u");
    const withNew = await w.checkpoint();
    await w.restore(target, { paths: ["a.txt"] });
    const promised = await w.engine.undo(w.scan, { dryRun: true });
    expect([promised.dryRun, promised.paths]).toEqual([true, { added: [], changed: ["a.txt"], removed: [] }]);
    expect(w.read("a.txt")).toBe("old");
    const undone = await w.engine.undo(w.scan, { unsaved: [editor("a.txt", "typed over the restored")] });
    expect(undone.paths).toEqual(promised.paths);
    expect(w.read("a.txt")).toBe("new on disk");
    expect(await held(w, undone.unsavedId, "a.txt")).toBe("typed over the restored");
    expect((await w.engine.redo(w.scan, { dryRun: true })).paths.changed).toEqual(["a.txt"]);
    const redone = await w.engine.redo(w.scan, { unsaved: [editor("untouched.txt", "typed elsewhere")] });
    expect(await held(w, redone.unsavedId, "untouched.txt")).toBe("typed elsewhere");
    expect(w.read("untouched.txt")).toBe("u");
    expect(withNew.files).toBe(3);
    await expect(w.engine.redo(w.scan, { dryRun: true })).rejects.toMatchObject({ code: "nothing-to-redo" });
  });

  it("V11 nothing is restored when a text cannot be kept", async () => {
    const { w, target } = await dirty();
    w.write(".gitignore", "*.log\n");
    w.write("x.log", "ignored");
    const refusal = async (unsaved: readonly UnsavedFile[], request: object = {}) => {
      const error = await w.restore(target, { unsaved, ...request }).catch((thrown: unknown) => thrown);
      expect(w.read("a.txt")).toBe("new on disk");
      return CheckpointError.is(error) ? `${error.code}: ${error.message}` : String(error);
    };
    expect(await refusal([editor("x.log", "typed")])).toMatch(/^safety-failed: .*x\.log/);
    expect(await refusal([editor(".gitignore", "")])).toMatch(/^safety-failed: .*rules that are not in force/);
    expect(await refusal([editor("a.txt", "typed")], { safety: false })).toMatch(/^usage: /);
  });
});

describe("measuring a folder", () => {
  it("C18 counts what a first save would take in, or what it found in time", async () => {
    const w = await openTestEngine({
      "a.txt": "12345",
      src: { "b.txt": "123" },
      ".gitignore": "out\n",
      out: { c: "123456789" },
    });
    expect(await w.engine.measure(w.scan, { withinMs: 60_000 })).toEqual({ files: 3, bytes: 12, isComplete: true });
    expect(fs.readdirSync(w.storeRoot)).toEqual([]);
    const many = await openTestEngine({});
    for (let i = 0; i < 2_500; i++) many.write(`f${i}`, "x");
    const partly = await many.engine.measure(many.scan, { withinMs: 0 });
    expect(partly.isComplete).toBe(false);
  });
});
