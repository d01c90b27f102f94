import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { OperationControl } from "../../../src/shared/api";
import type { SearchMatch, SearchRequest, SearchResult } from "../../../src/shared/searches";
import { damageContent } from "../../support/damagedContent";
import { type Random, withSeeds } from "../../support/seeded";
import { LANE_SCRIPT, openTestEngine, type TestWorkspace } from "../../support/testEngine";

const brief = (matches: readonly SearchMatch[]): string[] =>
  matches.map(
    ({ path, checkpoint, line, column, deleted }) =>
      `#${checkpoint.number} ${path}:${line}:${column}${deleted ? " deleted" : ""}`,
  );

async function found(w: TestWorkspace, request: SearchRequest | string): Promise<string[]> {
  return brief((await w.engine.search(typeof request === "string" ? { text: request } : request)).matches);
}

const PATHS = ["a.ts", "b.md", "c", "lib/a.ts", "lib/deep/x.ts", "lib.ts", "lib/z", "é/ü.txt"];
const WORDS = ["needle", "Needle", "hay", "nee", "dle", "ä", "\n", "\n", "\r\n", " "];

function mutate(w: TestWorkspace, random: Random): void {
  for (let i = 0; i < 4; i++) {
    const path = random.pick(PATHS);
    fs.rmSync(w.path(path), { force: true, recursive: true });
    if (random.chance(0.3)) continue;
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (folder !== "" && fs.statSync(w.path(folder), { throwIfNoEntry: false })?.isDirectory() !== true) {
      fs.rmSync(w.path(folder), { force: true });
      fs.mkdirSync(w.path(folder), { recursive: true });
    }
    w.write(path, Array.from({ length: random.below(12) }, () => random.pick(WORDS)).join(""));
  }
}

/** Looks at every file of every checkpoint, through nothing but listings and `readFile`. */
async function naive(w: TestWorkspace, pattern: RegExp, onlyDeleted: boolean): Promise<string[]> {
  const checkpoints = await w.engine.list();
  const lines = new Map<string, { path: string; number: number; order: number; text: string }>();
  const newest = new Set<string>();
  for (const [age, { id, number }] of checkpoints.entries()) {
    const walk = async (folder: string): Promise<void> => {
      for (const { name, type, hash } of await w.engine.readDirectory(id, folder)) {
        const path = folder === "" ? name : `${folder}/${name}`;
        if (age === 0) newest.add(path);
        if (type === "directory") await walk(path);
        else if (!lines.has(`${path}\0${hash}`)) {
          const text = Buffer.from(await w.engine.readFile(id, path)).toString();
          lines.set(`${path}\0${hash}`, { path, number, order: lines.size, text });
        }
      }
    };
    await walk("");
  }
  const key = (path: string): string => Buffer.from(path.replaceAll("/", "\x01")).toString("latin1");
  const versions = [...lines.values()].sort((a, b) =>
    key(a.path) < key(b.path) ? -1 : key(a.path) > key(b.path) ? 1 : a.order - b.order,
  );
  return versions.flatMap(({ path, number, text }) =>
    text.split("\n").flatMap((line, i) => {
      const match = pattern.exec(line.replace(/\r$/, ""));
      const deleted = !newest.has(path);
      if (match === null || (onlyDeleted && !deleted)) return [];
      return [`#${number} ${path}:${i + 1}:${match.index + 1}${deleted ? " deleted" : ""}`];
    }),
  );
}

describe("searching all checkpoints", () => {
  it("P11 finds exactly what looking at every file of every checkpoint finds", async () => {
    await withSeeds(8, async (random) => {
      const w = await openTestEngine();
      for (let i = 0; i < 8; i++) {
        mutate(w, random);
        await w.save({ name: `${i}` });
      }
      for (const deleted of [false, true]) {
        expect(await found(w, { text: "needle", deleted })).toEqual(await naive(w, /needle/i, deleted));
        expect(await found(w, { text: "needle", deleted, matchCase: true })).toEqual(await naive(w, /needle/, deleted));
        expect(await found(w, { text: "Ä", deleted })).toEqual(await naive(w, /ä/i, deleted));
        expect(await found(w, { text: "^\\w+ä|e$", regex: true, deleted })).toEqual(
          await naive(w, /^\w+ä|e$/iu, deleted),
        );
      }
    });
  });

  it("names the newest checkpoint with a version, what is deleted, and where in the line", async () => {
    const w = await openTestEngine({ src: { "a.ts": "one\n  two needles\n" }, gone: { "b.ts": "needle" } });
    await w.checkpoint();
    w.write("other", "1");
    await w.checkpoint();
    w.write("src/a.ts", "nothing");
    fs.rmSync(w.path("gone"), { recursive: true });
    const newest = await w.checkpoint();
    const { matches, ...rest } = await w.engine.search({ text: "NEEDLE" });
    expect(brief(matches)).toEqual(["#2 gone/b.ts:1:1 deleted", "#2 src/a.ts:2:7"]);
    expect(matches[1]).toMatchObject({ preview: "  two needles", start: 6, length: 6, deleted: false });
    expect(matches[1]?.hash).toBe((await w.engine.stat("2", "src/a.ts")).hash);
    expect(rest).toEqual({
      files: 3,
      contents: 4,
      bytes: 18 + 6 + 1 + 7,
      binary: 0,
      limitReached: false,
      cutContents: 0,
      unreadable: [],
    });
    expect(await found(w, { text: "needle", deleted: true })).toEqual(["#2 gone/b.ts:1:1 deleted"]);
    await w.restore(`${newest.number - 1}`);
    await w.save({ name: "back" });
    expect(await found(w, { text: "needle", deleted: true })).toEqual([]);
  });

  it("content at several paths is searched once and listed at each; what comes back is the newest again", async () => {
    const w = await openTestEngine({ a: "needle", b: { c: "needle" } });
    await w.checkpoint();
    w.write("a", "hay");
    await w.checkpoint();
    w.write("a", "needle");
    await w.checkpoint();
    const result = await w.engine.search({ text: "needle" });
    expect(brief(result.matches)).toEqual(["#3 a:1:1", "#3 b/c:1:1"]);
    expect(result).toMatchObject({ files: 2, contents: 2, bytes: 9 });
  });

  it("a path pattern is written as in .gitignore", async () => {
    const w = await openTestEngine({
      "a.ts": "x",
      src: { "a.ts": "x", "b.md": "x", src: { "c.ts": "x" } },
      "#a": "x",
    });
    await w.checkpoint();
    const paths = async (path: string): Promise<string[]> =>
      (await w.engine.search({ text: "x", path })).matches.map((each) => each.path);
    expect(await paths("*.ts")).toEqual(["a.ts", "src/a.ts", "src/src/c.ts"]);
    expect(await paths("/*.ts")).toEqual(["a.ts"]);
    expect(await paths("src/")).toEqual(["src/a.ts", "src/b.md", "src/src/c.ts"]);
    expect(await paths("src/**/*.ts")).toEqual(["src/a.ts", "src/src/c.ts"]);
    expect(await paths("!src")).toEqual(["#a", "a.ts"]);
    expect(await paths("#a")).toEqual(["#a"]);
    expect(await paths("nothing")).toEqual([]);
  });

  it("binary content is left out and counted, symlinks are not searched", async () => {
    const w = await openTestEngine({ bin: "needle\0", text: "needle" });
    fs.symlinkSync("needle", w.path("link"));
    fs.writeFileSync(w.path("big.bin"), Buffer.concat([Buffer.alloc(3_000_000), Buffer.from("needle")]));
    await w.checkpoint();
    const result = await w.engine.search({ text: "needle" });
    expect(brief(result.matches)).toEqual(["#1 text:1:1"]);
    expect(result).toMatchObject({ binary: 2, contents: 1, bytes: 6 });
  });

  it("finds text across the blocks of a large file", async () => {
    const line = `${"0123456789".repeat(10)}\n`;
    const big = Buffer.from(line.repeat(50_000));
    const places = [1, 1 << 20, 2 << 20, 3 << 20].map((at) => at - 3);
    for (const at of places.filter((each) => each > 0)) big.write("needle", at);
    const w = await openTestEngine({ big });
    await w.checkpoint();
    const expected = places
      .filter((each) => each > 0)
      .map((at) => `#1 big:${Math.floor(at / line.length) + 1}:${(at % line.length) + 1}`);
    for (const request of [{}, { matchCase: true }, { regex: true }])
      expect(await found(w, { text: "needle", ...request })).toEqual(expected);
  });

  it("the list ends at the limit, and of one content after 100 lines", async () => {
    const w = await openTestEngine({ a: "needle\n".repeat(3), b: "needle\n".repeat(150), c: "hay" });
    await w.checkpoint();
    const all = await w.engine.search({ text: "needle" });
    expect(all).toMatchObject({ limitReached: false, cutContents: 1 });
    expect(all.matches).toHaveLength(103);
    for (const limit of [1, 3, 4, 102, 103]) {
      const cut = await w.engine.search({ text: "needle", limit });
      expect(cut.matches).toEqual(all.matches.slice(0, limit));
      // With the last one found there is still content that was not looked at.
      expect(cut.limitReached).toBe(true);
    }
    expect(await w.engine.search({ text: "needle", limit: 104 })).toEqual(all);
  });

  it("damaged contents and folders are named, and everything else is searched", async () => {
    const w = await openTestEngine({ a: "needle 1", b: "needle 2", d: { c: "needle 3" } });
    await w.checkpoint();
    w.checkAfterwards = false;
    damageContent(w.store, "needle 2");
    await w.reopen();
    const { matches, unreadable } = await w.engine.search({ text: "needle" });
    expect(brief(matches)).toEqual(["#1 a:1:1", "#1 d/c:1:1"]);
    expect(unreadable).toMatchObject([{ path: "b", checkpoint: { number: 1 } }]);
    expect(unreadable[0]?.message).toMatch(/damaged.*Verify Store/);
    for (const name of fs.readdirSync(`${w.store}/packs`)) fs.rmSync(`${w.store}/packs/${name}`);
    await w.reopen();
    const missing = await w.engine.search({ text: "needle" });
    expect(missing.matches).toEqual([]);
    expect(missing.unreadable.map(({ path }) => path)).toEqual(["a", "b", "d/c"]);
    for (const name of fs.readdirSync(`${w.store}/trees`)) fs.rmSync(`${w.store}/trees/${name}`);
    await w.reopen();
    expect((await w.engine.search({ text: "needle" })).unreadable).toMatchObject([
      { path: "/", checkpoint: { number: 1 } },
    ]);
  });

  it("nothing counts as deleted when nobody can tell", async () => {
    const w = await openTestEngine({ d: { a: "needle" } });
    await w.checkpoint();
    w.write("d/b", "a name that only the second tree has");
    await w.checkpoint();
    w.checkAfterwards = false;
    const packs = fs.readdirSync(`${w.store}/trees`).filter((name) => name.endsWith(".dat"));
    for (const name of packs) {
      const path = `${w.store}/trees/${name}`;
      const bytes = fs.readFileSync(path);
      // The second checkpoint's folder "d" alone names both.
      if (!bytes.includes(Buffer.from("\x01a")) || !bytes.includes(Buffer.from("\x01b"))) continue;
      bytes.writeUInt8(bytes.readUInt8(bytes.indexOf("\x01b") + 1) ^ 1, bytes.indexOf("\x01b") + 1);
      fs.chmodSync(path, 0o600);
      fs.writeFileSync(path, bytes);
    }
    await w.reopen();
    const result = await w.engine.search({ text: "needle" });
    expect(brief(result.matches)).toEqual(["#1 d/a:1:1"]);
    expect(result.unreadable).toMatchObject([{ path: "d/", checkpoint: { number: 2 } }]);
  });

  it("gives the same answer with lanes", async () => {
    const w = await openTestEngine({}, { laneScript: LANE_SCRIPT, laneCount: 2 });
    for (let i = 0; i < 2_000; i++) {
      if (i % 100 === 0) fs.mkdirSync(w.path(`d${i}`));
      w.write(`d${i - (i % 100)}/f${i}`, `${i % 7 === 0 ? `a\nNeedle ${i % 490}` : `hay ${i}`}\n`);
    }
    await w.checkpoint();
    w.checkAfterwards = false;
    damageContent(w.store, "hay 1000");
    await w.reopen();
    const alone = await w.another({ laneCount: 0 });
    try {
      for (const request of [{}, { limit: 50 }, { limit: 1 }, { regex: true }, { matchCase: true }]) {
        const search = { text: "needle", ...request };
        const [a, b]: SearchResult[] = [await w.engine.search(search), await alone.search(search)];
        expect(a?.matches).toEqual(b?.matches);
        expect([a?.unreadable, a?.limitReached]).toEqual([b?.unreadable, b?.limitReached]);
        if (a?.limitReached !== true) expect(a).toEqual(b);
      }
    } finally {
      await alone.close();
    }
  });

  for (const [way, options] of [
    ["on one thread", {}],
    ["with lanes", { laneScript: LANE_SCRIPT, laneCount: 2 }],
  ] as const)
    it(`reports progress and can be cancelled (${way})`, async () => {
      const w = await openTestEngine({}, options);
      for (let i = 0; i < 2_000; i++) w.write(`f${i}`, `hay ${i}\n`);
      await w.checkpoint();
      const phases = new Set<string>();
      let calls = 0;
      const control: OperationControl = {
        onProgress: ({ phase }) => phases.add(phase),
        // Asked for the checkpoint and for its tree while the list is made, then before and after the contents.
        isCancelled: () => calls++ >= 2,
      };
      await expect(w.engine.observed(control).search({ text: "needle" })).rejects.toMatchObject({ code: "cancelled" });
      expect([...phases]).toEqual(["search"]);
      expect((await w.engine.search({ text: "hay 17" })).matches.length).toBe(111);
    });

  it("refuses what cannot be searched for, also where there is nothing", async () => {
    const w = await openTestEngine();
    expect(await w.engine.search({ text: "x" })).toMatchObject({ matches: [], files: 0, limitReached: false });
    for (const request of [{ text: "" }, { text: "(", regex: true }, { text: "a\nb" }])
      await expect(w.engine.search(request)).rejects.toMatchObject({ code: "usage" });
  });
});
