import { describe, expect, it } from "vitest";
import { type ChangeNode, changeTree } from "../../../src/host/changeTree";
import type { Change } from "../../../src/shared/changes";
import { ChangeTable, packChanges } from "../../../src/shared/changeTable";

const change = (path: string): Change => ({ path, kind: "changed" });
const treeOf = (changes: readonly Change[]) => changeTree(new ChangeTable(packChanges(changes))).first();
const outline = (nodes: readonly ChangeNode[]): unknown[] =>
  nodes.map((node) => (node.type === "leaf" ? node.name : [node.name, node.count, outline(node.children.first())]));
const leavesOf = (nodes: readonly ChangeNode[]): { path: string; change: Change }[] =>
  nodes.flatMap((node) => (node.type === "leaf" ? [node] : leavesOf(node.children.first())));

describe("change tree", () => {
  it("V4 groups by folder, folders first, numbers in human order", () => {
    const tree = treeOf(["z.ts", "a10.ts", "a2.ts", "src/b.ts", "src/sub/c.ts"].map(change));
    expect(outline(tree)).toEqual([["src", 2, [["sub", 1, ["c.ts"]], "b.ts"]], "a2.ts", "a10.ts", "z.ts"]);
  });

  it("V4 joins folders with nothing but one folder in them", () => {
    const tree = treeOf(["a/b/c/d.ts", "a/b/c/e.ts"].map(change));
    expect(outline(tree)).toEqual([["a/b/c", 2, ["d.ts", "e.ts"]]]);
    expect(tree[0]?.path).toBe("a/b/c");
  });

  it("shows an empty folder under its name and keeps the change's own path", () => {
    const [folder] = treeOf([change("docs/empty/")]);
    expect(outline(folder ? [folder] : [])).toEqual([["docs", 1, ["empty"]]]);
    expect(leavesOf(folder ? [folder] : []).map((leaf) => [leaf.path, leaf.change.path])).toEqual([
      ["docs/empty", "docs/empty/"],
    ]);
  });

  it("names like object properties are plain names", () => {
    expect(outline(treeOf(["__proto__/constructor", "toString"].map(change)))).toEqual([
      ["__proto__", 1, ["constructor"]],
      "toString",
    ]);
  });
});
