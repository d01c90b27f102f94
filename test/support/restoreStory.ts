/** A restore that has everything to do that a restore can have, to be killed on its way. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { expect } from "vitest";
import type { Engine } from "../../src/core/engine";
import type { Checkpoint } from "../../src/shared/checkpoints";
import type { RecoveryKind } from "../../src/shared/restores";
import { UNSYNCED } from "./dyingFileSystem";
import { keepState } from "./keptState";
import { killedEngine } from "./killedEngine";
import type { Snapshot } from "./snapshotTree";
import { openTestEngine, type TestWorkspace, unfinished } from "./testEngine";
import { file, folder, link, type TreeLiteral } from "./treeLiteral";

const LARGE = randomBytes(3 << 20);

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

export interface RestoreStory {
  readonly w: TestWorkspace;
  readonly checkpoint: Checkpoint;
  /** What is there now. */
  readonly former: Snapshot;
  /** What was there when the checkpoint was made. */
  readonly then: Snapshot;
}

/** A workspace that a restore of `checkpoint` will change in every way. No engine is open. */
export async function newRestoreStory(): Promise<RestoreStory> {
  const w = await openTestEngine(THEN, { fs: UNSYNCED, housekeeping: { idleMs: 0 } });
  w.checkAfterwards = false;
  const checkpoint = await w.checkpoint();
  const then = w.snapshot();
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
  return { w, checkpoint, former: w.snapshot(), then };
}

/** Workspace and store can be put back to where they are now, as often as wanted. */
export const keepStory = ({ w }: Pick<RestoreStory, "w">): (() => void) => keepState([w.folder, w.storeRoot]);

export interface RestoreKills {
  readonly w: TestWorkspace;
  readonly act: (engine: Engine) => Promise<unknown>;
  readonly kind: "restore" | "undo" | "redo";
  /** How the engine and the workspace (snapshots of it) are after it was finished, or taken back. */
  readonly expectAfter: (engine: Engine, how: RecoveryKind, former: Snapshot, planned: Snapshot) => Promise<void>;
}

/**
 * Kills `act` in place of each of its steps. Before the journal: nothing was touched. With it: Finish gives exactly what
 * a run that got through gives, Roll back what was there before. Answers how often it was left to be recovered.
 */
export async function killRestoreAtEveryStep(kills: RestoreKills): Promise<number> {
  const { w, act, kind } = kills;
  const former = w.snapshot();
  const reset = keepStory({ w });
  const rowsBefore = await rowsOf(w);
  const { steps } = await killedEngine(w, Number.POSITIVE_INFINITY, { act });
  const planned = w.snapshot();
  expect(planned).not.toEqual(former);
  let interrupted = 0;
  for (let k = 0; k < steps.length; k++) {
    reset();
    const { isDead } = await killedEngine(w, k, { act });
    const at = `killed at ${k} of ${steps.length}: ${steps[k]?.method} ${steps[k]?.path}`;
    expect({ at, isDead }).toEqual({ at, isDead: true });
    const found = await using(w, async (engine) => {
      const answer = await engine.interrupted();
      expect({ at, ...(await engine.verify({ full: true })) }).toMatchObject({ at, ok: true });
      return answer;
    });
    expect((await rowsOf(w)).slice(-rowsBefore.length)).toEqual(rowsBefore);
    if (found === null) {
      // Before the first change of the workspace, or after the last.
      const isWhole = [former, planned].some((each) => JSON.stringify(each) === JSON.stringify(w.snapshot()));
      expect({ at, isWhole }).toEqual({ at, isWhole: true });
      continue;
    }
    interrupted++;
    expect(found).toMatchObject({ kind });
    const resetKilled = keepStory({ w });
    for (const how of ["finish", "rollBack"] as const) {
      resetKilled();
      await using(w, async (engine) => {
        const { kept } = await engine.recover(how, w.scan);
        expect({ at, how, kept, tree: w.snapshot() }).toEqual({
          at,
          how,
          kept: [],
          tree: how === "finish" ? planned : former,
        });
        expect(await engine.interrupted()).toBe(null);
        expect({ at, left: [...unfinished(w.folder), ...unfinished(w.storeRoot)] }).toEqual({ at, left: [] });
        expect((await engine.verify({ full: true })).problems).toEqual([]);
        try {
          await kills.expectAfter(engine, how, former, planned);
        } catch (error) {
          if (error instanceof Error) error.message = `${at}, ${how}: ${error.message}`;
          throw error;
        }
      });
    }
  }
  return interrupted;
}

const rowsOf = (w: TestWorkspace): Promise<readonly Checkpoint[]> => using(w, (engine) => engine.list());

async function using<T>(w: TestWorkspace, look: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await w.another({ lockTimeoutMs: 0 });
  try {
    return await look(engine);
  } finally {
    await engine.close();
  }
}
