import { describe, expect, it } from "vitest";
import { RestoreSelection } from "../../../src/host/restoreSelection";
import type { Change, ChangeKind } from "../../../src/shared/api";

const change = (kind: ChangeKind, path: string): Change => ({ kind, path });
const CHANGES = [
  change("changed", "a.ts"),
  change("changed", "src/b.ts"),
  change("typeChanged", "src/link"),
  change("added", "gone.ts"),
  change("removed", "new/one.ts"),
  change("removed", "new/two.ts"),
];
const group = (selection: RestoreSelection, kind: string) => {
  const found = selection.groups.find((candidate) => candidate.kind === kind);
  if (!found) throw new Error(`no group ${kind}`);
  return found;
};

describe("restore selection", () => {
  it("V10 starts without removals for automatic checkpoints", () => {
    const selection = new RestoreSelection(CHANGES, false);
    expect(selection.selected.map(({ path }) => path)).toEqual(["a.ts", "src/b.ts", "src/link", "gone.ts"]);
    expect(selection.request()).toEqual({ paths: ["a.ts", "src/b.ts", "src/link", "gone.ts"], exact: true });
  });

  it("V10 everything with removals is what was shown, path by path: what has come since is not part of it", () => {
    const paths = ["a.ts", "src/b.ts", "src/link", "gone.ts", "new/one.ts", "new/two.ts"];
    expect(new RestoreSelection(CHANGES, true).request()).toEqual({ paths, exact: true });
  });

  it("V10 a folder's own change stands for the folder alone", () => {
    const selection = new RestoreSelection([change("changed", "d/"), change("changed", "d/x")], true);
    const unticked = group(selection, "changed").nodes.flatMap((node) => (node.type === "folder" ? node.children : []));
    selection.set(unticked, false);
    expect(selection.request()).toEqual({ paths: ["d"], exact: true });
  });

  it("V10 a part is asked for path by path, and nothing else is touched", () => {
    const selection = new RestoreSelection(CHANGES, false);
    selection.set(group(selection, "changed").nodes.slice(0, 1), false);
    expect(selection.request()).toEqual({ paths: ["a.ts", "gone.ts"], exact: true });
    expect(selection.countSelected(group(selection, "changed").nodes)).toBe(1);
  });

  it("V10 some of the removals are named one by one", () => {
    const selection = new RestoreSelection(CHANGES, true);
    const folder = group(selection, "removed").nodes[0];
    if (folder?.type !== "folder") throw new Error("expected a folder");
    selection.set(folder.children.slice(0, 1), false);
    expect(selection.request()).toEqual({
      paths: ["a.ts", "src/b.ts", "src/link", "gone.ts", "new/two.ts"],
      exact: true,
    });
  });

  it("V11 unsaved files can be left out", () => {
    expect(new RestoreSelection(CHANGES, false).request(["src/b.ts"])).toEqual({
      paths: ["a.ts", "src/link", "gone.ts"],
      exact: true,
    });
  });

  it("V10 nothing selected asks for nothing", () => {
    const selection = new RestoreSelection(CHANGES, false);
    for (const { nodes } of selection.groups) selection.set(nodes, false);
    expect(selection.request()).toBeUndefined();
  });

  it("has no empty groups", () => {
    expect(new RestoreSelection(CHANGES.slice(0, 1), true).groups.map(({ kind, count }) => [kind, count])).toEqual([
      ["changed", 1],
    ]);
  });
});
