import { describe, expect, it } from "vitest";
import { changeTree } from "../../../src/host/changeTree";
import { MoreNode } from "../../../src/host/checkpointNodes";
import { LevelPages } from "../../../src/host/levelPages";
import { ChangeTable, packChanges } from "../../../src/shared/changeTable";

const levelOf = (count: number) =>
  changeTree(new ChangeTable(packChanges(Array.from({ length: count }, (_, i) => ({ path: `f${i}`, kind: "added" })))));

describe("pages of a tree's level", () => {
  it("V4 'more' adds a page, also to the same level made anew, until nothing is left", () => {
    const pages = new LevelPages();
    const redrawn: string[] = [];
    const page = (key: string) =>
      pages.page(
        key,
        levelOf(1_200),
        ({ name }) => name,
        () => redrawn.push(key),
      );
    const ids = new Set<string>();
    for (const [rows, remaining] of [
      [500, 700],
      [1_000, 200],
    ]) {
      const more = page("a").at(-1);
      expect(page("a")).toHaveLength((rows as number) + 1);
      expect(more instanceof MoreNode && more.remaining).toBe(remaining);
      if (more instanceof MoreNode) {
        ids.add(more.id);
        more.loadMore();
      }
    }
    expect(page("a")).toHaveLength(1_200);
    expect(redrawn).toEqual(["a", "a"]);
    // The tree takes a row with a known id for the row it has.
    expect(ids.size).toBe(2);
    expect(page("b")).toHaveLength(501);
    pages.clear();
    expect(page("a")).toHaveLength(501);
  });

  it("V4 a level that fits has no such row", () => {
    expect(
      new LevelPages().page(
        "a",
        levelOf(500),
        ({ name }) => name,
        () => undefined,
      ),
    ).toHaveLength(500);
  });
});
