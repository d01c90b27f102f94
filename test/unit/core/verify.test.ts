import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { loadCodecs } from "../../../src/core/store/codecs";
import { openPackSet } from "../../../src/core/store/packSet";
import { PackWriter } from "../../../src/core/store/packWriter";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

/** A running engine that has just seen everything whole. */
async function seenWhole(): Promise<TestWorkspace> {
  const w = await openTestEngine({ a: "1", d: { b: "2", e: { c: "3" } } });
  await w.checkpoint();
  expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true, damaged: [], problems: [] });
  w.checkAfterwards = false;
  return w;
}

const filesIn = (w: TestWorkspace, folder: string): string[] =>
  fs.readdirSync(`${w.store}/${folder}`).map((name) => `${w.store}/${folder}/${name}`);

describe("verify in a running engine", () => {
  for (const full of [false, true]) {
    const kind = full ? "full" : "quick";
    for (const folder of ["packs", "trees"]) {
      it(`C8 ${kind}: ${folder} that have gone are missed`, async () => {
        const w = await seenWhole();
        for (const path of filesIn(w, folder)) fs.rmSync(path);
        const { ok, damaged } = await w.engine.verify({ full });
        expect(ok).toBe(false);
        expect(damaged.map((each) => each.checkpoint.number)).toEqual([1]);
      });

      it(`C8 ${kind}: ${folder} that were emptied are damaged`, async () => {
        const w = await seenWhole();
        for (const path of filesIn(w, folder)) fs.truncateSync(path, 0);
        const { ok, damaged, problems } = await w.engine.verify({ full });
        expect(ok).toBe(false);
        expect(problems).not.toEqual([]);
        expect(damaged.map((each) => each.checkpoint.number)).toEqual([1]);
      });
    }

    it(`C8 ${kind}: a flipped bit in a folder's tree is found, though the tree is in memory`, async () => {
      const w = await seenWhole();
      const pack = filesIn(w, "trees").find((path) => path.endsWith(".dat")) ?? "";
      const bytes = fs.readFileSync(pack);
      bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
      fs.writeFileSync(pack, bytes);
      const { ok, damaged } = await w.engine.verify({ full });
      expect(ok).toBe(false);
      expect(damaged).toHaveLength(1);
    });
  }
});

describe("verify of many packs", () => {
  it("C12 keeps few of them open, whether they have their index or not", async () => {
    const checkpoints = 80;
    /** As many as a set of packs keeps open of itself, which are those of the trees that the checkpoints are read by. */
    const kept = 64;
    const w = await openTestEngine();
    for (let i = 0; i < checkpoints; i++) {
      w.write("a", `version ${i}`);
      await w.checkpoint();
    }
    let most = 0;
    const disk = new WatchedFileSystem(() => {
      most = Math.max(most, disk.openPaths.filter((path) => path.endsWith(".dat")).length);
    });
    for (const isIndexed of [true, false]) {
      if (!isIndexed) for (const path of filesIn(w, "packs").filter((each) => each.endsWith(".idx"))) fs.rmSync(path);
      w.checkAfterwards = isIndexed;
      most = 0;
      const engine = await w.another({ fs: disk.fs });
      const { packs, problems } = await engine.verify({ full: true });
      await engine.close();
      expect(packs).toBe(2 * checkpoints);
      expect(problems).toHaveLength(isIndexed ? 0 : checkpoints);
      expect(most).toBe(kept);
      expect(disk.openPaths).toEqual([]);
    }
  });
});

describe("verify beside another process", () => {
  it("C11 names nothing as damaged that another process merged meanwhile", async () => {
    const w = await openTestEngine({ a: "0" });
    for (let i = 1; i <= 6; i++) {
      w.write("a", `version ${i}`);
      await w.checkpoint();
    }
    const codecs = await loadCodecs();
    const folder = `${w.store}/packs`;
    const merge = (): void => {
      const packs = openPackSet({ fs: nodeFileSystem, codecs, folder });
      const old = packs.list();
      const writer = new PackWriter({ fs: nodeFileSystem, codecs, folder, nonce: "merge" });
      for (const id of old)
        for (const { hash } of packs.pack(id)?.entries() ?? [])
          packs.pack(id)?.copyFrame(hash, (length, pieces) => writer.addFrame(hash, length, pieces));
      writer.finish();
      for (const id of old) packs.remove(id);
      packs.close();
    };
    let opened = 0;
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (method === "open" && path.startsWith(folder) && path.endsWith(".dat") && ++opened === 3) merge();
    });
    const engine = await w.another({ fs: disk.fs });
    const { problems, damaged } = await engine.verify({ full: true });
    expect(opened).toBeGreaterThanOrEqual(3);
    await engine.close();
    expect({ problems, damaged }).toEqual({ problems: [], damaged: [] });
  });
});
