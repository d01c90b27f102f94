import { describe, expect, it } from "vitest";
import { EVERYTHING, selectPaths, typedPaths } from "../../../src/core/ops/pathSelection";
import { openTestEngine } from "../../support/testEngine";

const ROOT = ["", ".", "./", "/", "././/"];

describe("a path as somebody types it", () => {
  it("is the same with and without what says nothing", () => {
    for (const text of ["d/f", "./d/f", "/d/f", ".//d/f", "d/f/", "d/f//"]) expect(typedPaths(text)).toEqual(["d/f"]);
    for (const text of ROOT) expect(typedPaths(text)).toEqual([""]);
    // Names that begin or end with dots are names.
    for (const text of [".d", "..", "d.", ".d/.f"]) expect(typedPaths(text)).toEqual([text]);
  });

  it("C2 is read in every way it may mean, likeliest first", () => {
    expect(typedPaths("./d\\xff/")).toEqual(["d\\xff", "d\xff"]);
  });

  it("that is the workspace itself selects everything, also beside others", () => {
    for (const text of ROOT) expect(selectPaths(["d", text])).toBe(EVERYTHING);
    const some = selectPaths(["./d/", "e"]);
    expect(["d", "d/f", "e", "f", "de"].map((path) => some.includes(path as never))).toEqual([
      ...[true, true, true],
      ...[false, false],
    ]);
  });

  it("means the same to every question", async () => {
    const w = await openTestEngine({ d: { f: "1" } });
    const { id } = await w.checkpoint();
    for (const text of ["d/f", "./d/f", "/d/f/"]) {
      expect(Buffer.from(await w.engine.readFile(id, text)).toString()).toBe("1");
      expect(await w.engine.history(text)).toHaveLength(1);
    }
    for (const text of ROOT) {
      expect((await w.engine.readDirectory(id, text)).map(({ name }) => name)).toEqual(["d"]);
      expect(await w.engine.stat(id, text)).toMatchObject({ type: "directory" });
      expect(await w.engine.history(text)).toEqual([]);
    }
  });
});
