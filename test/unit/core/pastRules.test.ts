import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { openTestEngine } from "../../support/testEngine";

const CACHEDIR = "Signature: 8a477f597d28d172789f06886806bc55\n";

/** What lay there unseen when the checkpoint was made is not "new since", whatever made it unseen. */
describe("rules that differ between then and now", () => {
  it("C6 ignored then, not ignored now: stays, and is named", async () => {
    const w = await openTestEngine({
      ".gitignore": "*.log\nout/\n",
      "x.log": "1",
      out: { y: "1", d: { z: "1" } },
      a: "1",
    });
    const checkpoint = await w.checkpoint();
    w.write(".gitignore", "");
    w.write("a", "2");
    w.write("really-new", "1");
    const { paths, kept } = await w.restore(checkpoint);
    expect(paths).toEqual({ added: [], changed: [".gitignore", "a"], removed: ["really-new"] });
    expect(kept.map((each) => each.path)).toEqual(["out/d/z", "out/y", "x.log"]);
    expect([w.read("x.log"), w.read("out/y"), w.read("out/d/z")]).toEqual(["1", "1", "1"]);
  });

  it("C6 saved then, ignored now: what is there stays, what is missing comes back", async () => {
    const w = await openTestEngine({ a: "1", b: "1", out: { c: "1", d: "1" }, gone: { e: "1" } });
    const checkpoint = await w.checkpoint();
    w.write(".gitignore", "a\nb\nout/\ngone/\n");
    w.write("a", "precious");
    w.write("out/c", "precious");
    w.write("out/new", "precious");
    for (const path of ["b", "out/d", "gone"]) fs.rmSync(w.path(path), { recursive: true });
    const { paths, kept } = await w.restore(checkpoint);
    expect(paths.added).toEqual(["b", "gone/e", "out/d"]);
    expect(kept.map((each) => each.path)).toEqual(["a", "out/c"]);
    expect([w.read("a"), w.read("out/c"), w.read("out/new")]).toEqual(["precious", "precious", "precious"]);
  });

  it("C6 C4 undo leaves alone what the restore left alone, whatever the rules became by it", async () => {
    const w = await openTestEngine({ ".env": "then", a: "1" });
    const checkpoint = await w.checkpoint();
    w.write(".gitignore", ".env\n");
    for (const content of ["then", "precious"]) {
      w.write(".env", content);
      const before = w.snapshot();
      // The restore takes .gitignore away, so that .env is seen from then on.
      const { kept, paths } = await w.restore(checkpoint);
      expect(kept.map((each) => each.path)).toEqual([".env"]);
      expect(paths.removed).toEqual([".gitignore"]);
      await w.undo();
      expect(w.snapshot()).toEqual(before);
    }
  });

  it("C4 undo keeps edits of what the restore left alone", async () => {
    const w = await openTestEngine({ ".gitignore": "x\n", x: "1", a: "1" });
    const checkpoint = await w.checkpoint();
    w.write(".gitignore", "");
    w.write("a", "2");
    expect((await w.restore(checkpoint)).kept.map((each) => each.path)).toEqual(["x"]);
    w.write(".gitignore", "");
    w.write("x", "edited since");
    await w.undo();
    expect([w.read("x"), w.read("a"), w.read(".gitignore")]).toEqual(["edited since", "2", ""]);
  });

  it("C6 excluded by settings, as a dependency or by its size then: stays", async () => {
    const w = await openTestEngine({ a: "1", s: { x: "1" }, node_modules: { m: "1" }, big: "1234567890" });
    const then = { ...w.scan, exclude: ["s/"], maxFileBytes: 5 };
    const checkpoint = await w.checkpoint({ scan: then });
    const before = w.snapshot();
    const now = { ...w.scan, includeDependencies: true };
    const result = await w.restore(checkpoint, { scan: now });
    expect(result.changes).toEqual([]);
    expect(result.kept.map((each) => each.path)).toEqual(["big", "node_modules/m", "s/x"]);
    expect(w.snapshot()).toEqual(before);
  });

  it("C6 marked as a cache then, not now: stays", async () => {
    const w = await openTestEngine({ a: "1", cache: { "CACHEDIR.TAG": CACHEDIR, x: "1", d: { y: "1" } } });
    const checkpoint = await w.checkpoint();
    fs.rmSync(w.path("cache/CACHEDIR.TAG"));
    await w.restore(checkpoint);
    expect([w.read("cache/x"), w.read("cache/d/y")]).toEqual(["1", "1"]);
  });

  it("C6 ignored by an ignore file that is itself ignored: stays when that file is gone", async () => {
    const w = await openTestEngine({ a: "1", env: { ".gitignore": "*\n", x: "1", d: { y: "1" } } });
    const checkpoint = await w.checkpoint();
    fs.rmSync(w.path("env/.gitignore"));
    await w.restore(checkpoint);
    expect([w.read("env/x"), w.read("env/d/y")]).toEqual(["1", "1"]);
  });

  it("C6 C8 when they are lost, a restore refuses rather than take what they hid for new", async () => {
    const w = await openTestEngine({ ".gitignore": "x.log\n", "x.log": "precious", k: "1" });
    w.checkAfterwards = false;
    const checkpoint = await w.checkpoint();
    const lost = fs.readdirSync(`${w.store}/packs`);
    w.write(".gitignore", "other\n");
    await w.checkpoint();
    await w.engine.close();
    for (const name of lost) fs.unlinkSync(`${w.store}/packs/${name}`);
    await w.reopen();
    await expect(w.restore(checkpoint)).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringContaining(".gitignore"),
    });
    expect(w.read("x.log")).toBe("precious");
  });
});
