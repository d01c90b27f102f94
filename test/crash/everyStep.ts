/**
 * Kills an engine in place of each of its steps, one run after the other, and looks each time at what is left: that
 * nothing which was there before is lost, and that whatever is done next needs no help.
 */
import * as fs from "node:fs";
import { expect } from "vitest";
import type { Engine } from "../../src/core/engine";
import type { Checkpoint } from "../../src/shared/checkpoints";
import { checkpointContents } from "../support/checkpointContents";
import { UNSYNCED } from "../support/dyingFileSystem";
import { keepState } from "../support/keptState";
import { type KilledWork, killedEngine } from "../support/killedEngine";
import type { Snapshot } from "../support/snapshotTree";
import { type TestWorkspace, unfinished } from "../support/testEngine";
import type { Call } from "../support/watchedFileSystem";

export interface KillStory extends KilledWork {
  readonly w: TestWorkspace;
  /** Checkpoints that the work is to delete. */
  readonly mayGo?: ReadonlySet<string>;
  /** How a checkpoint may look afterwards, if not as before. */
  readonly mayBecome?: (row: Checkpoint) => Checkpoint;
  /** Of the steps of a whole run: those to be killed at. Absent: all. */
  readonly kills?: (steps: readonly Call[]) => number[];
  /** What is true of a run that got through. */
  readonly whenThrough?: (engine: Engine) => Promise<void>;
}

interface Known {
  readonly row: Checkpoint;
  readonly contents: Snapshot;
}

/** Answers how often it was killed. Only the store is put back between runs: the work leaves the workspace alone. */
export async function killAtEveryStep(story: KillStory): Promise<number> {
  const { w } = story;
  await w.engine.close();
  const reset = keepState([w.storeRoot]);
  const workspace = w.snapshot();
  const earlier = await inspect(w, (engine) => readAll(engine));
  const { steps } = await killedEngine(w, Number.POSITIVE_INFINITY, story);
  await inspect(w, async (engine) => story.whenThrough?.(engine));
  const kills = story.kills?.(steps) ?? steps.map((_, k) => k);
  expect(kills.length).toBeGreaterThan(0);
  for (const k of kills) {
    reset();
    const { isDead } = await killedEngine(w, k, story);
    const at = `killed at ${k} of ${steps.length}: ${steps[k]?.method} ${steps[k]?.path}`;
    expect({ at, isDead }).toEqual({ at, isDead: true });
    try {
      await inspect(w, (engine) => expectNothingLost(engine, story, earlier, workspace));
      await inspect(w, (engine) => expectUsable(engine, story, k));
    } catch (error) {
      if (error instanceof Error) error.message = `${at}: ${error.message}`;
      throw error;
    }
    expect({ at, tree: w.snapshot() }).toEqual({ at, tree: workspace });
  }
  w.engine = await w.another();
  return kills.length;
}

async function inspect<T>(w: TestWorkspace, look: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await w.another({ fs: UNSYNCED, housekeeping: { idleMs: 0 }, lockTimeoutMs: 0 });
  try {
    return await look(engine);
  } finally {
    await engine.close();
  }
}

async function readAll(engine: Engine): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  for (const row of await engine.list()) known.set(row.id, { row, contents: await checkpointContents(engine, row.id) });
  return known;
}

/** Before anything else is done: what was there is there, and what is new is whole. */
async function expectNothingLost(
  engine: Engine,
  { mayGo = new Set(), mayBecome }: KillStory,
  earlier: ReadonlyMap<string, Known>,
  workspace: Snapshot,
): Promise<void> {
  expect(await engine.verify({ full: true })).toMatchObject({ ok: true, problems: [], damaged: [] });
  const now = await readAll(engine);
  const gone = [...earlier.keys()].filter((id) => !now.has(id));
  expect(gone.filter((id) => !mayGo.has(id))).toEqual([]);
  // All that were to go, or none.
  if (gone.length > 0) expect(gone.length).toBe(mayGo.size);
  for (const [id, { row, contents }] of now) {
    const before = earlier.get(id);
    expect(contents).toEqual(before?.contents ?? workspace);
    if (before === undefined || gone.length > 0) continue;
    const allowed = [before.row, ...(mayBecome === undefined ? [] : [mayBecome(before.row)])];
    expect(allowed).toContainEqual(row);
  }
}

/** Each command works, whichever comes first; after the first, nothing unfinished lies about. */
async function expectUsable(engine: Engine, { w }: KillStory, k: number): Promise<void> {
  const commands = [save, restoreAndUndo, gc, deleteNewest];
  for (let i = 0; i < commands.length; i++) {
    await commands[(k + i) % commands.length]?.(engine, w);
    expect([...unfinished(w.folder), ...unfinished(w.storeRoot)]).toEqual([]);
  }
  expect(await engine.interrupted()).toBe(null);
  expect(await engine.verify({ full: true })).toMatchObject({ ok: true, problems: [], damaged: [] });
}

async function save(engine: Engine, w: TestWorkspace): Promise<void> {
  const { checkpoint, skipped } = await engine.save({ kind: "manual", trigger: "manual", scan: w.scan });
  expect(skipped).toEqual([]);
  expect(await checkpointContents(engine, checkpoint?.id ?? "none")).toEqual(w.snapshot());
}

async function restoreAndUndo(engine: Engine, w: TestWorkspace): Promise<void> {
  const before = w.snapshot();
  const oldest = (await engine.list()).at(-1);
  if (oldest === undefined) return save(engine, w);
  const { kept, changes } = await engine.restore({ ref: oldest.id, scan: w.scan });
  expect(kept).toEqual([]);
  expect(w.snapshot()).toEqual(await checkpointContents(engine, oldest.id));
  if (changes.length > 0) await engine.undo(w.scan);
  expect(w.snapshot()).toEqual(before);
}

/** What a killed process left of no use to anybody goes, all of it, at once. */
async function gc(engine: Engine, w: TestWorkspace): Promise<void> {
  await engine.gc();
  expect(await engine.gc()).toMatchObject({ deadObjects: 0, freedBytes: 0, removedPacks: 0, rewrittenPacks: 0 });
  if ((await engine.undoState()).undo !== null || (await engine.undoState()).redo !== null) return;
  const used = new Set<string>();
  for (const { id, rootTree } of await engine.list()) {
    used.add(rootTree);
    await collectHashes(engine, id, "", used);
  }
  // An undo stack names trees of its own; here there is none.
  expect((await engine.stats()).objects).toBe(used.size);
  // Of a workspace without a store none is made.
  if ((await engine.list()).length === 0) return;
  const lone = ["packs", "trees"].flatMap((folder) =>
    fs.readdirSync(`${w.store}/${folder}`).filter((name) => !/^pack-[0-9a-f]{16}\.(dat|idx|dat\.p.*)$/.test(name)),
  );
  expect(lone).toEqual([]);
}

async function collectHashes(engine: Engine, ref: string, folder: string, into: Set<string>): Promise<void> {
  for (const { name, type, hash } of await engine.readDirectory(ref, folder)) {
    into.add(hash);
    if (type === "directory") await collectHashes(engine, ref, folder === "" ? name : `${folder}/${name}`, into);
  }
}

async function deleteNewest(engine: Engine, w: TestWorkspace): Promise<void> {
  // There is one to be deleted, and one that stays, in any case.
  for (const name of ["stays", "goes"]) await engine.save({ kind: "manual", trigger: "manual", scan: w.scan, name });
  const [newest, ...others] = await engine.list();
  if (newest === undefined) throw new Error("no checkpoint");
  await engine.delete([newest.id]);
  expect((await engine.list()).map(({ id }) => id)).toEqual(others.map(({ id }) => id));
}
