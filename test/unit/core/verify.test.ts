import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

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
