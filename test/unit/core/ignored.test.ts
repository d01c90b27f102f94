import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";
import type { ScanOptions } from "../../../src/shared/saves";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";
import type { TreeLiteral } from "../../support/treeLiteral";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

const CACHEDIR = "Signature: 8a477f597d28d172789f06886806bc55\n# a cache\n";

/** Paths a save takes in: files and links, and empty folders with "/" at their ends. */
async function savedPaths(tree: TreeLiteral, scan: Partial<ScanOptions> = {}): Promise<string[]> {
  const w = await openTestEngine(tree, { scan });
  await w.save({ name: "all" });
  return (await w.engine.show("latest")).changes.map((each) => each.path).sort();
}

describe("what is saved", () => {
  it("C6 leaves out version control and its own temp files at every level, as file or folder", async () => {
    const tree = { a: "1", ".git": "gitdir: elsewhere", ".hg": { x: "1" }, ".svn": { x: "1" } };
    const nested = { ...tree, deeper: { ...tree, [`${TEMP_PREFIX}1`]: "1" }, [`${TEMP_PREFIX}2`]: { in: "1" } };
    const w = await openTestEngine(nested);
    w.checkAfterwards = false; // the temp files are the test's own
    await w.checkpoint();
    expect((await w.engine.show("latest")).changes.map((each) => each.path)).toEqual(["a", "deeper/a"]);
    // Nothing can bring them in.
    const asked = await savedPaths({ ...tree, ".checkpointignore": "!.git\n!.git/\n!.hg\n!.svn/**\n" });
    expect(asked).toEqual([".checkpointignore", "a"]);
  });

  it("C6 leaves out dependencies and marked caches unless asked for", async () => {
    const tree: TreeLiteral = {
      a: "1",
      node_modules: { x: { "index.js": "1" } },
      packages: { p: { node_modules: { y: "1" }, venv: { z: "1" } } },
      cache: { "CACHEDIR.TAG": CACHEDIR, x: "1" },
      "no-cache": { "CACHEDIR.TAG": "something else", x: "1" },
      venv: "a file of that name",
    };
    expect(await savedPaths(tree)).toEqual(["a", "no-cache/CACHEDIR.TAG", "no-cache/x", "packages/p/", "venv"]);
    const all = await savedPaths(tree, { includeDependencies: true });
    expect(all).toContain("node_modules/x/index.js");
    expect(all).toContain("cache/x");
    expect(all).toHaveLength(9);
  });

  it("C6 obeys .gitignore files at every level, as git does", async () => {
    const tree: TreeLiteral = {
      ".gitignore": "*.log\n!keep.log\n/build/\ntemp*/\n\\#odd\n\\!bang\ndocs/*.pdf\n**/gen/x\n",
      "a.log": "1",
      "keep.log": "1",
      build: { x: "1" },
      "#odd": "1",
      "!bang": "1",
      gen: { x: "1", y: "1" },
      docs: { "a.pdf": "1", deeper: { "b.pdf": "1" } },
      src: {
        ".gitignore": "!*.log\n/only-here\n",
        "b.log": "1",
        build: { x: "1" },
        "only-here": "1",
        temporary: { x: "1" },
        deeper: { ".gitignore": "*\n!.gitignore\n", "only-here": "1", "c.log": "1" },
      },
    };
    expect(await savedPaths(tree)).toEqual([
      ...[".gitignore", "docs/deeper/b.pdf", "gen/y", "keep.log", "src/.gitignore", "src/b.log", "src/build/x"],
      ...["src/deeper/.gitignore"],
    ]);
    expect(await savedPaths(tree, { useGitignore: false })).toHaveLength(18);
  });

  it("C6 .checkpointignore overrules .gitignore, settings and defaults, also for whole folders", async () => {
    const tree: TreeLiteral = {
      ".gitignore": "dist/\n.env\nout/\n",
      ".checkpointignore": "!dist/\n!.env\n!node_modules/\n*.big\n",
      ".env": "secret",
      "x.big": "1",
      dist: { "a.js": "1", deep: { "b.js": "1", "y.big": "1" } },
      out: { x: "1" },
      node_modules: { m: { "index.js": "1", node_modules: { n: "1" } } },
      settings: { x: "1" },
      lib: { ".chkptignore": "!/out/\n", out: { z: "1" } },
    };
    expect(await savedPaths(tree, { exclude: ["settings/"] })).toEqual([
      ...[".checkpointignore", ".env", ".gitignore", "dist/a.js", "dist/deep/b.js", "lib/.chkptignore", "lib/out/z"],
      ...["node_modules/m/index.js", "node_modules/m/node_modules/n"],
    ]);
  });

  it("C6 an ignored folder that is taken back in keeps to ignore files of its own", async () => {
    expect(
      await savedPaths({
        ".gitignore": "dist\n",
        ".checkpointignore": "!dist\n",
        dist: { ".gitignore": "*.map\n", "a.js": "1", "a.map": "1", sub: { "b.map": "1", dist: { c: "1" } } },
      }),
    ).toEqual([".checkpointignore", ".gitignore", "dist/.gitignore", "dist/a.js", "dist/sub/dist/c"]);
  });

  it("C6 a link is no ignore file, and an ignore file need not be UTF-8", async () => {
    const w = await openTestEngine({ rules: "a\n", a: "1", b: "1", sub: { a: "1" } });
    fs.symlinkSync("rules", w.path(".gitignore"));
    fs.writeFileSync(w.path("sub/.gitignore"), Buffer.from([0xff, 0x0a, 0x61, 0x0a]));
    await w.checkpoint();
    const paths = (await w.engine.show("latest")).changes.map((each) => each.path).sort();
    expect(paths).toEqual([".gitignore", "a", "b", "rules", "sub/.gitignore"]);
  });
});

describe("what is not saved", () => {
  it("C6 is never opened, listed, changed or removed by save, diff, restore, undo, redo, gc", async () => {
    const opened: string[] = [];
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (!["lstat", "close", "fstat", "realpath"].includes(method)) opened.push(path);
    });
    const w = await openTestEngine(
      {
        ".gitignore": "secret*\nignored/\n",
        a: "1",
        secret: "s",
        ignored: { ".gitignore": "x", x: "1" },
        sub: { "secret-2": "s", b: "1" },
        node_modules: { m: "1", "CACHEDIR.TAG": CACHEDIR },
        cache: { "CACHEDIR.TAG": CACHEDIR, secret: "1" },
        repository: { ".git": { config: "1" }, c: "1" },
        huge: "more than ten bytes",
      },
      { fs: disk.fs, scan: { maxFileBytes: 16 } },
    );
    const out = (path: string): boolean =>
      /(^|\/)(secret|ignored|node_modules|\.git(\/|$))|^cache\/secret|^huge/.test(path);
    const ignored = (): Record<string, string> =>
      Object.fromEntries(Object.entries(w.snapshot({ times: true })).filter(([path]) => out(path)));
    const before = ignored();
    expect(Object.keys(before)).toHaveLength(12);
    const checkpoint = await w.checkpoint();
    w.write("a", "2");
    w.write("sub/new", "2");
    fs.rmSync(w.path("repository/c"));
    await w.engine.diff({ ref: "1" }, { workspace: w.scan });
    await w.restore(checkpoint, { dryRun: true });
    await w.restore(checkpoint);
    await w.undo();
    await w.redo();
    await w.engine.delete(["latest"]);
    await w.engine.gc();
    expect(ignored()).toEqual(before);
    const touched = opened
      .filter((path) => path.startsWith(`${w.folder}/`))
      .map((path) => path.slice(w.folder.length + 1));
    expect(touched).not.toEqual([]);
    expect(touched.filter(out)).toEqual([]);
  });

  it("C6 a file too large to be saved is reported, and never removed or overwritten by a restore", async () => {
    const w = await openTestEngine({ a: "small" }, { scan: { maxFileBytes: 10 } });
    const first = await w.checkpoint();
    w.write("a", "now larger than ten bytes");
    w.write("b", "larger than ten bytes as well");
    const second = await w.save();
    expect(second.skipped.map((each) => [each.path, each.reason])).toEqual([
      ["a", "too-large"],
      ["b", "too-large"],
    ]);
    const before = w.snapshot({ times: true });
    const result = await w.restore(first);
    expect(result.kept.map((each) => each.path)).toEqual(["a"]);
    expect(result.changes).toEqual([]);
    expect(w.snapshot({ times: true })).toEqual(before);
    // The limit is raised: both are captured now, but the checkpoints say nothing about b.
    const big = { ...w.scan, maxFileBytes: 1000 };
    expect((await w.restore(second.checkpoint?.id ?? "", { scan: big })).changes).toEqual([]);
    const lifted = await w.restore(first, { scan: big });
    expect(lifted.paths).toEqual({ added: [], changed: ["a"], removed: ["b"] });
    await w.engine.undo(big);
    expect(snapshotTree(w.folder)).toMatchObject({ b: 'file 644 "larger than ten bytes as well"' });
  });
});

describe("a store inside the workspace", () => {
  for (const [name, inside] of [
    ["in a folder", "/.store"],
    ["in the root itself", ""],
    ["below a folder named stores", "/stores/x"],
  ] as const)
    it(`C6 is not saved and not touched (${name})`, async () => {
      const workspace = tempFolder("workspace");
      const w = await openTestEngine(
        { a: "1", lib: { stores: { b: "1" } } },
        { workspace, storeRoot: workspace + inside },
      );
      w.checkAfterwards = false; // it counts the files of the workspace
      const first = await w.checkpoint();
      expect(first.files).toBe(2);
      w.write("a", "2");
      await w.restore(first);
      expect(w.read("a")).toBe("1");
      expect(await w.checkpoint()).toMatchObject({ files: 2, rootTree: first.rootTree });
      expect((await w.engine.verify({ full: true })).ok).toBe(true);
    });

  it("C6 is recognised when it is named through a link", async () => {
    const workspace = tempFolder("workspace");
    const alias = `${tempFolder("alias")}/link`;
    fs.symlinkSync(workspace, alias);
    const w = await openTestEngine({ a: "1" }, { workspace, storeRoot: `${alias}/.store` });
    w.checkAfterwards = false;
    await w.checkpoint();
    w.write("a", "2");
    const second = await w.checkpoint();
    expect(second.files).toBe(1);
    expect((await w.restore("1")).paths).toEqual({ added: [], changed: ["a"], removed: [] });
    expect((await w.engine.verify({ full: true })).ok).toBe(true);
  });
});
