import { describe, expect, it } from "vitest";
import { excludePattern } from "../../../src/host/excludePattern";
import { openTestEngine } from "../../support/testEngine";

describe("the pattern that leaves out one path", () => {
  it("means that path and no other, whatever is in its name", async () => {
    const odd = [
      "plain.log",
      "#hash",
      "!bang",
      "with space ",
      "star*",
      "what?",
      "[ab]",
      "back\\slash",
      "päth",
      "tab\t",
    ];
    const folder = Object.fromEntries(odd.map((name) => [name, name]));
    const near = { starfish: "x", whatX: "x", a: "x", b: "x", hash: "x", bang: "x", "with space": "x" };
    const tree = { ...folder, ...near, d: { ...folder, ...near } };
    for (const name of odd)
      for (const path of [name, `d/${name}`]) {
        const pattern = excludePattern(path);
        const w = await openTestEngine(tree, { scan: { exclude: [pattern ?? ""] } });
        const { id, files } = await w.checkpoint();
        expect([path, files]).toEqual([path, 2 * (odd.length + Object.keys(near).length) - 1]);
        await expect(w.engine.stat(id, path)).rejects.toMatchObject({ code: "not-found" });
      }
  });

  it("there is none for a name that no pattern can hold", () => {
    expect(excludePattern("two\nlines")).toBeUndefined();
    expect(excludePattern("d/caf\\xe9")).toBeUndefined();
  });
});
