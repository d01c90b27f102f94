import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { LANE_SCRIPT, openTestEngine } from "../../support/testEngine";

const FILES = 100_000;

describe("a folder with 100,000 files", () => {
  it("C2 is saved, restored, taken back; a second save reads nothing", async () => {
    const w = await openTestEngine({ many: {} }, { laneScript: LANE_SCRIPT, laneCount: 2 });
    for (let i = 0; i < FILES; i++) fs.writeFileSync(w.path("many", `file-${i}.txt`), `content of ${i % 1000}`);
    const first = await w.save();
    expect(first.report).toMatchObject({ files: FILES, newObjects: 1000, deduplicated: FILES - 1000 });
    const checkpoint = first.checkpoint?.id ?? "";

    w.write("many/file-5.txt", "changed");
    fs.rmSync(w.path("many/file-6.txt"));
    for (let i = 0; i < 2000; i++) fs.renameSync(w.path("many", `file-${1000 + i}.txt`), w.path("many", `moved-${i}`));
    const restored = await w.restore(checkpoint);
    expect(restored).toMatchObject({ added: 2001, changed: 1, removed: 2000, unchanged: FILES - 2002, kept: [] });
    expect(fs.readdirSync(w.path("many"))).toHaveLength(FILES);
    expect((await w.restore(checkpoint)).changes).toEqual([]);
    await w.undo();
    expect(w.read("many/file-5.txt")).toBe("changed");
    expect(w.read("many/moved-1999")).toBe("content of 999");

    fs.rmSync(w.path("many"), { recursive: true });
    expect(await w.restore(checkpoint)).toMatchObject({ added: FILES, kept: [] });
    for (let i = 0; i < FILES; i += 997) expect(w.read(`many/file-${i}.txt`)).toBe(`content of ${i % 1000}`);
    expect(fs.readdirSync(w.path("many"))).toHaveLength(FILES);
  }, 300_000);
});
