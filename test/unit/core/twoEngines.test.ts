import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Progress } from "../../../src/shared/api";
import { openTestEngine } from "../../support/testEngine";
import { deadProcess, forge } from "./lockFixture";

describe("two engines on one store", () => {
  it("C11 saving at once both succeed, one after the other, and see each other's checkpoints", async () => {
    const w = await openTestEngine({ a: "1" });
    const other = await w.another();
    try {
      const request = { kind: "manual", trigger: "manual", scan: w.scan } as const;
      const waits: Progress[] = [];
      const slow = w.engine.observed({ onProgress: (each) => each.phase === "lock" && waits.push(each) });
      const saves = Array.from({ length: 10 }, (_, i) =>
        (i % 2 === 0 ? slow : other).save({ ...request, name: `n${i}` }),
      );
      const numbers = (await Promise.all(saves))
        .map((each) => each.checkpoint?.number)
        .sort((a, b) => (a ?? 0) - (b ?? 0));
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await w.engine.list()).toEqual(await other.list());
    } finally {
      await other.close();
    }
  });

  it("C11 one that died in the middle is no obstacle", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    fs.writeFileSync(`${w.store}/packs/.checkpoint-tmp-left`, "half a pack");
    forge(`${w.store}/locks`, await deadProcess());
    w.write("a", "2");
    expect((await w.checkpoint()).number).toBe(2);
  });
});
