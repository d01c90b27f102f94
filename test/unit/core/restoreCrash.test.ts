import { describe, expect, it } from "vitest";
import type { RecoveryKind } from "../../../src/shared/restores";
import type { DyingFileSystem } from "../../support/dyingFileSystem";
import { killedEngine } from "../../support/killedEngine";
import { keepStory, killRestoreAtEveryStep, newRestoreStory, type RestoreStory } from "../../support/restoreStory";
import { type Random, withSeeds } from "../../support/seeded";
import { unfinished } from "../../support/testEngine";

/** The restore of the story, killed. */
const killed = ({ w, checkpoint }: RestoreStory, lifetime: number): Promise<DyingFileSystem> =>
  killedEngine(w, lifetime, { act: (engine) => engine.restore({ ref: checkpoint.id, scan: w.scan }) });

describe("a restore that is killed", () => {
  it("C3 at any step: Finish and Roll back give exactly the planned and exactly the former tree", async () => {
    const { w, checkpoint, then } = await newRestoreStory();
    const interrupted = await killRestoreAtEveryStep({
      w,
      kind: "restore",
      act: (engine) => engine.restore({ ref: checkpoint.id, scan: w.scan }),
      expectAfter: async (engine, how, former, planned) => {
        expect(planned).toEqual(then);
        expect((await engine.undoState()).undo !== null).toBe(how === "finish");
        if (how === "rollBack") return;
        await engine.undo(w.scan);
        expect(w.snapshot()).toEqual(former);
      },
    });
    expect(interrupted).toBeGreaterThan(30);
  }, 300_000);

  async function recovered({ w, former, then: planned }: RestoreStory, how: RecoveryKind, at: string): Promise<void> {
    w.engine = await w.another();
    const { kept } = await w.engine.recover(how, w.scan);
    expect({ at, how, kept, tree: w.snapshot() }).toEqual({
      at,
      how,
      kept: [],
      tree: how === "finish" ? planned : former,
    });
    expect(await w.engine.interrupted()).toBe(null);
    expect({ at, left: [...unfinished(w.folder), ...unfinished(w.storeRoot)] }).toEqual({ at, left: [] });
    expect((await w.engine.verify({ full: true })).problems).toEqual([]);
    const { undo } = await w.engine.undoState();
    expect({ at, how, canUndo: undo !== null }).toEqual({ at, how, canUndo: how === "finish" });
    if (how === "finish") {
      await w.undo();
      expect({ at, tree: w.snapshot() }).toEqual({ at, tree: former });
    }
    await w.engine.close();
  }

  it("C3 and killed again while it is finished or rolled back, as often as may be", async () => {
    const story = await newRestoreStory();
    const { w, former, then: planned } = story;
    const reset = keepStory(story);
    const { steps } = await killed(story, Number.POSITIVE_INFINITY);
    let again = 0;
    await withSeeds(40, async (random: Random) => {
      reset();
      await killed(story, random.below(steps.length));
      const pick = (): RecoveryKind => (random.chance(0.5) ? "finish" : "rollBack");
      w.engine = await w.another();
      const isInterrupted = (await w.engine.interrupted()) !== null;
      await w.engine.close();
      if (!isInterrupted) return;
      for (let i = random.below(3); i >= 0; i--) {
        const { isDead } = await killedEngine(w, random.below(40), { act: (engine) => engine.recover(pick(), w.scan) });
        if (isDead) again++;
        w.engine = await w.another();
        const goesOn = (await w.engine.interrupted()) !== null;
        await w.engine.close();
        if (!goesOn) {
          const now = JSON.stringify(w.snapshot());
          expect([former, planned].map((each) => JSON.stringify(each))).toContain(now);
          return;
        }
      }
      await recovered(story, pick(), "killed again");
    });
    expect(again).toBeGreaterThan(10);
  }, 300_000);

  it("C3 C4 another restore, or undo, needs no decision first, and nothing is lost by either", async () => {
    const story = await newRestoreStory();
    const { w, checkpoint, former, then: planned } = story;
    const reset = keepStory(story);
    const { steps } = await killed(story, Number.POSITIVE_INFINITY);
    for (let k = 0; k < steps.length; k += 7) {
      reset();
      await killed(story, k);
      const resetKilled = keepStory(story);
      w.engine = await w.another();
      const found = await w.engine.interrupted();
      if (found === null) {
        await w.engine.close();
        continue;
      }
      await w.undo();
      expect({ k, tree: w.snapshot() }).toEqual({ k, tree: former });
      await w.engine.close();
      resetKilled();
      w.engine = await w.another();
      await w.restore(checkpoint);
      expect({ k, tree: w.snapshot() }).toEqual({ k, tree: planned });
      expect(await w.engine.interrupted()).toBe(null);
      // One, if the killed restore had come so far that there was nothing left to do.
      while ((await w.engine.undoState()).undo !== null) await w.undo();
      expect({ k, tree: w.snapshot() }).toEqual({ k, tree: former });
      expect([...unfinished(w.folder), ...unfinished(w.storeRoot)]).toEqual([]);
      await w.engine.close();
    }
  }, 300_000);
});
