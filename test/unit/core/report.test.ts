import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { randomForest } from "../../support/randomTree";
import { rest } from "../../support/rest";
import { Random, withSeeds } from "../../support/seeded";
import { recount, snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { LANE_SCRIPT, openTestEngine, type TestOptions, type TestWorkspace } from "../../support/testEngine";
import { childPath, hardLink, link } from "../../support/treeLiteral";

/** Of a pack: header; of an entry: hash, length, frame header with content size, end mark, one block header per 64 KiB. */
const overhead = (objects: number, bytes: number): number =>
  8 + objects * (24 + 19 + 4) + Math.ceil(bytes / 65_536) * 4;

/** Different contents of files and link targets: how many, and their bytes. */
function distinct(w: TestWorkspace): { objects: number; bytes: number } {
  const seen = new Map<string, number>();
  const visit = (dir: Buffer): void => {
    for (const name of fs.readdirSync(dir, "buffer")) {
      const path = childPath(dir, name);
      const stat = fs.lstatSync(path);
      if (stat.isDirectory()) visit(path);
      else {
        const content = stat.isSymbolicLink() ? fs.readlinkSync(path, "buffer") : fs.readFileSync(path);
        seen.set(content.toString("latin1"), content.length);
      }
    }
  };
  visit(Buffer.from(w.folder));
  return { objects: seen.size, bytes: [...seen.values()].reduce((sum, each) => sum + each, 0) };
}

const packBytes = (w: TestWorkspace, folder: string): number =>
  fs
    .readdirSync(`${w.store}/${folder}`)
    .filter((name) => !name.endsWith(".idx"))
    .reduce((sum, name) => sum + fs.statSync(`${w.store}/${folder}/${name}`).size, 0);

describe("what a save says", () => {
  it("Z10 equals an independent count, with and without lanes", async () => {
    await withSeeds(6, async (random) => {
      const lanes = random.chance(0.3);
      const workspace = tempFolder("workspace");
      randomForest(random, workspace, lanes ? 50 : 3, 50);
      const options: TestOptions = lanes ? { laneScript: LANE_SCRIPT, laneCount: 2 } : {};
      const w = await openTestEngine({}, { workspace, ...options });
      const { report, checkpoint, skipped } = await w.save();
      const counted = recount(workspace);
      const { objects, bytes } = distinct(w);
      expect(skipped).toEqual([]);
      expect(report).toMatchObject({ ...pick(counted), newObjects: objects });
      expect(report.newObjects + report.deduplicated).toBe(counted.files + counted.symlinks);
      expect(report.raw + report.compressed).toBe(report.newObjects);
      expect(report.bytesOut).toBeLessThanOrEqual(bytes + overhead(objects, bytes));
      expect(checkpoint).toMatchObject({
        files: counted.files + counted.symlinks,
        bytes: counted.bytes,
        newObjects: objects,
        added: (await w.engine.show("latest", { limit: 10 ** 6 })).changes.filter((each) => !each.path.endsWith("/"))
          .length,
        newBytes: report.bytesOut + packBytes(w, "trees"),
      });
      const stored = packBytes(w, "packs");
      expect(stored - report.bytesOut).toBeGreaterThanOrEqual(8);
      expect(stored - report.bytesOut).toBeLessThanOrEqual(lanes ? 16 : 8);
    });
  });

  it("Z10 a second save reads what changed and nothing else", async () => {
    const w = await openTestEngine({ a: "1", b: "22", c: { d: "333" } });
    await w.checkpoint();
    await rest();
    await w.save();
    w.write("b", "new");
    const { report, checkpoint } = await w.save();
    expect(report).toMatchObject({ files: 3, directories: 1, bytesIn: 3, newObjects: 1, deduplicated: 0 });
    expect(checkpoint).toMatchObject({ added: 0, changed: 1, removed: 0, files: 3, bytes: 7 });
    const again = await w.save();
    expect(again).toMatchObject({ noChange: true, checkpoint: { id: checkpoint?.id } });
    expect(again.report).toMatchObject({ newObjects: 0, bytesOut: 0 });
  });

  it("Z10 equal content is stored once, hard links are read once", async () => {
    const content = new Random(1).bytes(10_000);
    const w = await openTestEngine({
      a: content,
      b: content,
      c: { d: hardLink("a"), e: hardLink("a") },
      f: link("x"),
      g: "x",
    });
    const { report } = await w.save();
    expect(report).toMatchObject({ files: 5, symlinks: 1, newObjects: 2, deduplicated: 4, bytesIn: 20_002 });
  });
});

describe("content that does not shrink", () => {
  it("Z9 is stored raw, whatever its type; types that are compressed already are not even tried", async () => {
    const noise = new Random(2);
    const text = Buffer.alloc(200_000, "some text that repeats itself\n");
    const w = await openTestEngine({
      "noise.txt": noise.bytes(150_000),
      "noise.bin": noise.bytes(5_000_000),
      "tiny.txt": "x",
      "photo.png": text,
      "PHOTO.JPG": Buffer.concat([text, text]),
      "archive.tar.gz": Buffer.concat([text, Buffer.from("1")]),
      "text.txt": Buffer.concat([text, Buffer.from("2")]),
      empty: "",
    });
    const { report, checkpoint } = await w.save();
    const bytes = checkpoint?.bytes ?? 0;
    expect(report).toMatchObject({ newObjects: 8, compressed: 1, raw: 7 });
    const shrunk = 200_001;
    expect(report.bytesOut).toBeLessThan(bytes - shrunk + overhead(8, bytes) + 5_000);
    expect(report.bytesOut).toBeGreaterThan(bytes - shrunk);
    fs.rmSync(w.path("photo.png"));
    await w.restore(checkpoint?.id ?? "");
    expect(fs.readFileSync(w.path("photo.png")).equals(text)).toBe(true);
  });

  it("Z9 takes at most its size and a fixed overhead", async () => {
    await withSeeds(20, async (random) => {
      const size = random.pick([0, 1, 15, 16, 17, 4_096, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 3_000_000]);
      const w = await openTestEngine({ x: random.bytes(size) });
      const { report } = await w.save();
      expect(report.bytesOut).toBeLessThanOrEqual(size + overhead(1, size));
      expect(Object.keys(snapshotTree(`${w.store}/packs`)).filter((name) => name.endsWith(".dat"))).toHaveLength(1);
    });
  });
});

function pick(counts: ReturnType<typeof recount>): Omit<ReturnType<typeof recount>, "bytes"> {
  const { files, directories, symlinks } = counts;
  return { files, directories, symlinks };
}
