import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import type { RecoveryKind } from "../../../src/shared/restores";
import { DyingFileSystem, isChange } from "../../support/dyingFileSystem";
import { type Random, withSeeds } from "../../support/seeded";
import type { Snapshot } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace, unfinished } from "../../support/testEngine";
import { file, folder, link, type TreeLiteral } from "../../support/treeLiteral";

const LARGE = randomBytes(3 << 20);

/** Everything that a restore can have to do. */
const THEN: TreeLiteral = {
  ".gitignore": "nothing\n",
  // A scan will not see it until the ignore file is restored.
  ignored: randomBytes(2 << 20),
  changed: "then",
  mode: file("same", 0o755),
  gone: "comes back",
  large: LARGE,
  folder: { "was a file": "now", deeper: { x: "1" } },
  "was a folder": "file then",
  link: link("then"),
  closed: folder({ inside: "then", inner: folder({ y: "then" }, 0o500) }, 0o555),
  empty: {},
};

interface Story {
  readonly w: TestWorkspace;
  readonly checkpoint: Checkpoint;
  readonly former: Snapshot;
  readonly planned: Snapshot;
}

/** A workspace that a restore of `checkpoint` will change in every way. */
async function newStory(): Promise<Story> {
  const w = await openTestEngine(THEN, { housekeeping: { idleMs: 0 } });
  w.checkAfterwards = false;
  const checkpoint = await w.checkpoint();
  const planned = w.snapshot();
  for (const path of ["gone", "large", "ignored", "folder", "was a folder", "link", "empty"])
    fs.rmSync(w.path(path), { recursive: true });
  w.write(".gitignore", "ignored\n");
  w.write("changed", "now");
  fs.chmodSync(w.path("mode"), 0o644);
  w.write("folder", "a file now");
  fs.mkdirSync(w.path("was a folder/d"), { recursive: true });
  w.write("was a folder/d/z", "folder now");
  fs.symlinkSync("now", w.path("link"));
  w.write("closed/inside", "now");
  w.write("closed/inner/y", "now");
  w.write("new", "made since");
  await w.engine.close();
  return { w, checkpoint, former: w.snapshot(), planned };
}

/** Workspace and store can be put back to where they are now, as often as wanted. */
function keepState({ w }: Story): () => void {
  const kept = tempFolder("kept");
  const parts = [w.folder, w.storeRoot];
  const copy = (from: string, to: string): void => {
    fs.rmSync(to, { recursive: true, force: true });
    fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  };
  for (const [i, part] of parts.entries()) copy(part, `${kept}/${i}`);
  return () => {
    for (const [i, part] of parts.entries()) copy(`${kept}/${i}`, part);
  };
}

/** The lock of a process that is dead; ours lives on. */
function dropLock({ store }: TestWorkspace): void {
  fs.rmSync(`${store}/locks`, { recursive: true, force: true });
}

async function killed(
  w: TestWorkspace,
  lifetime: number,
  act: (w: TestWorkspace) => Promise<unknown>,
): Promise<DyingFileSystem> {
  const disk = new DyingFileSystem(lifetime, (call) => !call.path.includes("/locks") && isChange(call));
  w.engine = await w.another({ fs: disk.fs });
  const failure = await act(w).then(
    () => undefined,
    (error: unknown) => error,
  );
  await w.engine.close();
  dropLock(w);
  if (!disk.isDead && failure !== undefined) throw failure;
  return disk;
}

describe("a restore that is killed", () => {
  it("C3 at any step: Finish and Roll back give exactly the planned and exactly the former tree", async () => {
    const story = await newStory();
    const { w, checkpoint, former, planned } = story;
    const reset = keepState(story);
    const all = await killed(w, Number.POSITIVE_INFINITY, () => w.restore(checkpoint));
    expect(w.snapshot()).toEqual(planned);
    let interrupted = 0;
    for (let k = 0; k < all.steps.length; k++) {
      reset();
      const { isDead } = await killed(w, k, () => w.restore(checkpoint));
      const at = `killed at ${k}: ${all.steps[k]?.method} ${all.steps[k]?.path}`;
      expect({ at, isDead }).toEqual({ at, isDead: true });
      w.engine = await w.another();
      const found = await w.engine.interrupted();
      if (found === null) {
        // Before the first change of the workspace, or after the last.
        const now = JSON.stringify(w.snapshot());
        expect({ at, isWhole: [former, planned].some((each) => JSON.stringify(each) === now) }).toEqual({
          at,
          isWhole: true,
        });
        expect((await w.engine.verify({ full: true })).ok).toBe(true);
        await w.engine.close();
        continue;
      }
      interrupted++;
      expect(found).toMatchObject({ kind: "restore", checkpointId: checkpoint.id });
      await w.engine.close();
      const resetKilled = keepState(story);
      for (const how of ["finish", "rollBack"] as const) {
        resetKilled();
        await recovered(story, how, at);
      }
    }
    expect(interrupted).toBeGreaterThan(30);
  }, 300_000);

  async function recovered({ w, former, planned }: Story, how: RecoveryKind, at: string): Promise<void> {
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
    const story = await newStory();
    const { w, checkpoint, former, planned } = story;
    const reset = keepState(story);
    const { steps } = await killed(w, Number.POSITIVE_INFINITY, () => w.restore(checkpoint));
    let again = 0;
    await withSeeds(40, async (random: Random) => {
      reset();
      await killed(w, random.below(steps.length), () => w.restore(checkpoint));
      const pick = (): RecoveryKind => (random.chance(0.5) ? "finish" : "rollBack");
      w.engine = await w.another();
      const isInterrupted = (await w.engine.interrupted()) !== null;
      await w.engine.close();
      if (!isInterrupted) return;
      for (let i = random.below(3); i >= 0; i--) {
        const { isDead } = await killed(w, random.below(40), () => w.engine.recover(pick(), w.scan));
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
    const story = await newStory();
    const { w, checkpoint, former, planned } = story;
    const reset = keepState(story);
    const { steps } = await killed(w, Number.POSITIVE_INFINITY, () => w.restore(checkpoint));
    for (let k = 0; k < steps.length; k += 7) {
      reset();
      await killed(w, k, () => w.restore(checkpoint));
      const resetKilled = keepState(story);
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
      await w.undo();
      await w.undo();
      expect({ k, tree: w.snapshot() }).toEqual({ k, tree: former });
      expect([...unfinished(w.folder), ...unfinished(w.storeRoot)]).toEqual([]);
      await w.engine.close();
    }
  }, 300_000);
});
