/** Stores made by somebody who wants a restore to write, change or remove what is none of its business. */
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { refusedByWindows } from "../../../src/core/fs/windowsNames";
import { loadCodecs } from "../../../src/core/store/codecs";
import type { Hash } from "../../../src/core/store/hash";
import { writeIntent } from "../../../src/core/store/restoreJournal";
import { CheckpointError } from "../../../src/shared/errors";
import { isTakenForNeverSaved } from "../../../src/shared/leftOutNames";
import type { ByteString } from "../../../src/shared/pathText";
import { type ForgedEntry, forgeCatalog, forgePack, forgeTree } from "../../support/forgedStore";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestOptions, type TestWorkspace } from "../../support/testEngine";
import { createTree, file, type TreeLiteral } from "../../support/treeLiteral";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

const CONTENT = Buffer.from("\u0001forged content");
const FOLDER = 1;

interface Forged {
  readonly w: TestWorkspace;
  /** Of CONTENT. */
  readonly content: Hash;
  /** Stores trees, inner ones first, and makes the last one checkpoint #1's root. */
  readonly plant: (...trees: (readonly ForgedEntry[])[]) => Promise<Hash>;
}

/** A workspace with one checkpoint, beside a folder that nothing may touch. */
async function forged(tree: TreeLiteral = { "a.txt": "1" }, options: TestOptions = {}): Promise<Forged> {
  const around = tempFolder("around");
  fs.writeFileSync(join(around, "victim"), "victim");
  const workspace = join(around, "workspace");
  const w = await openTestEngine(tree, { workspace, ...options });
  w.checkAfterwards = false;
  await w.checkpoint();
  const [content] = await forgePack(w.store, "packs", [CONTENT]);
  const plant = async (...trees: (readonly ForgedEntry[])[]): Promise<Hash> => {
    const hashes = await forgePack(w.store, "trees", trees.map(forgeTree));
    await forgeCatalog(w.store, "UPDATE checkpoints SET root_tree = ?, total_files = 1 WHERE number = 1", [
      hashes.at(-1) ?? "",
    ]);
    await w.reopen();
    return hashes.at(-1) as Hash;
  };
  return { w, content: content as Hash, plant };
}

/** Everything but the store's own folder. */
const around = (w: TestWorkspace) => snapshotTree(join(w.folder, ".."), { times: true });

async function expectRefused(w: TestWorkspace, why: RegExp = /./): Promise<void> {
  const before = around(w);
  const message = expect.stringMatching(why);
  for (const dryRun of [true, false]) {
    const refused = expect(w.restore("1", { dryRun })).rejects;
    await refused.toMatchObject({ code: "damaged", message: expect.stringMatching(/#1/) });
    await expect(w.restore("1", { dryRun })).rejects.toMatchObject({ message });
  }
  expect(around(w)).toEqual(before);
  const { ok, damaged } = await w.engine.verify({ full: true });
  expect({ ok, damaged: damaged.map(({ checkpoint }) => checkpoint.number) }).toEqual({ ok: false, damaged: [1] });
}

describe("a forged tree", () => {
  const names: readonly (readonly [what: string, names: readonly string[]])[] = [
    ["an empty name", [""]],
    ["a name that is the folder itself", ["."]],
    ["a name that is the folder above", [".."]],
    ["a path into a folder", ["d/x"]],
    ["a path out of the workspace", ["../victim"]],
    ["an absolute path", ["/tmp/checkpoint-forged"]],
    ["a name with a zero byte", ["a\0b"]],
    ["a name longer than any file system's", ["n".repeat(5_000)]],
    ["one name twice", ["a", "a"]],
    ["names out of order", ["b", "a"]],
  ];
  for (const [what, bad] of names)
    it(`C16 with ${what} is refused before anything is written, by an error that names the checkpoint`, async () => {
      const { w, content, plant } = await forged();
      await plant(bad.map((name) => ({ name, hash: content, size: CONTENT.length })));
      await expectRefused(w, /recorded folder/);
      // Also where it lies deeper, as a folder, and as the target of an undo.
      const [inner] = await forgePack(w.store, "trees", [
        forgeTree(bad.map((name) => ({ name, hash: content, type: FOLDER }))),
      ]);
      await plant([{ name: "sub", type: FOLDER, hash: inner as Hash, mode: 0o755 }]);
      await expectRefused(w);
    });

  it("C16 with an entry of an unknown type, bytes after its end, a mode that is none, is refused", async () => {
    const { w, content, plant } = await forged();
    for (const entry of [{ type: 3 }, { mode: 0o10644 }, { size: 2 ** 55 }]) {
      await plant([{ name: "a", hash: content, ...entry }]);
      await expectRefused(w);
    }
  });

  it("C16 with a folder that is a file's content, or no tree at all, is refused", async () => {
    const { w, content, plant } = await forged();
    await plant([{ name: "a", hash: content, type: FOLDER }]);
    await expectRefused(w, /missing/);
    const [text] = await forgePack(w.store, "trees", [CONTENT]);
    await plant([{ name: "a", hash: text as Hash, type: FOLDER }]);
    await expectRefused(w);
  });

  it("C16 whose files are trees restores the bytes of the tree, as what it is: a file", async () => {
    const { w, plant } = await forged();
    const tree = forgeTree([]);
    const [hash] = await forgePack(w.store, "packs", [tree]);
    await plant([{ name: "a", hash: hash as Hash, size: tree.length }]);
    await w.restore("1");
    expect(fs.readFileSync(w.path("a"))).toEqual(tree);
  });

  it("C16 ten thousand folders deep is refused by all that walk it, and can be deleted", async () => {
    const { w, content, plant } = await forged();
    w.write("a.txt", "2");
    await w.checkpoint();
    const codecs = await loadCodecs();
    const trees = [forgeTree([{ name: "a", hash: content }])];
    for (let i = 0; i < 10_000; i++)
      trees.push(forgeTree([{ name: "d", type: FOLDER, hash: codecs.hash(trees[i] as Buffer), mode: 0o755 }]));
    await forgePack(w.store, "trees", trees.slice(0, -1));
    await plant([{ name: "d", type: FOLDER, hash: codecs.hash(trees[9_999] as Buffer), mode: 0o755 }]);
    await expectRefused(w, /deeper than any file system/);
    await expect(w.engine.diff({ ref: "1" }, { ref: "2" })).rejects.toMatchObject({ code: "damaged" });
    await expect(w.engine.purge(["d"])).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringMatching(/#1/),
    });
    const found = await w.engine.search({ pattern: { text: "content" }, limit: 10 } as never).catch((error) => error);
    expect(["CheckpointError", undefined]).toContain((found as Error).name);
    await w.engine.planDelete(["1"]);
    await w.engine.delete(["1"]);
    expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true, checkpoints: 1 });
  });

  it("C16 that contains itself is found out by its hash", async () => {
    const { w } = await forged();
    const codecs = await loadCodecs();
    // No bytes hold their own hash; a pack can only claim it. So its entry is given the name of a tree that names it.
    const claimed = codecs.hash(Buffer.from("claimed"));
    const tree = forgeTree([{ name: "d", type: FOLDER, hash: claimed, mode: 0o755 }]);
    const [real] = await forgePack(w.store, "trees", [tree]);
    for (const name of fs.readdirSync(join(w.store, "trees"))) {
      const path = join(w.store, "trees", name);
      const bytes = fs.readFileSync(path);
      for (let at = bytes.indexOf(Buffer.from(real as Hash, "hex")); at >= 0; ) {
        Buffer.from(claimed, "hex").copy(bytes, at);
        at = bytes.indexOf(Buffer.from(real as Hash, "hex"), at);
      }
      fs.writeFileSync(path, bytes);
    }
    await forgeCatalog(w.store, "UPDATE checkpoints SET root_tree = ? WHERE number = 1", [claimed]);
    await w.reopen();
    await expectRefused(w);
  });

  it("C16 C17 that names a repository's hooks, an unfinished file, or the store writes none of them", async () => {
    const { w, content, plant } = await forged({ "a.txt": "1", ".git": { hooks: {}, HEAD: "ref" } });
    const file = { name: "post-checkout", hash: content, size: CONTENT.length, mode: 0o755 };
    const codecs = await loadCodecs();
    const hooks = forgeTree([file]);
    const git = forgeTree([{ name: "hooks", type: FOLDER, hash: codecs.hash(hooks), mode: 0o755 }]);
    await forgePack(w.store, "trees", [hooks, git]);
    const sub = forgeTree([{ name: ".git", type: FOLDER, hash: codecs.hash(git), mode: 0o755 }]);
    await forgePack(w.store, "trees", [sub]);
    await plant([
      { name: ".checkpoint-tmp-x", hash: content, size: CONTENT.length },
      { name: ".git", type: FOLDER, hash: codecs.hash(git), mode: 0o755 },
      { name: "b", hash: content, size: CONTENT.length },
      { name: "sub", type: FOLDER, hash: codecs.hash(sub), mode: 0o755 },
    ]);
    const { kept } = await w.restore("1");
    expect(kept.map(({ path, code }) => `${code} ${path}`)).toEqual([
      "protected .checkpoint-tmp-x",
      "protected .git",
      "protected sub/.git",
    ]);
    expect(w.snapshot()).toEqual({
      ".git": "folder 755",
      ".git/HEAD": 'file 644 "ref"',
      ".git/hooks": "folder 755",
      b: `file 644 ${JSON.stringify(String(CONTENT))}`,
      sub: "folder 755",
    });
  });

  it("C16 that names the store in the workspace writes nothing there", async () => {
    const workspace = tempFolder("workspace");
    const w = await openTestEngine({ "a.txt": "1" }, { workspace, storeRoot: join(workspace, ".store") });
    w.checkAfterwards = false;
    await w.checkpoint();
    const [content] = await forgePack(w.store, "packs", [CONTENT]);
    const codecs = await loadCodecs();
    const id = basename(w.store);
    const inner = forgeTree([{ name: "catalog.sqlite", hash: content as Hash, size: CONTENT.length }]);
    const store = forgeTree([{ name: id, type: FOLDER, hash: codecs.hash(inner), mode: 0o755 }]);
    const stores = forgeTree([{ name: "stores", type: FOLDER, hash: codecs.hash(store), mode: 0o755 }]);
    const root = forgeTree([{ name: ".store", type: FOLDER, hash: codecs.hash(stores), mode: 0o755 }]);
    await forgePack(w.store, "trees", [inner, store, stores, root]);
    await forgeCatalog(w.store, "UPDATE checkpoints SET root_tree = ? WHERE number = 1", [codecs.hash(root)]);
    await w.reopen();
    const { kept } = await w.restore("1");
    expect(kept.map(({ path, code }) => `${code} ${path}`)).toEqual(["protected .store/stores"]);
    expect(fs.readFileSync(join(w.store, "catalog.sqlite"), "latin1")).toMatch(/^SQLite format 3/);
  });

  it("C16 with names that are paths, devices or other files on Windows: none is made there, the rest is", async () => {
    const windows = { ...nodeFileSystem, refusesName: refusedByWindows };
    const { w, content, plant } = await forged({ "a.txt": "1" }, { fs: windows });
    const bad = ["..\\victim", "C:\\victim", "a.txt:stream", "CON", "com1.txt", "nul", "end.", "end ", "a?", "\u0001"];
    const [below] = await forgePack(w.store, "trees", [forgeTree([{ name: "x", hash: content }])]);
    const entries = [
      ...bad.map((name) => ({ name, hash: content, size: CONTENT.length })),
      { name: "good", hash: content, size: CONTENT.length },
      { name: "..\\folder", type: FOLDER, hash: below as Hash, mode: 0o755 },
    ];
    await plant(entries.sort((a, b) => (a.name < b.name ? -1 : 1)));
    const { kept, added } = await w.restore("1");
    expect(kept.map(({ path }) => path).sort()).toEqual([...bad, "..\\folder"].sort());
    expect(new Set(kept.map(({ code }) => code))).toEqual(new Set(["denied"]));
    expect(added).toBe(1);
    expect(fs.readdirSync(w.folder)).toEqual(["good"]);
    for (const name of ["good", ".hidden", "console.ts", "com.txt", "a b", "nulls", "日本"])
      expect(refusedByWindows(name)).toBeUndefined();
  });

  it("C16 C17 where names are not told apart by case: what would be a repository's is known by every spelling", () => {
    for (const name of [".GIT", ".Git", "git~1", "GIT~2", ".git.", ".git ", ".g\u200cit", ".Svn", ".git::$DATA"])
      expect(isTakenForNeverSaved(name), name).toBe(true);
    for (const name of [".github", ".gitignore", "git", "digit~1", "a.git"])
      expect(isTakenForNeverSaved(name), name).toBe(false);
  });
});

describe("a forged catalog", () => {
  for (const root of ["", "../../victim", "zz".repeat(16), "0".repeat(32), "0".repeat(31)])
    it(`C16 whose checkpoint has the root tree "${root.slice(0, 12)}" is refused`, async () => {
      const { w } = await forged();
      await forgeCatalog(w.store, "UPDATE checkpoints SET root_tree = ?", [root]);
      await w.reopen();
      const before = around(w);
      await expect(w.restore("1")).rejects.toMatchObject({ code: "damaged" });
      await expect(w.engine.readDirectory("1", "")).rejects.toMatchObject({ code: "damaged" });
      expect(around(w)).toEqual(before);
    });

  it("C16 whose rules are anything but rules: a restore refuses, a save goes on", async () => {
    for (const rules of ["", "null", "7", "[]", '{"exclude":[7]}', '{"caches":"x"}', '{"maxFileBytes":"1"}', "{"]) {
      const { w } = await forged({ "a.txt": "1", "b.txt": "2" });
      await forgeCatalog(w.store, "UPDATE checkpoints SET rules = ?", [rules]);
      fs.writeFileSync(w.path("new.txt"), "new");
      await w.reopen();
      await expect(w.restore("1")).rejects.toMatchObject({ code: "damaged", message: expect.stringMatching(/#1/) });
      expect(w.exists("new.txt")).toBe(true);
      expect((await w.save()).noChange).toBe(true);
    }
  });

  it("C16 whose lists of changes hold paths out of the workspace only shows them", async () => {
    const { w } = await forged();
    w.write("a.txt", "2");
    await w.checkpoint();
    const codecs = await loadCodecs();
    const { encodeChanges } = await import("../../../src/core/store/changeList");
    const list = encodeChanges(codecs, [
      { kind: "added", path: "../victim", after: { type: "file", mode: 0o644, size: 1, hash: "0".repeat(32) } },
    ]);
    await forgeCatalog(w.store, "UPDATE changes SET list = ?", [list as never]);
    await w.reopen();
    const before = around(w);
    expect((await w.engine.show("2")).changes).toMatchObject([{ path: "../victim" }]);
    await expect(w.engine.readFile("2", "../victim")).rejects.toMatchObject({ code: "not-found" });
    await expect(w.restore("2", { paths: ["../victim"] })).rejects.toMatchObject({ code: "not-found" });
    expect(await w.restore("2", { paths: ["../victim"], exact: true })).toMatchObject({ changes: [], kept: [] });
    expect(around(w)).toEqual(before);
  });
});

it("C16 a forged journal gives no mode to a folder outside, and is refused by name", async () => {
  for (const path of ["..", "../outside", "d/../../outside", "/etc", "d//e"]) {
    const { w } = await forged({ d: { e: { f: "1" } } });
    const [{ rootTree, id } = { rootTree: "", id: "" }] = await w.engine.list();
    const outside = join(w.folder, "../outside");
    fs.mkdirSync(outside);
    fs.chmodSync(outside, 0o700);
    const before = around(w);
    const codecs = await loadCodecs();
    const root = rootTree as Hash;
    writeIntent(
      { fs: nodeFileSystem, codecs, folder: join(w.store, "journal") },
      {
        row: {
          at: 1,
          kind: "restore",
          targetId: id,
          originId: null,
          beforeId: id,
          baseRoot: root,
          resultRoot: root,
          files: 0,
        },
        nonces: ["x"],
        folders: [{ path: path as ByteString, mode: 0 }],
      },
      "n",
    );
    await expect(w.engine.recover("finish", w.scan)).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringMatching(/restore\.json/),
    });
    expect(around(w)).toEqual(before);
    // Another restore goes on all the same.
    await w.restore("1");
    expect(around(w)).toEqual(before);
  }
});

describe("a link put in the place of a folder while a restore runs", () => {
  /** Before the `k`-th call that concerns the workspace, `d` becomes a link; answers what that did outside. */
  async function swappedAt(k: number, isThere: boolean): Promise<{ call: string; differ: string[] } | undefined> {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine(
      { d: { kept: "1", changed: "1", removed: "1", mode: file("1", 0o600), sub: { x: "1" } } },
      { fs: disk.fs },
    );
    w.checkAfterwards = false;
    const checkpoint = await w.checkpoint();
    const outside = tempFolder("outside");
    if (isThere) {
      createTree(outside, { kept: "o", changed: "o", extra: "o", removed: "o", mode: "o", sub: { x: "o" } });
    }
    w.write("d/changed", "22");
    w.write("d/extra", "new");
    fs.rmSync(w.path("d/removed"));
    fs.rmSync(w.path("d/sub"), { recursive: true });
    fs.chmodSync(w.path("d/mode"), 0o644);
    const before = snapshotTree(outside);
    let count = 0;
    let call = "";
    let isPlanned = false;
    disk.hook = ({ method, path, to }) => {
      isPlanned ||= path.startsWith(join(w.store, "journal"));
      if (!isPlanned) return;
      if (![path, to ?? ""].some((each) => each.startsWith(w.folder)) || call !== "") return;
      if (++count < k) return;
      call = `${method} ${path.slice(w.folder.length + 1)}`;
      fs.renameSync(w.path("d"), w.path("was"));
      fs.symlinkSync(outside, w.path("d"));
    };
    await w.restore(checkpoint).catch((error: unknown) => {
      if (!CheckpointError.is(error)) throw error;
    });
    disk.hook = () => {};
    if (call === "") return undefined;
    const after = snapshotTree(outside);
    const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return { call, differ: paths.filter((path) => before[path] !== after[path]) };
  }

  for (const isThere of [true, false])
    it(`C16 what is outside (${isThere ? "files of the same names" : "nothing"}) stays as it is, unless it comes between the last look and the very call`, async () => {
      const harmed: string[] = [];
      let swaps = 0;
      for (let k = 1; ; k++) {
        const done = await swappedAt(k, isThere);
        if (done === undefined) break;
        swaps++;
        if (done.differ.length > 0) harmed.push(`${done.call}: ${done.differ.join(" ")}`);
      }
      expect(swaps).toBeGreaterThan(20);
      // Node has no calls that are relative to an open folder, so these two cannot be closed: the one call itself.
      const unavoidable = ["unlink d/extra: extra", "chmod d/mode: mode"];
      expect(harmed.filter((each) => !(isThere && unavoidable.includes(each)))).toEqual([]);
    }, 120_000);
});
