import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { RestoreSelection } from "../../../src/host/restoreSelection";
import { ChangeTable, chosenPaths, packChanges } from "../../../src/shared/changeTable";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

describe("a restore of exactly these paths", () => {
  it("V10 a file unticked below a folder whose mode is ticked stays", async () => {
    const w = await openTestEngine({ d: { a: "1", x: "1" } });
    const first = await w.checkpoint();
    w.write("d/a", "mine");
    w.write("d/x", "2");
    fs.chmodSync(w.path("d"), 0o700);
    const { paths } = await restorePreviewed(w, first.id, (path) => path !== "d/a");
    expect(paths.changed).toEqual(["d/", "d/x"]);
    expect(w.snapshot()).toEqual({ d: "folder 755", "d/a": 'file 644 "mine"', "d/x": 'file 644 "1"' });
    await w.undo();
    expect(w.snapshot()).toEqual({ d: "folder 700", "d/a": 'file 644 "mine"', "d/x": 'file 644 "2"' });
  });

  it("V10 a file unticked in a folder that was a file stays, and so does the folder", async () => {
    const w = await openTestEngine({ d: "file" });
    const first = await w.checkpoint();
    fs.rmSync(w.path("d"));
    fs.mkdirSync(w.path("d"));
    w.write("d/mine", "1");
    w.write("d/other", "1");
    const { kept } = await restorePreviewed(w, first.id, (path) => path !== "d/mine");
    expect(kept).toMatchObject([{ path: "d", code: "occupied" }]);
    expect(w.read("d/mine")).toBe("1");
  });

  it("V10 files made while the preview was open stay; folders that were shown as emptied go", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    for (const path of ["new", "both"]) fs.mkdirSync(w.path(path));
    for (const path of ["new/one", "new/two", "both/one", "three"]) w.write(path, "1");
    const { paths } = await restorePreviewed(
      w,
      first.id,
      () => true,
      () => {
        w.write("made meanwhile", "1");
        w.write("both/made meanwhile", "1");
      },
    );
    expect(paths.removed).toEqual(["both/one", "new/one", "new/two", "three"]);
    expect(Object.keys(w.snapshot())).toEqual(["a", "both", "both/made meanwhile", "made meanwhile"]);
    await w.undo();
    expect(w.exists("new/one")).toBe(true);
    expect(w.exists("both/made meanwhile")).toBe(true);
  });

  it("V10 what has gone meanwhile on both sides is no error, and nothing is nothing", async () => {
    const w = await openTestEngine({ a: "1" });
    const first = await w.checkpoint();
    w.write("a", "2");
    expect((await w.restore(first, { paths: ["gone"], exact: true })).changes).toEqual([]);
    expect((await w.restore(first, { paths: [], exact: true })).changes).toEqual([]);
    expect(w.read("a")).toBe("2");
  });
});

describe("unchanged files", () => {
  it("C1 are those that were as in the checkpoint, not those that were kept", async () => {
    const w = await openTestEngine({ same: "1", changed: "1", ".gitignore": "", kept: "1", d: { e: "1" } });
    const first = await w.checkpoint();
    w.write(".gitignore", "kept\n");
    w.write("kept", "mine");
    w.write("changed", "2");
    fs.rmSync(w.path("d"), { recursive: true });
    w.write("d", "a file, ignored"); // and so in the way of d/e
    w.write(".gitignore", "kept\nd\n");
    const { changed, added, unchanged, kept } = await w.restore(first);
    expect({ changed, added, unchanged, kept: kept.map((each) => each.path) }).toEqual({
      changed: 2,
      added: 0,
      unchanged: 1,
      kept: ["d", "kept"],
    });
  });
});

describe("scan options", () => {
  it("of the newest checkpoint are told, so that all who save scan alike", async () => {
    const w = await openTestEngine({ a: "1" });
    expect(await w.engine.scanOptions()).toBeNull();
    const scan = { useGitignore: false, includeDependencies: true, exclude: ["*.iso"], maxFileBytes: 1_000 };
    await w.checkpoint({ scan });
    expect(await w.engine.scanOptions()).toEqual(scan);
  });
});

/** As the window does it: a dry run, a choice, and what is chosen restored. */
async function restorePreviewed(
  w: TestWorkspace,
  ref: string,
  isTicked: (path: string) => boolean,
  meanwhile: () => void = () => {},
) {
  const { changes } = await w.restore(ref, { dryRun: true });
  const selection = new RestoreSelection(new ChangeTable(packChanges(changes)), true);
  const unticked = selection.selected.filter((row) => !isTicked(selection.changes.at(row).path));
  selection.set(unticked, false);
  const request = selection.request();
  meanwhile();
  return w.restore(ref, request ? { ...request, paths: chosenPaths(request.paths) } : {});
}
