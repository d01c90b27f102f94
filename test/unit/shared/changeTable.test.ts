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
    const answer = packAnswer("restore", {
      added: 1,
      kept: Array(1_200).fill("x"),
      changes: CHANGES,
      paths: { added: ["a"] },
    });
    const got = unpackAnswer("restore", structuredClone(answer.value, { transfer: answer.transfer })) as {
      changes: ChangeTable;
      kept: unknown[];
    };
    expect(got).toMatchObject({ added: 1, keptCount: 1_200 });
    expect(got).not.toHaveProperty("paths");
    expect(got.kept).toHaveLength(1_000);
    expect(inOrder(contentOf(got.changes))).toEqual(inOrder(CHANGES));

    const chosen = new Uint8Array(got.changes.length).fill(1);
    chosen[got.changes.find("src/link") ?? -1] = 0;
    const request = structuredClone([{ ref: "1", exact: true, paths: got.changes.choose(chosen) }]);
    expect(unpackArguments("restore", request)).toEqual([
      { ref: "1", exact: true, paths: ["empty", "Ärger/日本語.txt"] },
    ]);
  });

  it("V20 a state without a hash comes back without one", () => {
    const changes: readonly Change[] = [
      { path: "made/", kind: "added", after: { ...state("directory", "0"), hash: "" } },
      { path: "odd", kind: "changed", before: state("file", "a"), after: state("file", "b") },
    ];
    expect(contentOf(new ChangeTable(packChanges(changes)))).toEqual(changes);
  });

  it("V20 finds every path, and no other, whatever its bytes", () =>
    withSeeds(200, (random) => {
      // The last two are in another order as UTF-16 than in UTF-8.
      const name = () =>
        Array.from({ length: 1 + random.below(3) }, () => random.pick([..."a.-\u0001é\uffee😀"])).join("");
      const path = () => Array.from({ length: 1 + random.below(3) }, name).join("/");
      const paths = [...new Set(Array.from({ length: random.below(60) }, path))];
      const kept = paths.filter((_, i) => i % 3 > 0);
      const table = new ChangeTable(
        packChanges(kept.map((each) => ({ path: each + random.pick(["", "/"]), kind: "added" }))),
      );
      for (const each of paths) {
        const row = table.find(each);
        expect(row === undefined ? undefined : table.at(row).path.replace(/\/$/, ""), each).toBe(
          kept.includes(each) ? each : undefined,
        );
      }
      // With "/" before everything else, what is in a folder stands together.
      const inBytes = Array.from(allRows(table), (row) =>
        Buffer.from(table.at(row).path).map((b) => (b === 0x2f ? 0 : b)),
      );
      expect(inBytes.every((each, i) => i === 0 || Buffer.compare(inBytes[i - 1] as Buffer, each) < 0)).toBe(true);
    }));

  it("V20 long lists of what was left out are cut, and counted", () => {
    const skipped = Array.from({ length: 1_200 }, (_, i) => ({ path: `f${i}`, reason: "unreadable", message: "m" }));
    const { value } = packAnswer("save", { checkpoint: { skipped: 1_200 }, skipped });
    expect(unpackAnswer("save", value)).toEqual({
      ...{ checkpoint: { skipped: 1_200 }, skipped: skipped.slice(0, 1_000), skippedCount: 1_200 },
    });
  });

  it("V20 answers about changes hold a table, whatever else is in them", () => {
    for (const method of ["show", "diff", "restore", "undo", "redo"] as const) {
      const { value, transfer } = packAnswer(method, { changes: CHANGES, skipped: [], kept: [], total: 3 });
      const got = unpackAnswer(method, structuredClone(value, { transfer })) as { changes: ChangeTable; total: number };
      expect([inOrder(contentOf(got.changes)), got.total], method).toEqual([inOrder(CHANGES), 3]);
    }
  });

  it("V20 content is handed over without taking more along", () => {
    const whole = Uint8Array.from([1, 2, 3, 4]);
    const { value, transfer } = packAnswer("readFile", whole.subarray(1, 3));
    expect(unpackAnswer("readFile", structuredClone(value, { transfer }))).toEqual(Uint8Array.from([2, 3]));
    expect(whole).toHaveLength(4);
  });

  it("what is not about changes passes as it is, even if it looks like it", () => {
    for (const value of [null, undefined, 7, [{ id: "1" }], { folder: "x" }, { changes: [], kept: Array(1_200) }]) {
      expect(packAnswer("stats", value)).toEqual({ value, transfer: [] });
      expect(unpackAnswer("stats", value)).toBe(value);
    }
    const args = ["1", { paths: ["a"] }, { workspace: { exclude: [] } }];
    expect(unpackArguments("diff", args)).toEqual(args);
    for (const request of [{ ref: "1", paths: ["a"] }, { ref: "1" }])
      expect(unpackArguments("restore", [request])).toEqual([request]);
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
