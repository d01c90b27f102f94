/** What else may have happened by the time that an interrupted restore is looked at. */
import * as fs from "node:fs";
import { expect, it } from "vitest";
import { killedEngine } from "../../support/killedEngine";
import { keepStory, newRestoreStory, type RestoreStory } from "../../support/restoreStory";
import { tempFolder } from "../../support/tempFolders";

/** Kills the restore of the story at its first step from `at` on after which it is interrupted, and `fits`. */
async function interrupt(
  story: RestoreStory,
  { at = 0, safety = true, fits = () => true }: { at?: number; safety?: boolean; fits?: () => boolean } = {},
): Promise<void> {
  const { w, checkpoint } = story;
  const act = {
    act: (engine: typeof w.engine) => engine.restore({ ref: checkpoint.id, scan: w.scan, safety }),
  };
  const reset = keepStory(story);
  const { steps } = await killedEngine(w, Number.POSITIVE_INFINITY, act);
  for (let k = Math.floor(at * steps.length); k < steps.length; k++) {
    reset();
    await killedEngine(w, k, act);
    w.engine = await w.another();
    if ((await w.engine.interrupted()) !== null && fits()) return;
    await w.engine.close();
  }
  throw new Error("no such step");
}

it("C16 a closed folder that is a link by now is not given a mode", async () => {
  const story = await newRestoreStory();
  const { w } = story;
  await interrupt(story, { fits: () => (fs.statSync(w.path("closed/inner")).mode & 0o777) === 0o700 });
  const outside = tempFolder("outside");
  fs.mkdirSync(`${outside}/inner`, { mode: 0o700 });
  fs.renameSync(w.path("closed"), `${outside}/old`);
  fs.symlinkSync(outside, w.path("closed"));
  await w.engine.recover("rollBack", w.scan);
  expect((fs.statSync(`${outside}/inner`).mode & 0o777).toString(8)).toBe("700");
});

it("C8 what it was about is lost from the store: that is said, and any restore ends it", async () => {
  const story = await newRestoreStory();
  const { w, checkpoint, then } = story;
  await interrupt(story, { at: 0.6 });
  await w.engine.close();
  const packs = fs.readdirSync(`${w.store}/trees`).filter((name) => name.endsWith(".dat"));
  const age = (name: string): number => fs.statSync(`${w.store}/trees/${name}`).mtimeMs;
  for (const name of packs.sort((a, b) => age(a) - age(b)).slice(1)) fs.rmSync(`${w.store}/trees/${name}`);
  w.engine = await w.another();
  for (const how of ["finish", "rollBack"] as const)
    await expect(w.engine.recover(how, w.scan)).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringMatching(/Restore any checkpoint instead/),
    });
  await w.restore(checkpoint);
  expect(await w.engine.interrupted()).toBe(null);
  expect(w.read("gone")).toBe("comes back");
  expect(Object.keys(w.snapshot())).toEqual(expect.arrayContaining(Object.keys(then)));
});

it("C4 undo says that it is the one which would be rolled back, not one before it", async () => {
  const story = await newRestoreStory();
  const { w, former } = story;
  w.engine = await w.another();
  const now = await w.checkpoint();
  w.write("new", "and changed");
  await w.restore(now);
  await w.engine.close();
  const earlier = w.snapshot();
  expect(earlier).toEqual(former);
  await interrupt(story);
  const { undo } = await w.engine.undoState();
  expect(undo).toMatchObject({ checkpointId: story.checkpoint.id });
  await w.undo();
  expect(w.snapshot()).toEqual(former);
  expect((await w.engine.undoState()).undo).toMatchObject({ checkpointId: now.id });
});

it.each([true, false])("C3 C4 another restore that is cancelled leaves it as it was, safety %s", async (safety) => {
  const story = await newRestoreStory();
  const { w, former, checkpoint } = story;
  await interrupt(story, { at: 0.6, safety });
  const cancelled = w.engine.observed({ isCancelled: () => true });
  await expect(cancelled.restore({ ref: checkpoint.id, scan: w.scan })).rejects.toMatchObject({ code: "cancelled" });
  expect(await w.engine.interrupted()).toMatchObject({ checkpointId: checkpoint.id });
  await w.engine.recover("rollBack", w.scan);
  expect(w.snapshot()).toEqual(former);
});
