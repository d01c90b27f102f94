import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/core/engine";
import type { FileSystem } from "../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import { CheckpointError, type ErrorCode } from "../../src/shared/errors";
import type { RestoreResult } from "../../src/shared/restores";
import type { SaveResult } from "../../src/shared/saves";
import { checkpointContents } from "../support/checkpointContents";
import { UNSYNCED } from "../support/dyingFileSystem";
import { keepState } from "../support/keptState";
import type { Snapshot } from "../support/snapshotTree";
import { openTestEngine, type TestWorkspace, unfinished } from "../support/testEngine";
import { link } from "../support/treeLiteral";
import { errno, WatchedFileSystem } from "../support/watchedFileSystem";

/** What a person is told of each fault; "safety-failed" where it is the saving before a restore that failed. */
const TOLD: Readonly<Record<string, readonly ErrorCode[]>> = {
  ENOSPC: ["disk-full"],
  EACCES: ["access-denied"],
  EROFS: ["access-denied"],
  EIO: ["io"],
  EMFILE: ["io"],
  EBUSY: ["io"],
};
const FAULTS = Object.keys(TOLD);
const METHODS = (Object.keys(nodeFileSystem) as (keyof FileSystem)[]).filter(
  (method) => method !== "tellsListingChanges" && method !== "pause",
);
/** Of the calls of one method so many fail, evenly spread. */
const SAMPLES = 10;
/** Each of them with so many of the faults, in turn. */
const FAULTS_PER_CALL = 2;

interface Work {
  readonly act: (w: TestWorkspace, engine: Engine) => Promise<unknown>;
  /** What the workspace is to be in the end. Absent: as before. */
  readonly planned?: Snapshot;
}

interface Story {
  readonly w: TestWorkspace;
  readonly then: Snapshot;
  readonly now: Snapshot;
}

async function newStory(): Promise<Story> {
  const w = await openTestEngine(
    {
      same: "same",
      changed: "then",
      gone: "then",
      large: randomBytes(1_100_000),
      link: link("then"),
      dir: { inner: { x: "then" }, "was a file": "then" },
      swap: "file then",
    },
    { fs: UNSYNCED, housekeeping: { idleMs: 0 } },
  );
  w.checkAfterwards = false;
  await w.checkpoint();
  const then = w.snapshot();
  w.write("changed", "now");
  for (const name of ["gone", "link", "swap", "large"]) fs.rmSync(w.path(name));
  w.write("large", randomBytes(1_200_000));
  fs.symlinkSync("now", w.path("link"));
  fs.mkdirSync(w.path("swap"));
  w.write("swap/inside", "now");
  w.write("dir/inner/x", "now");
  await w.checkpoint();
  w.write("new", "not saved yet");
  w.write("changed", "not saved yet");
  return { w, then, now: w.snapshot() };
}

describe("a fault at any call of the file system", () => {
  it("C12 C21 while saving", async () => {
    const story = await newStory();
    await atEachCall(story, {
      act: async (w, engine) => {
        const saved = await engine.save({ kind: "manual", trigger: "manual", scan: w.scan });
        await expectHonest(engine, saved, story.now);
      },
    });
  }, 900_000);

  it("C12 C21 while restoring", async () => {
    const story = await newStory();
    await atEachCall(story, {
      act: (w, engine) => engine.restore({ ref: "1", scan: w.scan }),
      planned: story.then,
    });
  }, 900_000);

  it("C12 C21 while undoing", async () => {
    const story = await newStory();
    await story.w.restore("1");
    await atEachCall({ ...story, now: story.then }, { act: (w, engine) => engine.undo(w.scan), planned: story.now });
  }, 900_000);

  it("C12 C21 while deleting, freeing, verifying and opening", async () => {
    const story = await newStory();
    await story.w.checkpoint();
    await atEachCall(story, {
      act: async (_, engine) => {
        const left = (await engine.list()).find(({ number }) => number === 2);
        // Deleted the first time, though not all of it was freed.
        if (left !== undefined) await engine.delete(["2"]);
        await engine.gc();
      },
    });
    await atEachCall(story, {
      act: async (_, engine) => {
        const { ok, problems, damaged } = await engine.verify({ full: true });
        // What could not be read is named; nothing is wrong with it.
        expect(ok).toBe(problems.length + damaged.length === 0);
        for (const { message } of problems) expectForPeople(message);
      },
    });
  }, 900_000);
});

/** An engine with a fault at one call of one method, for each; answers how many faults there were. */
async function atEachCall({ w, then, now }: Story, { act, planned = now }: Work): Promise<void> {
  await w.engine.close();
  const reset = keepState([w.folder, w.storeRoot]);
  const counts = await countCalls(w, act);
  expect(w.snapshot()).toEqual(planned);
  let faults = 0;
  let failed = 0;
  for (const method of METHODS) {
    const count = counts.get(method) ?? 0;
    const samples = Math.min(count, SAMPLES);
    for (let i = 0; i < samples * FAULTS_PER_CALL; i++) {
      const fault = FAULTS[(i + (i >= samples ? 3 : 0)) % FAULTS.length] ?? "";
      const k = Math.floor(((i % samples) * count) / samples) + 1;
      reset();
      const at = `${fault} at call ${k} of ${count} of ${method}`;
      try {
        faults++;
        if (await oneFault(w, act, method, k, fault, { then, now, planned })) failed++;
      } catch (error) {
        if (error instanceof Error) error.message = `${at}: ${error.message}`;
        throw error;
      }
    }
  }
  console.info(`${expect.getState().currentTestName}: ${faults} faults, ${failed} of them told as an error`);
  expect(failed).toBeGreaterThan(20);
  reset();
  w.engine = await w.another();
}

async function countCalls(w: TestWorkspace, act: Work["act"]): Promise<Map<keyof FileSystem, number>> {
  const counts = new Map<keyof FileSystem, number>();
  const disk = new WatchedFileSystem(({ method }) => {
    counts.set(method, (counts.get(method) ?? 0) + 1);
  }, UNSYNCED);
  const engine = await w.another({ fs: disk.fs });
  await act(w, engine);
  await engine.close();
  return counts;
}

/** True: it was told as an error. */
async function oneFault(
  w: TestWorkspace,
  act: Work["act"],
  method: keyof FileSystem,
  k: number,
  fault: string,
  { then, now, planned }: { then: Snapshot; now: Snapshot; planned: Snapshot },
): Promise<boolean> {
  let count = 0;
  let where = "";
  const disk = new WatchedFileSystem((call) => {
    if (call.method !== method || ++count !== k) return;
    where = call.path;
    // The descriptor is gone whatever close(2) says.
    if (method === "close") nodeFileSystem.close(call.args[0] as number);
    throw errno(fault, call.path);
  }, UNSYNCED);
  let failure: unknown;
  let answer: unknown;
  try {
    const engine = await w.another({ fs: disk.fs });
    try {
      answer = await act(w, engine);
    } catch (error) {
      failure = error;
    }
    await engine.close();
  } catch (error) {
    failure ??= error;
  }
  disk.hook = () => {};
  // A folder whose real path cannot be told is none that can be worked on.
  if (failure !== undefined) expectTold(failure, fault, where, method === "realpath" ? ["workspace-missing"] : []);
  expect({ where, open: method === "close" ? [] : disk.openPaths }).toEqual({ where, open: [] });

  const engine = await w.another({ lockTimeoutMs: 0 });
  try {
    expect(await engine.verify({ full: true })).toMatchObject({ ok: true, problems: [], damaged: [] });
    expectWhole(w.snapshot(), [then, now, planned]);
    const isLeft = (await engine.interrupted()) !== null;
    if (failure !== undefined && !isLeft) {
      expect({ where, tree: w.snapshot() }).toEqual({ where, tree: now });
      await act(w, engine);
    } else if (isLeft) {
      expect((await engine.recover("finish", w.scan)).kept).toEqual([]);
    } else if (((answer as Partial<RestoreResult> | undefined)?.kept ?? []).length > 0) {
      for (const { reason } of (answer as RestoreResult).kept) expectForPeople(reason);
      // What was left alone and why was said; the rest was done. Once more for the whole.
      await engine.restore({ ref: (answer as RestoreResult).checkpoint.id, scan: w.scan });
      if (planned === now) return false;
    }
    if (failure !== undefined || isLeft) expect({ where, tree: w.snapshot() }).toEqual({ where, tree: planned });
    else expectWhole(w.snapshot(), [then, now, planned]);
    await engine.pin("1", true);
    const left = [...unfinished(w.folder), ...unfinished(w.storeRoot)];
    expect({ where, left }).toEqual({ where, left: [] });
  } finally {
    await engine.close();
  }
  return failure !== undefined;
}

/** Whatever is at a path was there in one of these states; folders that are being changed may be open for it. */
function expectWhole(tree: Snapshot, states: readonly Snapshot[]): void {
  for (const [path, entry] of Object.entries(tree)) {
    const known = states.map((state) => state[path]);
    expect(known, path).toContain(entry);
  }
}

function expectTold(error: unknown, fault: string, where: string, besides: readonly ErrorCode[]): void {
  if (!CheckpointError.is(error)) throw error;
  const { code, message } = error;
  const told = [...(TOLD[fault] ?? []), "safety-failed", ...besides];
  expect({ where, code, message, told: told.includes(code) }).toEqual({ where, code, message, told: true });
  expectForPeople(message);
}

function expectForPeople(message: string): void {
  expect(message).not.toMatch(/\n|\bat .*:\d+:\d+|undefined|\[object/);
  expect(message.length).toBeGreaterThan(10);
}

/** Everything that was not named as left out is there as it was. */
async function expectHonest(engine: Engine, { checkpoint, skipped }: SaveResult, now: Snapshot): Promise<void> {
  const contents = await checkpointContents(engine, checkpoint?.id ?? "none");
  const isLeftOut = (path: string): boolean =>
    skipped.some((each) => path === each.path || path.startsWith(`${each.path}/`));
  for (const { message } of skipped) expectForPeople(message);
  expect(contents).toEqual(Object.fromEntries(Object.entries(now).filter(([path]) => !isLeftOut(path))));
}
