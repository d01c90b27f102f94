import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ByteString, pathToText } from "../../../src/shared/pathText";
import type { RestoreRequest } from "../../../src/shared/restores";
import { mutateTree, randomTree } from "../../support/randomTree";
import { type Random, withSeeds } from "../../support/seeded";
import { type Snapshot, snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import type { TreeLiteral } from "../../support/treeLiteral";

/** The dry run, after which every byte and time of workspace and store is what it was; then the restore itself. */
async function expectHonest(w: TestWorkspace, id: string, request: Partial<RestoreRequest> = {}): Promise<void> {
  const state = (): Snapshot[] => [w.snapshot({ times: true }), snapshotTree(w.storeRoot, { times: true })];
  const before = state();
  const promised = await w.restore(id, { ...request, dryRun: true });
  expect(state()).toEqual(before);
  expect(promised).toMatchObject({ dryRun: true, safetyId: null });
  const there = w.snapshot();
  const done = await w.restore(id, request);
  expect({ ...done, dryRun: true, safetyId: null }).toEqual(promised);
  expectTrue(done.paths, there, w.snapshot());
  expect((await w.restore(id, { ...request, dryRun: true })).changes).toEqual([]);
}

/** The lists against two counts of the disk: each says just what came, went, or differs. */
function expectTrue(
  paths: { added: readonly string[]; changed: readonly string[]; removed: readonly string[] },
  before: Snapshot,
  after: Snapshot,
): void {
  const text = (list: readonly string[]): string[] => list.map((path) => path.replace(/\/$/, "")).sort();
  const isFolder = (entry: string | undefined): boolean => entry?.startsWith("folder ") === true;
  const came = Object.keys(after).filter((path) => before[path] === undefined);
  const went = Object.keys(before).filter((path) => after[path] === undefined);
  const differ = Object.keys(after).filter((path) => before[path] !== undefined && before[path] !== after[path]);
  const ascii = (list: string[]): string[] => list.map((path) => pathToText(path as ByteString)).sort();
  const filled = (tree: Snapshot, path: string): boolean => Object.keys(tree).some((key) => key.startsWith(`${path}/`));
  expect(text(paths.added)).toEqual(ascii(came.filter((path) => !isFolder(after[path]) || !filled(after, path))));
  expect(text(paths.changed)).toEqual(ascii(differ));
  expect(text(paths.removed)).toEqual(ascii(went.filter((path) => !isFolder(before[path]) || !filled(before, path))));
}

async function twoStates(before: TreeLiteral, change: (w: TestWorkspace) => void): Promise<[TestWorkspace, string]> {
  const w = await openTestEngine(before);
  const { id } = await w.checkpoint();
  change(w);
  return [w, id];
}

describe("dry run", () => {
  it("C5 writes nothing and lists exactly what restore then does, for random trees", async () => {
    await withSeeds(15, async (random) => {
      const w = await randomCase(random);
      await expectHonest(w, "1");
    });
  });

  it("C5 the same with ignored files about, for some paths, and keeping new files", async () => {
    await withSeeds(30, async (random) => {
      const w = await randomCase(random, true);
      const paths = random.chance(0.5)
        ? []
        : fs.readdirSync(w.folder).filter((name) => !name.includes("\ufffd") && random.chance(0.4));
      await honestAboutIgnored(w, paths, random.chance(0.3));
    });
  });

  it("C5 a folder that came since and holds ignored files is not said to go", async () => {
    const [w, id] = await twoStates({ ".gitignore": "*.log\n", a: "1" }, (each) => {
      fs.mkdirSync(each.path("new/deep"), { recursive: true });
      each.write("new/deep/x.log", "ignored");
      each.write("new/y", "captured");
    });
    const promised = await w.restore(id, { dryRun: true });
    const done = await w.restore(id);
    expect({ ...done, dryRun: true, safetyId: null }).toEqual(promised);
    expect(done.paths.removed).toEqual(["new/y"]);
    expect(done.kept.map((each) => each.path)).toEqual(["new/deep"]);
    expect(w.read("new/deep/x.log")).toBe("ignored");
  });

  it("C5 a folder with ignored files in the way of a file stays whole, and is named", async () => {
    const [w, id] = await twoStates({ ".gitignore": "*.log\n", x: "a file" }, (each) => {
      fs.rmSync(each.path("x"));
      fs.mkdirSync(each.path("x"));
      each.write("x/y", "captured");
      each.write("x/z.log", "ignored");
    });
    const before = w.snapshot();
    const promised = await w.restore(id, { dryRun: true });
    const done = await w.restore(id);
    expect({ ...done, dryRun: true, safetyId: null }).toEqual(promised);
    expect(done.changes).toEqual([]);
    expect(done.kept.map((each) => each.path)).toEqual(["x"]);
    expect(w.snapshot()).toEqual(before);
  });

  it("C5 a path below something that is no folder any more is named, not promised", async () => {
    const [w, id] = await twoStates({ d: { e: { f: "1" } } }, (each) => {
      fs.rmSync(each.path("d"), { recursive: true });
      each.write("d", "a file now");
    });
    for (const dryRun of [true, false]) {
      const result = await w.restore(id, { paths: ["d/e/f"], dryRun });
      expect(result.changes).toEqual([]);
      expect(result.kept).toHaveLength(1);
    }
    expect(w.read("d")).toBe("a file now");
  });

  it("C5 keeping new files: a folder of new files in the way of a file stays", async () => {
    const [w, id] = await twoStates({ x: "a file", y: { z: "1" } }, (each) => {
      fs.rmSync(each.path("x"));
      fs.mkdirSync(each.path("x"));
      each.write("x/new", "new");
      fs.rmSync(each.path("y"), { recursive: true });
      each.write("y", "a file instead of a folder");
    });
    const promised = await w.restore(id, { dryRun: true, keepNew: true });
    const done = await w.restore(id, { keepNew: true });
    expect({ ...done, dryRun: true, safetyId: null }).toEqual(promised);
    expect(w.read("x/new")).toBe("new");
    expect(w.read("y/z")).toBe("1");
  });
});

async function randomCase(random: Random, withIgnored = false): Promise<TestWorkspace> {
  const workspace = tempFolder("workspace");
  randomTree(random, workspace, 30);
  if (withIgnored) fs.writeFileSync(join(workspace, ".gitignore"), "*.ts\nlib/\n/b\n");
  const w = await openTestEngine({}, { workspace });
  await w.checkpoint();
  mutateTree(random, workspace, 25);
  return w;
}

/** With ignored files the snapshots cannot be predicted, but promise and deed must agree, and what is ignored stays. */
async function honestAboutIgnored(w: TestWorkspace, paths: string[], keepNew: boolean): Promise<void> {
  const captured = async (): Promise<Set<string>> => {
    const { changes } = await w.engine.diff({ ref: "1" }, { workspace: w.scan });
    return new Set(changes.map((each) => each.path.replace(/\/$/, "")));
  };
  const before = w.snapshot();
  const known = await captured();
  const promised = await w.restore("1", { paths, keepNew, dryRun: true });
  expect(w.snapshot()).toEqual(before);
  const done = await w.restore("1", { paths, keepNew });
  expect({ ...done, dryRun: true, safetyId: null }).toEqual(promised);
  const after = w.snapshot();
  for (const [path, entry] of Object.entries(before)) {
    if (after[path] === entry || entry.startsWith("folder")) continue;
    // What changed must have been in the captured state.
    expect([...known]).toContain(pathToText(path as ByteString));
  }
  // A path that went is nothing to ask for any more; other rules see other files.
  const left = paths.filter((path) => w.exists(path));
  if (left.length < paths.length || before[".gitignore"] !== after[".gitignore"]) return;
  expect((await w.restore("1", { paths, keepNew, dryRun: true })).changes).toEqual([]);
}
