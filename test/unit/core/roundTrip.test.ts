import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mutateTree, randomForest, randomTree } from "../../support/randomTree";
import { type Random, withSeeds } from "../../support/seeded";
import type { Snapshot } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { LANE_SCRIPT, openTestEngine, type TestOptions } from "../../support/testEngine";

describe("save, change anything, restore", () => {
  it("C1 gives back random trees exactly; undo and redo are exact; nothing is left to do", async () => {
    await withSeeds(20, (random) => roundTrip(random, 45, {}, 0));
  });

  it("C1 the same with split packs", async () => {
    await withSeeds(6, (random) => roundTrip(random, 40, {}, 8_192));
  });

  it("C1 the same with lanes and split packs", async () => {
    const lanes = { laneScript: LANE_SCRIPT, laneCount: 2 };
    await withSeeds(1, (random) => roundTrip(random, 2_500, lanes, 500_000));
  });

  it("C1 C4 any way through restores, undos, redos and edits stays exact", async () => {
    await withSeeds(8, wander);
  });
});

async function roundTrip(random: Random, size: number, options: TestOptions, packChunkBytes: number): Promise<void> {
  const workspace = tempFolder("workspace");
  randomForest(random, workspace, Math.ceil(size / 50), Math.min(size, 50));
  const w = await openTestEngine({}, { ...options, workspace });
  const first = await w.checkpoint({ packChunkBytes });
  const then = w.snapshot();
  for (const tree of readdirSync(workspace)) mutateTree(random, join(workspace, tree), 1 + random.below(40));
  mutateTree(random, workspace, 3);
  const changed = w.snapshot();

  const restored = await w.restore(first);
  expect(restored.kept).toEqual([]);
  expect(w.snapshot()).toEqual(then);
  const again = await w.restore(first);
  expect({ ...again.paths, kept: again.kept }).toEqual({ added: [], changed: [], removed: [], kept: [] });
  expect(again.unchanged).toBe(first.files);

  await w.reopen();
  const moved = JSON.stringify(changed) !== JSON.stringify(then);
  if (moved) {
    expect((await w.undo()).kept).toEqual([]);
    expect(w.snapshot()).toEqual(changed);
    expect((await w.redo()).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
  }
  await w.expectSound();
}

/** A model of what the tree must be after each step, checked each time. */
async function wander(random: Random): Promise<void> {
  const workspace = tempFolder("workspace");
  randomTree(random, workspace, 25);
  const w = await openTestEngine({}, { workspace });
  const saved = new Map([[(await w.checkpoint({ name: "start" })).id, w.snapshot()]]);
  let undoable: Snapshot[] = [];
  for (let step = 0; step < 12; step++) {
    const action = random.below(4);
    if (action === 0) {
      mutateTree(random, workspace, 4);
      undoable = [];
    } else if (action === 1) {
      const { checkpoint } = await w.save();
      if (checkpoint !== null) saved.set(checkpoint.id, w.snapshot());
    } else if (action === 2) {
      const id = random.pick([...saved.keys()]);
      const before = w.snapshot();
      const { changes } = await w.restore(id);
      expect(w.snapshot()).toEqual(saved.get(id));
      if (changes.length > 0) undoable.push(before);
    } else {
      const expected = undoable.pop();
      if (expected === undefined) continue;
      await w.undo();
      expect(w.snapshot()).toEqual(expected);
    }
    if (random.chance(0.3)) await w.reopen();
  }
}
