import { describe, expect, it } from "vitest";
import { allRows, type ChangeNode, changeTree } from "../../../src/host/changeTree";
import type { Change, ChangeKind, EntryState } from "../../../src/shared/changes";
import { ChangeTable, packChanges } from "../../../src/shared/changeTable";
import { packAnswer, unpackAnswer, unpackArguments } from "../../../src/shared/wireForms";
import { withSeeds } from "../../support/seeded";

const state = (type: EntryState["type"], digit: string): EntryState => ({
  type,
  mode: 0o100755 & 0o7777,
  size: 3 * 2 ** 32,
  hash: digit.repeat(32),
});
const CHANGES: readonly Change[] = [
  { path: "Ärger/日本語.txt", kind: "added", after: state("file", "a") },
  { path: "empty/", kind: "removed", before: state("directory", "0") },
  { path: "src/link", kind: "typeChanged", before: state("symlink", "b"), after: state("file", "c") },
];
const inOrder = (changes: readonly Change[]) => [...changes].sort((a, b) => (a.path < b.path ? -1 : 1));
const contentOf = (table: ChangeTable) => Array.from(allRows(table), (row) => table.at(row));

describe("change table", () => {
  it("V20 gives back every change as it was", () => {
    const table = new ChangeTable(packChanges(CHANGES));
    expect(inOrder(contentOf(table))).toEqual(inOrder(CHANGES));
    expect(Array.from(allRows(table)).filter((row) => !table.hasContent(row))).toEqual([table.find("empty")]);
  });

  it("V20 crosses the worker boundary in both directions", () => {
    const answer = packAnswer({ added: 1, kept: Array(1_200).fill("x"), changes: CHANGES, paths: { added: ["a"] } });
    const got = unpackAnswer(structuredClone(answer.value, { transfer: answer.transfer })) as {
      changes: ChangeTable;
      kept: unknown[];
    };
    expect(got).toMatchObject({ added: 1, keptCount: 1_200, paths: undefined });
    expect(got.kept).toHaveLength(1_000);
    expect(inOrder(contentOf(got.changes))).toEqual(inOrder(CHANGES));

    const chosen = new Uint8Array(got.changes.length).fill(1);
    chosen[got.changes.find("src/link") ?? -1] = 0;
    const request = structuredClone([{ ref: "1", exact: true, paths: got.changes.choose(chosen) }]);
    expect(unpackArguments(request)).toEqual([{ ref: "1", exact: true, paths: ["empty", "Ärger/日本語.txt"] }]);
  });

  it("V20 long lists of what was left out are cut, and counted", () => {
    const skipped = Array.from({ length: 1_200 }, (_, i) => ({ path: `f${i}`, reason: "unreadable", message: "m" }));
    const { value } = packAnswer({ checkpoint: { skipped: 1_200 }, skipped });
    expect(unpackAnswer(value)).toEqual({
      ...{ checkpoint: { skipped: 1_200 }, skipped: skipped.slice(0, 1_000), skippedCount: 1_200 },
    });
  });

  it("what is not about changes passes as it is", () => {
    for (const value of [null, undefined, 7, [{ id: "1" }], { folder: "x" }]) {
      expect(packAnswer(value)).toEqual({ value, transfer: [] });
      expect(unpackAnswer(value)).toBe(value);
    }
    const args = ["1", { paths: ["a"] }, { workspace: { exclude: [] } }];
    expect(unpackArguments(args)).toEqual(args);
    expect(unpackArguments([{ ref: "1", paths: ["a"] }])).toEqual([{ ref: "1", paths: ["a"] }]);
  });

  it("V4 any list becomes the tree that its paths spell", () =>
    withSeeds(100, (random) => {
      const name = () =>
        random.pick(["a", "b", ".", "-", "é", "😀"]) + random.pick(["", "a", ".", "0"]) + random.below(3);
      const paths = Array.from({ length: random.below(120) }, () =>
        Array.from({ length: 1 + random.below(4) }, name).join("/"),
      );
      // A file cannot be a folder too.
      const files = [...new Set(paths)].filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
      const kinds: readonly ChangeKind[] = ["added", "changed", "removed"];
      const table = new ChangeTable(packChanges(files.map((path) => ({ path, kind: random.pick(kinds) }))));
      for (const wanted of [kinds, ["added"]]) {
        const rows = allRows(table).filter((row) => wanted.includes(table.kind(row)));
        const leaves = leavesOf(changeTree(table, rows).first(), "");
        expect(leaves.sort()).toEqual(Array.from(rows, (row) => table.at(row).path).sort());
      }
      expect(
        contentOf(table)
          .map(({ path }) => path)
          .sort(),
      ).toEqual([...files].sort());
    }));
});

/** The paths of all leaves, spelled by the names of the nodes above them; counts and folder paths are checked. */
function leavesOf(nodes: readonly ChangeNode[], prefix: string): string[] {
  const names = nodes.filter((node) => node.type === "folder").map(({ name }) => name.split("/")[0]);
  expect(new Set(names).size).toBe(names.length);
  return nodes.flatMap((node) => {
    expect(node.path).toBe(prefix + node.name);
    if (node.type === "leaf") return [node.path];
    const below = leavesOf(node.children.first(), `${node.path}/`);
    expect(node.count).toBe(below.length);
    return below;
  });
}
