import { describe, expect, it } from "vitest";
import type { UnsavedFile } from "../../../src/shared/saves";
import { killedEngine } from "../../support/killedEngine";
import { withSeeds } from "../../support/seeded";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

const unsaved: readonly UnsavedFile[] = [
  { path: "src/a.txt", content: Buffer.from("typed, not saved") },
  { path: "b.txt", content: Buffer.from("typed as well") },
];

/** A workspace with one checkpoint, and since then something on disk that is in none. */
async function begun(): Promise<TestWorkspace> {
  const w = await openTestEngine({ src: { "a.txt": "old" }, "b.txt": "b", "c.txt": "c" });
  await w.checkpoint({ name: "first" });
  w.write("src/a.txt", "new on disk");
  await w.engine.close();
  return w;
}

const text = async (w: TestWorkspace, ref: string, path: string) =>
  Buffer.from(await w.engine.readFile(ref, path)).toString();

describe("unsaved texts and a process that is killed", () => {
  it("C3 V11 a save at any step: its checkpoint is whole or absent, and the next save knows the disk", async () => {
    let made = 0;
    let step = 0;
    for (let isDead = true; isDead; step++) {
      const w = await begun();
      ({ isDead } = await killedEngine(w, step, {
        act: (engine) => engine.save({ kind: "manual", trigger: "manual", scan: w.scan, unsaved }),
      }));
      w.engine = await w.another();
      const [newest, ...older] = await w.engine.list();
      expect((await w.engine.verify({ full: true })).problems).toEqual([]);
      if (older.length > 0) {
        made++;
        expect(await text(w, newest?.id ?? "", "src/a.txt")).toBe("typed, not saved");
        expect((await w.save({ unsaved })).noChange).toBe(true);
      }
      expect(await text(w, "first", "src/a.txt")).toBe("old");
      const next = await w.checkpoint();
      expect([await text(w, next.id, "src/a.txt"), await text(w, next.id, "b.txt")]).toEqual(["new on disk", "b"]);
      await w.engine.close();
    }
    expect(made).toBeGreaterThan(0);
    expect(step).toBeGreaterThan(20);
  }, 300_000);

  it("C3 V11 a restore at any step: once a file was touched, the texts are in a checkpoint", async () => {
    let touched = 0;
    let step = 0;
    for (let isDead = true; isDead; step++) {
      const w = await begun();
      const former = w.snapshot();
      ({ isDead } = await killedEngine(w, step, {
        act: (engine) => engine.restore({ ref: "first", scan: w.scan, unsaved }),
      }));
      w.engine = await w.another();
      const isInterrupted = (await w.engine.interrupted()) !== null;
      const isUntouched = JSON.stringify(w.snapshot()) === JSON.stringify(former);
      if (isInterrupted || !isUntouched) {
        touched++;
        const kept = (await w.engine.list()).find(({ trigger }) => trigger === "unsaved");
        expect(await text(w, kept?.id ?? "", "src/a.txt")).toBe("typed, not saved");
        expect(await text(w, kept?.id ?? "", "b.txt")).toBe("typed as well");
        if (isInterrupted) await w.engine.recover("rollBack", w.scan);
        else await w.undo();
        expect(w.snapshot()).toEqual(former);
      } else {
        const { checkpoint } = await w.save();
        expect(await text(w, checkpoint?.id ?? "", "src/a.txt")).toBe("new on disk");
      }
      await w.engine.close();
    }
    expect(touched).toBeGreaterThan(5);
  }, 300_000);
});

describe("unsaved texts, many times over", () => {
  it("V11 whatever is dirty, a checkpoint holds the texts and the next one without them holds the disk", async () => {
    await withSeeds(6, async (random) => {
      const w = await openTestEngine({ d: { e: {} } });
      const names = ["a", "b", "d/c", "d/e/f", "d/e/g", "d/h"];
      const disk = new Map(names.map((name) => [name, `first ${name}`]));
      for (const [name, content] of disk) w.write(name, content);
      await w.checkpoint();
      for (let round = 0; round < 12; round++) {
        const changedPaths: string[] = [];
        for (const name of names)
          if (random.chance(0.3)) {
            disk.set(name, `disk ${round} ${random.below(3)} ${name}`);
            w.write(name, disk.get(name) ?? "");
            changedPaths.push(name);
          }
        const typed = names
          .filter(() => random.chance(0.4))
          .map((path) => ({ path, content: Buffer.from(`typed ${random.below(4)}`) }));
        const hint = random.chance(0.5) ? { changedPaths } : {};
        const { checkpoint } = await w.save({ ...hint, unsaved: typed });
        for (const name of names) {
          const wanted = typed.find(({ path }) => path === name)?.content.toString() ?? disk.get(name);
          expect(await text(w, checkpoint?.id ?? "", name)).toBe(wanted);
        }
        if (random.chance(0.3)) await w.engine.gc();
        if (random.chance(0.2)) await w.reopen();
      }
      const { checkpoint } = await w.save({ changedPaths: [] });
      for (const [name, content] of disk) expect(await text(w, checkpoint?.id ?? "", name)).toBe(content);
    });
  }, 120_000);
});
