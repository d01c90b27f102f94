/** A folder listing (tree) that is lost concerns the checkpoints that name it, and must not stop anything else. */
import * as fs from "node:fs";
import { expect, it } from "vitest";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

/** Removes the tree packs that came into being while `work` ran. */
async function losingTreesOf(w: TestWorkspace, work: () => Promise<unknown>): Promise<void> {
  const list = (): string[] => (fs.existsSync(`${w.storeRoot}/stores`) ? fs.readdirSync(`${w.store}/trees`) : []);
  const before = new Set(list());
  await work();
  for (const name of list()) if (!before.has(name)) fs.rmSync(`${w.store}/trees/${name}`);
  await w.reopen();
}

it("C8 the present can be saved and restored although the newest checkpoint's trees are lost", async () => {
  const w = await openTestEngine({ a: "1" });
  w.checkAfterwards = false;
  const first = await w.checkpoint();
  w.write("a", "22");
  await losingTreesOf(w, () => w.checkpoint());
  w.write("a", "333");
  const third = await w.checkpoint();
  expect(String(await w.engine.readFile(third.id, "a"))).toBe("333");
  await w.restore(first);
  expect(w.read("a")).toBe("1");
  await w.undo();
  expect(w.read("a")).toBe("333");
});

it("C8 a checkpoint whose trees are lost can be deleted, and the store is sound again", async () => {
  const w = await openTestEngine({ a: "1" });
  await w.checkpoint();
  w.write("a", "22");
  await losingTreesOf(w, () => w.checkpoint());
  w.write("a", "333");
  await w.checkpoint();
  await w.engine.planDelete(["2"]);
  await w.engine.delete(["2"]);
  expect((await w.engine.list()).map((each) => each.number)).toEqual([3, 1]);
});

it("C8 saving the same state again brings lost trees back", async () => {
  const w = await openTestEngine({ a: "1", d: { b: "2" } });
  await losingTreesOf(w, () => w.checkpoint());
  expect((await w.engine.verify({ full: false })).ok).toBe(false);
  expect((await w.save()).noChange).toBe(true);
  expect((await w.engine.verify({ full: true })).ok).toBe(true);
});

it("C8 so does a restore, whose safety checkpoint that state is", async () => {
  const w = await openTestEngine({ a: "1", d: { b: "2" } });
  let id = "";
  await losingTreesOf(w, async () => {
    id = (await w.checkpoint()).id;
  });
  await w.restore(id);
  expect((await w.engine.verify({ full: true })).ok).toBe(true);
});

it("C8 C10 a restore that cannot be undone any more keeps nothing else from being freed", async () => {
  const w = await openTestEngine({ a: "1" });
  await losingTreesOf(w, async () => {
    const first = await w.checkpoint();
    w.write("a", "22");
    await w.checkpoint();
    await w.restore(first);
  });
  w.write("a", "333");
  await w.checkpoint();
  await w.engine.delete(["1", "2"]);
  expect((await w.engine.list()).map((each) => each.number)).toEqual([3]);
  await w.engine.gc();
});
