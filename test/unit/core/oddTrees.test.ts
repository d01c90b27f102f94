import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";
import { createTree, file, folder, hardLink, link, type TreeLiteral, type TreeNode } from "../../support/treeLiteral";

/** Save `before`, replace everything by `after`, restore, undo, redo: each step is exact and leaves nothing to do. */
async function expectExact(before: TreeLiteral, after: TreeLiteral): Promise<void> {
  const w = await openTestEngine(before);
  const checkpoint = await w.checkpoint();
  const then = w.snapshot();
  for (const name of fs.readdirSync(Buffer.from(w.folder), "buffer"))
    fs.rmSync(Buffer.concat([Buffer.from(`${w.folder}/`), name]), { recursive: true });
  createTree(w.folder, after);
  const now = w.snapshot();
  expect(now).not.toEqual(then);
  const restored = await w.restore(checkpoint);
  expect(restored.kept).toEqual([]);
  expect(w.snapshot()).toEqual(then);
  expect((await w.restore(checkpoint)).changes).toEqual([]);
  await w.undo();
  expect(w.snapshot()).toEqual(now);
  await w.redo();
  expect(w.snapshot()).toEqual(then);
}

const KINDS: Record<string, TreeNode> = {
  nothing: {},
  file: "content",
  "empty file": "",
  "executable file": file("content", 0o755),
  "link to a file": link("other"),
  "dangling link": link("../nowhere"),
  "absolute link": link("/etc/hostname"),
  "empty folder": {},
  folder: { a: "1", "b.txt": "2" },
  "nested folder": { a: { a: { a: "deep" }, empty: {} }, x: link("a/a/a") },
  "closed folder": folder({ a: folder({ a: "1" }, 0o700) }, 0o500),
};

describe("things that become other things", () => {
  const names = Object.keys(KINDS);
  for (const from of names)
    for (const to of names.filter((each) => each !== from && !(from === "nothing" && each === "empty folder")))
      it(`C2 ${to} instead of ${from}`, async () => {
        const tree = (kind: string): TreeLiteral => ({
          other: "other",
          ...(kind === "nothing" ? {} : { x: KINDS[kind] as TreeNode }),
          in: { side: kind === "nothing" ? {} : { x: KINDS[kind] as TreeNode } },
        });
        if (JSON.stringify(tree(from)) === JSON.stringify(tree(to))) return;
        await expectExact(tree(from), tree(to));
      });

  it("C2 swaps within swaps: a folder's files become folders and its folders files", async () => {
    await expectExact(
      { a: { b: { c: "1", d: "2" }, e: "3" }, f: "4", g: { h: "5" } },
      { a: { b: "1", e: { c: "1", d: { x: "2" } } }, f: { g: { h: "5" } }, g: link("f") },
    );
    await expectExact({ a: { a: { a: {} } } }, { a: "a" });
    await expectExact({ a: { a: "x" } }, { a: { a: { a: "x" } } });
  });
});

describe("odd names", () => {
  it("C2 a rename that changes only the case", async () => {
    await expectExact({ "Readme.md": "x", Dir: { a: "1" } }, { "README.md": "x", dir: { a: "1" } });
    await expectExact({ a: "1", A: "2" }, { a: "2", A: "1" });
  });

  it("C2 newline, quotes, backslash, emoji, composed and decomposed, 255 bytes, bytes that are no UTF-8", async () => {
    const odd: (string | Buffer)[] = [
      ...["new\nline", "\r", "tab\t", "'", '"', "`$(x)`", "back\\slash", "\\xff", "\\x41", "🎉", "\u00e9", "e\u0301"],
      ...["n".repeat(255), "é".repeat(127), " ", " lead", "trail ", "...", "-", "--help", "*", "?", "[a-z]", "!", "#"],
      ...["con", "a:b", "%2e", "~", "\u202eabc", "\ufeffbom", "\x01\x7f"],
      ...[Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0x80, 0x5c, 0x78]), Buffer.alloc(255, 0xfe)],
      Buffer.from([0xed, 0xa0, 0x80]),
    ];
    const nodes = (suffix: string): TreeLiteral => new Map(odd.map((name, i) => [name, `${i}${suffix}`]));
    const folders = (content: string): TreeLiteral => new Map(odd.map((name) => [name, { in: content }]));
    await expectExact({ files: nodes(""), folders: folders("1") }, { files: nodes("!"), folders: folders("2") });
    await expectExact({ files: nodes(""), folders: folders("1") }, { files: folders("1"), folders: nodes("") });
    await expectExact({ files: nodes("") }, {});
  });

  it("C2 shows a name that is no UTF-8 as escapes, and finds it by them", async () => {
    const w = await openTestEngine(
      new Map<string | Buffer, TreeNode>([
        [Buffer.from([0x61, 0xff]), "bytes"],
        ["b\\xff", "letters"],
      ]),
    );
    const checkpoint = await w.checkpoint();
    const names = (await w.engine.readDirectory("latest", "")).map((each) => each.name);
    expect(names).toEqual(["a\\xff", "b\\xff"]);
    for (const [name, content] of [
      ["a\\xff", "bytes"],
      ["b\\xff", "letters"],
    ] as const) {
      expect(Buffer.from(await w.engine.readFile("latest", name)).toString()).toBe(content);
      expect((await w.restore(checkpoint, { paths: [name] })).changes).toEqual([]);
    }
    const then = w.snapshot();
    fs.writeFileSync(Buffer.from(`${w.folder}/a\xff`, "latin1"), "changed");
    w.write("b\\xff", "changed");
    expect((await w.restore(checkpoint, { paths: ["a\\xff"] })).paths.changed).toEqual(["a\\xff"]);
    expect((await w.restore(checkpoint, { paths: ["b\\xff"] })).paths.changed).toEqual(["b\\xff"]);
    expect(w.snapshot()).toEqual(then);
  });
});

describe("deep trees", () => {
  it("C2 paths up to the limit of the system are saved, restored, taken back", async () => {
    const w = await openTestEngine({ top: "1" });
    // 4,095 bytes without the final NUL is the longest path there is; "/f" is appended to the folder's.
    const room = 4095 - Buffer.byteLength(w.folder) - 2;
    let deep = w.folder;
    while (deep.length - w.folder.length + 101 <= room) deep += `/${"d".repeat(100)}`;
    const rest = room - (deep.length - w.folder.length);
    if (rest > 1) deep += `/${"e".repeat(rest - 1)}`;
    fs.mkdirSync(deep, { recursive: true });
    fs.writeFileSync(`${deep}/f`, "deep");
    expect(`${deep}/f`).toHaveLength(4095);
    const { skipped, checkpoint } = await w.save();
    expect(skipped).toEqual([]);
    const then = w.snapshot();

    fs.writeFileSync(`${deep}/f`, "changed");
    expect((await w.restore(checkpoint?.id ?? "")).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
    await w.undo();
    expect(fs.readFileSync(`${deep}/f`, "utf8")).toBe("changed");
    fs.rmSync(w.path("d".repeat(100)), { recursive: true });
    expect((await w.restore(checkpoint?.id ?? "")).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
  });

  it("C2 what lies deeper than the system can name is reported; the rest is saved", async () => {
    const w = await openTestEngine({ top: "1" });
    const home = process.cwd();
    try {
      process.chdir(w.folder);
      for (let i = 0; i < 18; i++) {
        fs.mkdirSync("x".repeat(250));
        process.chdir("x".repeat(250));
      }
      process.chdir(home);
      const { skipped, checkpoint } = await w.save();
      expect(skipped.map((each) => [each.reason, each.message])).toEqual([
        ["unreadable", "the path is too long for the file system"],
      ]);
      expect(checkpoint?.files).toBe(1);
      w.write("top", "2");
      expect((await w.restore(checkpoint?.id ?? "")).paths.changed).toEqual(["top"]);
    } finally {
      process.chdir(home);
      // Node cannot name what lies down there either.
      execFileSync("rm", ["-rf", w.path("x".repeat(250))]);
    }
  });

  it("C2 a thousand folders in one another", async () => {
    const w = await openTestEngine({ top: "1" });
    const deep = w.path(...Array.from({ length: 1000 }, () => "d"));
    fs.mkdirSync(deep, { recursive: true });
    fs.writeFileSync(`${deep}/f`, "deep");
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    fs.rmSync(w.path("d"), { recursive: true });
    await w.restore(checkpoint);
    expect(w.snapshot()).toEqual(then);
  });
});

describe("hard links", () => {
  it("C1 files that share an inode are read once, and each is brought back, removed, given its mode", async () => {
    await expectExact({ a: "one", b: hardLink("a"), c: { d: hardLink("a") } }, { a: "two", b: hardLink("a") });
    await expectExact({ a: "one" }, { a: "two", b: hardLink("a"), c: hardLink("a"), d: { e: hardLink("a") } });
    await expectExact({ a: file("x", 0o600), b: "x" }, { a: "x", b: hardLink("a") });
    await expectExact({ a: file("x", 0o600), b: file("x", 0o600) }, { a: "x", b: hardLink("a") });
    await expectExact({ a: "x", b: { c: "y" } }, { b: "x", a: hardLink("b"), c: hardLink("b") });
  });

  it("C1 a file linked from outside the workspace: what is outside stays", async () => {
    const outside = tempFolder("outside");
    const w = await openTestEngine({ a: "one" });
    const checkpoint = await w.checkpoint();
    fs.writeFileSync(`${outside}/x`, "outside");
    fs.rmSync(w.path("a"));
    fs.linkSync(`${outside}/x`, w.path("a"));
    fs.linkSync(`${outside}/x`, w.path("b"));
    const before = snapshotTree(outside);
    expect((await w.restore(checkpoint)).kept).toEqual([]);
    expect(w.snapshot()).toEqual({ a: 'file 644 "one"' });
    expect(snapshotTree(outside)).toEqual(before);
  });
});
