import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { checkpointContents } from "../support/checkpointContents";
import { UNSYNCED } from "../support/dyingFileSystem";
import { openTestEngine } from "../support/testEngine";

const YEAR_MS = 365 * 86_400_000;

describe("a clock that is set", () => {
  for (const [what, jumpMs] of [
    ["a year ahead", YEAR_MS],
    ["back by a year", -YEAR_MS],
    ["back by a second", -1_000],
  ] as const)
    it(`C12 ${what}, between commands and within one: order, content, undo and freeing are as ever`, async () => {
      let offset = 0;
      let calls = 0;
      // Also while an operation is under way: every seventh look at the clock finds it set.
      const now = (): number => {
        if (++calls % 7 === 0) offset = offset === 0 ? jumpMs : 0;
        return Date.now() + offset;
      };
      const w = await openTestEngine({ a: "0", d: { b: "0" } }, { fs: UNSYNCED, now, housekeeping: { idleMs: 0 } });
      const states: ReturnType<typeof w.snapshot>[] = [];
      for (let i = 1; i <= 12; i++) {
        w.write("a", `${i % 10}`); // as long as before: only its times tell
        w.write(`d/${i}`, `new ${i}`);
        const { number } = await w.checkpoint();
        expect(number).toBe(i);
        states.push(w.snapshot());
        if (i % 4 === 0) await w.reopen();
      }
      const rows = await w.engine.list();
      expect(rows.map(({ number }) => number)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
      for (const [i, { parentId }] of rows.entries()) expect(parentId).toBe(rows[i + 1]?.id ?? null);
      expect((await w.engine.resolve("latest")).number).toBe(12);
      expect(new Set(rows.map(({ id }) => id)).size).toBe(12);
      for (const row of rows) expect(await checkpointContents(w.engine, row.id)).toEqual(states[row.number - 1]);
      const before = w.snapshot();
      await w.restore("3");
      expect(w.snapshot()).toEqual(states[2]);
      await w.restore("7");
      await w.undo();
      expect(w.snapshot()).toEqual(states[2]);
      await w.undo();
      expect(w.snapshot()).toEqual(before);
      await w.redo();
      expect(w.snapshot()).toEqual(states[2]);
      await w.engine.delete(["1", "2"]);
      await w.engine.gc();
      expect(await w.engine.verify({ full: true })).toMatchObject({ ok: true });
      await w.save({ name: "as it is" });
      expect((await w.save()).noChange).toBe(true);
      fs.rmSync(w.path("d/b"));
      expect((await w.checkpoint()).removed).toBe(1);
    }, 60_000);
});
