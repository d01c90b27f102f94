import { readdirSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/core/engine";
import type { Change, EntryState } from "../../../src/shared/changes";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import { mutateTree, randomTree } from "../../support/randomTree";
import { type Random, withSeeds } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { link } from "../../support/treeLiteral";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

interface Version {
  readonly number: number;
  readonly kind: Change["kind"];
  readonly state: EntryState | undefined;
}

describe("versions of a path", () => {
  it("P10 are what looking at every checkpoint finds, for every path there ever was", async () => {
    await withSeeds(6, anyHistory);
  });

  it("P10 come from lists of changes, not from the trees of each checkpoint", async () => {
    const saves = 20;
    const w = await openTestEngine({ src: { deep: { "hot.ts": "0", "cold.ts": "", "other.ts": "" } } });
    for (let i = 0; i < saves; i++) {
      w.write(i % 2 === 0 ? "src/deep/hot.ts" : "src/deep/other.ts", `edit ${i}`);
      await w.checkpoint();
    }
    const read = new Set<string>();
    const watched = new WatchedFileSystem(({ method, path }) => {
      if (method === "open" && path.endsWith(".dat")) read.add(path);
    });
    const engine = await w.another({ fs: watched.fs });
    try {
      expect(await engine.history("src/deep/hot.ts")).toHaveLength(saves / 2);
      expect(await engine.history("src/deep/cold.ts")).toHaveLength(1);
      // The first checkpoint has no list: there, everything is new.
      expect(read.size).toBe(1);
      expect(await engine.history("src/deep")).toHaveLength(saves);
      expect(read.size).toBeGreaterThan(1);
    } finally {
      await engine.close();
    }
  });

  it("are found where a checkpoint changed too much to have a list", async () => {
    const many = Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`file${i}`, "one"]));
    const w = await openTestEngine({ many, "other.txt": "" });
    await w.checkpoint();
    for (const name of Object.keys(many)) w.write(`many/${name}`, "two");
    const second = await w.checkpoint();
    w.write("other.txt", "three");
    await w.checkpoint();
    expect(await versions(w.engine, "many/file7")).toMatchObject([
      { number: second.number, kind: "changed" },
      { number: 1, kind: "added" },
    ]);
  });

  it("tell a file that became a folder and back from what is in the folder", async () => {
    const w = await openTestEngine({ thing: "a file", thingy: "of another name" });
    await w.checkpoint();
    rmSync(w.path("thing"));
    await openTestEngine({ thing: { inner: "content" } }, { workspace: w.folder });
    await w.checkpoint();
    w.write("thing/inner", "other content");
    w.write("thingy", "changed");
    await w.checkpoint();
    rmSync(w.path("thing"), { recursive: true });
    await openTestEngine({ thing: link("thingy") }, { workspace: w.folder });
    await w.checkpoint();
    expect((await versions(w.engine, "thing")).map(({ number, kind }) => [number, kind])).toEqual([
      [4, "typeChanged"],
      [3, "changed"],
      [2, "typeChanged"],
      [1, "added"],
    ]);
    expect((await versions(w.engine, "thing/inner")).map(({ number, kind }) => [number, kind])).toEqual([
      [4, "removed"],
      [3, "changed"],
      [2, "added"],
    ]);
  });
});

async function anyHistory(random: Random): Promise<void> {
  const workspace = tempFolder("workspace");
  randomTree(random, workspace, 20);
  const w = await openTestEngine({}, { workspace });
  await saveRounds(w, random, 8);
  await expectHistories(w);
  // Those after a deleted one have another parent, and another list, than the engine has seen.
  const { length } = await w.engine.list();
  const doomed = new Set([random, random].map(() => String(1 + random.below(length))));
  await w.engine.delete([...doomed]);
  await expectHistories(w);
  await saveRounds(w, random, 2);
  await expectHistories(w);
}

async function saveRounds(w: TestWorkspace, random: Random, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await w.save();
    if (readdirSync(w.folder).length === 0) randomTree(random, w.folder, 5);
    mutateTree(random, w.folder, 1 + random.below(4));
  }
}

async function expectHistories(w: TestWorkspace): Promise<void> {
  const checkpoints = await w.engine.list();
  const paths = new Set<string>(["nowhere"]);
  for (const { id } of checkpoints) await collectPaths(w.engine, id, "", paths);
  for (const path of paths) {
    const wanted = await wantedVersions(w.engine, checkpoints, path);
    expect(await versions(w.engine, path), path).toEqual(wanted);
    expect(await versions(w.engine, path, { limit: 2 }), path).toEqual(wanted.slice(0, 2));
    const before = checkpoints[checkpoints.length >> 1]?.number ?? 0;
    expect(await versions(w.engine, path, { before }), path).toEqual(wanted.filter(({ number }) => number < before));
  }
}

/** All paths of files and folders in a checkpoint. */
async function collectPaths(engine: Engine, ref: string, folder: string, into: Set<string>): Promise<void> {
  for (const { name, type } of await engine.readDirectory(ref, folder)) {
    const path = folder === "" ? name : `${folder}/${name}`;
    into.add(path);
    if (type === "directory") await collectPaths(engine, ref, path, into);
  }
}

async function wantedVersions(engine: Engine, checkpoints: readonly Checkpoint[], path: string): Promise<Version[]> {
  const found: Version[] = [];
  let before: EntryState | undefined;
  for (const { id, number } of [...checkpoints].reverse()) {
    const after = await stateIn(engine, id, path);
    const kind = kindOf(before, after);
    if (kind !== undefined) found.push({ number, kind, state: after });
    before = after;
  }
  return found.reverse();
}

function kindOf(before: EntryState | undefined, after: EntryState | undefined): Change["kind"] | undefined {
  if (before === undefined || after === undefined)
    return before === after ? undefined : after === undefined ? "removed" : "added";
  if (before.type !== after.type) return "typeChanged";
  return before.hash === after.hash && before.mode === after.mode ? undefined : "changed";
}

async function stateIn(engine: Engine, ref: string, path: string): Promise<EntryState | undefined> {
  try {
    return await engine.stat(ref, path);
  } catch (error) {
    if (CheckpointError.is(error, "not-found")) return undefined;
    throw error;
  }
}

async function versions(
  engine: Engine,
  path: string,
  options?: { limit?: number; before?: number },
): Promise<Version[]> {
  const found = await engine.history(path, options);
  return found.map(({ checkpoint, kind, state }) => ({ number: checkpoint.number, kind, state }));
}
