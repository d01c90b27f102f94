import { describe, expect, it } from "vitest";
import { RestoreSelection } from "../../../src/host/restoreSelection";
import type { Change, ChangeKind } from "../../../src/shared/changes";
import { ChangeTable, chosenPaths, packChanges } from "../../../src/shared/changeTable";

const change = (kind: ChangeKind, path: string): Change => ({ kind, path });
const CHANGES = [
  change("changed", "a.ts"),
  change("added", "gone.ts"),
  change("removed", "new/one.ts"),
  change("removed", "new/two.ts"),
  change("changed", "src/b.ts"),
  change("typeChanged", "src/link"),
];
/** Without the removals. */
const STARTING = ["a.ts", "gone.ts", "src/b.ts", "src/link"];
const selectionOf = (changes: readonly Change[], removeNew: boolean) =>
  new RestoreSelection(new ChangeTable(packChanges(changes)), removeNew);
/** The request as the engine gets it. */
const requestOf = (selection: RestoreSelection) => {
  const request = selection.request();
  return request && { ...request, paths: chosenPaths(request.paths) };
};
const group = (selection: RestoreSelection, kind: string) => {
  const found = selection.groups.find((candidate) => candidate.kind === kind);
  if (!found) throw new Error(`no group ${kind}`);
  return found;
};

describe("restore selection", () => {
  it("V10 starts without removals for automatic checkpoints", () => {
    const selection = selectionOf(CHANGES, false);
    expect(Array.from(selection.selected, (row) => selection.changes.at(row).path)).toEqual(STARTING);
    expect(requestOf(selection)).toEqual({ paths: STARTING, exact: true });
  });

  it("V10 everything with removals is what was shown, path by path: what has come since is not part of it", () => {
    const paths = CHANGES.map(({ path }) => path);
    expect(requestOf(selectionOf(CHANGES, true))).toEqual({ paths, exact: true });
  });

  it("V10 a folder's own change stands for the folder alone", () => {
    const selection = selectionOf([change("changed", "d/"), change("changed", "d/x")], true);
    const folder = group(selection, "changed")
      .nodes.first()
      .find((node) => node.type === "folder");
    for (const { rows } of folder?.children.first() ?? []) selection.set(rows, false);
    expect(requestOf(selection)).toEqual({ paths: ["d"], exact: true });
  });

  it("V10 a part is asked for path by path, and nothing else is touched", () => {
    const selection = selectionOf(CHANGES, false);
    for (const { rows } of group(selection, "changed").nodes.first(1)) selection.set(rows, false);
    expect(requestOf(selection)).toEqual({ paths: ["a.ts", "gone.ts"], exact: true });
    expect(selection.countSelected(group(selection, "changed").rows)).toBe(1);
  });

  it("V10 some of the removals are named one by one", () => {
    const selection = selectionOf(CHANGES, true);
    const folder = group(selection, "removed").nodes.first()[0];
    if (folder?.type !== "folder") throw new Error("expected a folder");
    for (const { rows } of folder.children.first(1)) selection.set(rows, false);
    expect(requestOf(selection)).toEqual({
      paths: ["a.ts", "gone.ts", "new/two.ts", "src/b.ts", "src/link"],
      exact: true,
    });
  });

  it("V11 says which files it is about: neither what is not selected nor folders", () => {
    const selection = selectionOf([...CHANGES, change("changed", "src/")], false);
    expect(selection.includes("src/b.ts")).toBe(true);
    expect(["src", "new/one.ts", "src/unchanged.ts"].filter((path) => selection.includes(path))).toEqual([]);
  });

  it("V10 nothing selected asks for nothing", () => {
    const selection = selectionOf(CHANGES, false);
    for (const { rows } of selection.groups) selection.set(rows, false);
    expect(requestOf(selection)).toBeUndefined();
  });

  it("has no empty groups", () => {
    expect(selectionOf(CHANGES.slice(0, 1), true).groups.map(({ kind, rows }) => [kind, rows.length])).toEqual([
      ["changed", 1],
    ]);
  });
});
