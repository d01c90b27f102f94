/**
 * Saves that are told what changed: the same as saves that look at everything, as long as they were told everything.
 */
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { expectAsInNewStore } from "../../support/newStore";
import { changedLooks, pathLooks, withoutNewFolders } from "../../support/pathLooks";
import { mutateTree, randomTree } from "../../support/randomTree";
import { rest } from "../../support/rest";
import { type Random, withSeeds } from "../../support/seeded";
import { recount } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";

const HOUR_MS = 60 * 60_000;

describe("a save that is told what changed", () => {
  it("P3 C7 makes the same checkpoint as one that looks at everything", async () => {
    await withSeeds(12, async (random) => {
      const workspace = tempFolder("workspace");
      randomTree(random, workspace, 60);
      const w = await openTestEngine({}, { workspace });
      await w.save();
      let told = 0;
      for (let round = 0; round < 12; round++) {
        const before = pathLooks(workspace);
        mutateTree(random, workspace, random.below(6));
        const after = pathLooks(workspace);
        const changed = changedLooks(before, after);
        // A watcher that comes too late for a new folder tells of what is in it at most.
        const heard = random.chance(0.5) ? changed : withoutNewFolders(changed, before, after);
        const result = await w.save({ changedPaths: blur(random, heard) });
        if (result.scanned === "changed") told++;
        await expectAsInNewStore(w, result);
        const { files, symlinks, bytes } = recount(workspace);
        expect(result.checkpoint).toMatchObject({ files: files + symlinks, bytes });
      }
      expect(told).toBe(12);
    });
  });

  it("P3 looks at nothing else", async () => {
    const w = await openTestEngine({ a: { x: "1", deep: { y: "1" } }, b: { z: "1" } });
    await rest();
    await w.save();
    w.write("b/z", "2");
    w.write("a/deep/y", "2");
    const first = await w.save({ changedPaths: ["a/deep/y"] });
    expect(first).toMatchObject({ scanned: "changed", checkpoint: { changed: 1, files: 3 } });
    expect(Buffer.from(await w.engine.readFile("latest", "b/z")).toString()).toBe("1");
    expect((await w.save()).checkpoint).toMatchObject({ changed: 1, files: 3 });
  });

  it("P3 with nothing told saves nothing, and says so", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "1" } });
    await rest();
    await w.save();
    expect(await w.save({ changedPaths: [] })).toMatchObject({ noChange: true, scanned: "changed" });
  });

  it("takes a folder for all that is in it, there now or gone", async () => {
    const w = await openTestEngine({ a: { b: { c: "1", d: "1" } }, e: "1" });
    await w.save();
    fs.renameSync(w.path("a/b"), w.path("moved"));
    await w.save({ changedPaths: ["a/b", "moved"] });
    await expectAsInNewStore(w);
    expect((await w.engine.show("latest")).changes.map((each) => each.path).sort()).toEqual([
      "a/b/c",
      "a/b/d",
      "moved/c",
      "moved/d",
    ]);
  });

  it("C7 finds what is told of in folders that are new, too, and of which nobody told", async () => {
    const w = await openTestEngine({ a: { b: "1" }, e: "1" });
    await w.save();
    for (const folder of ["x/y/z", "a/new/deep"]) {
      fs.mkdirSync(w.path(folder), { recursive: true });
      w.write(`${folder}/f`, "1");
    }
    const saved = await w.save({ changedPaths: ["x/y/z/f", "a/new/deep/f"] });
    expect(saved).toMatchObject({ scanned: "changed", checkpoint: { added: 2 } });
    await expectAsInNewStore(w, saved);
    // Nor is a folder missed that came in the place of a file.
    fs.rmSync(w.path("e"));
    fs.mkdirSync(w.path("e/y"), { recursive: true });
    w.write("e/y/f", "1");
    await expectAsInNewStore(w, await w.save({ changedPaths: ["e/y/f"] }));
  });

  it("follows ignore files that changed", async () => {
    const w = await openTestEngine({ ".gitignore": "", d: { "a.log": "1", "b.txt": "1", e: { "c.log": "1" } } });
    await w.save();
    w.write(".gitignore", "*.log\n");
    await w.save({ changedPaths: [".gitignore"] });
    await expectAsInNewStore(w);
    expect((await w.engine.show("latest")).checkpoint.files).toBe(2);
    w.write("d/.gitignore", "!c.log\n");
    await w.save({ changedPaths: ["d/.gitignore"] });
    await expectAsInNewStore(w);
    expect((await w.engine.show("latest")).checkpoint.files).toBe(4);
  });

  it("C12 names what cannot be saved every time", async () => {
    const w = await openTestEngine(
      { d: { small: "1", large: "1".repeat(100) }, a: "1" },
      { scan: { maxFileBytes: 50 } },
    );
    await rest();
    await w.save();
    w.write("a", "2");
    const { skipped, scanned } = await w.save({ changedPaths: ["a"] });
    expect(scanned).toBe("changed");
    expect(skipped).toMatchObject([{ path: "d/large", reason: "too-large" }]);
  });

  it("C7 looks again at what changed just before the last one, told or not", async () => {
    // To a clock that stands still everything happened just now.
    const start = Date.now();
    const w = await openTestEngine({ d: { a: "0000" } }, { now: () => start });
    await w.save();
    for (let i = 1; i <= 30; i++) {
      w.write("d/a", String(i).padStart(4, "0"));
      await w.save({ changedPaths: ["d/a"] });
      w.write("d/a", `x${String(i).padStart(3, "0")}`);
      expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "changed", checkpoint: { changed: 1 } });
    }
  });

  it("does not mind paths that mean nothing here", async () => {
    const w = await openTestEngine({ a: "1", link: { to: "." } });
    await w.save();
    w.write("a", "2");
    const changedPaths = [
      "a",
      "nowhere/at/all",
      "../outside",
      "/etc/passwd",
      "link/a",
      "a/below/a/file",
      ".git/index",
      "A",
    ];
    await w.save({ changedPaths });
    await expectAsInNewStore(w);
    expect((await w.engine.show("latest")).checkpoint).toMatchObject({ changed: 1 });
  });
});

describe("everything is looked at all the same", () => {
  it("by the first save of an engine, with other options, and after an hour", async () => {
    let now = Date.now();
    const w = await openTestEngine({ a: "1", d: { b: "1" } }, { now: () => now });
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "changed" });
    expect(await w.save({ changedPaths: [], scan: { ...w.scan, exclude: ["*.tmp"] } })).toMatchObject({
      scanned: "all",
    });
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
    now += HOUR_MS + 1;
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
    now -= 2 * HOUR_MS;
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
    await w.reopen();
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
  });

  it("C11 once another process has saved", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "1" } });
    await w.save();
    const other = await w.another();
    w.write("d/b", "2");
    await other.save({ kind: "manual", trigger: "manual", scan: w.scan });
    await other.close();
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
    await expectAsInNewStore(w);
  });

  it("after a restore", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "1" } });
    const first = await w.checkpoint();
    w.write("d/b", "2");
    await w.save({ changedPaths: ["d/b"] });
    await w.restore(first);
    expect(await w.save({ changedPaths: [] })).toMatchObject({ scanned: "all" });
    await expectAsInNewStore(w);
    expect((await w.engine.show("latest")).checkpoint.rootTree).toBe(first.rootTree);
  });

  it("where downloaded dependencies are in, which editors do not watch", async () => {
    const w = await openTestEngine({ ".checkpointignore": "!node_modules/\n", node_modules: { p: { "i.js": "1" } } });
    await w.save();
    w.write("node_modules/p/i.js", "2");
    const result = await w.save({ changedPaths: [] });
    expect(result).toMatchObject({ scanned: "all", checkpoint: { changed: 1 } });
  });
});

/** As watchers do: out of order, twice, a folder instead of what is in it, and things that did not happen. */
function blur(random: Random, paths: string[]): string[] {
  const blurred = paths.flatMap((path) => {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (parent !== "" && random.chance(0.2)) return [parent];
    return random.chance(0.2) ? [path, path] : [path];
  });
  if (random.chance(0.3)) blurred.push("a", "lib/nothing");
  return blurred.sort(() => random.below(3) - 1);
}
