/** Real processes, really killed. CHECKPOINT_TEST_KILLS says how often (default 500). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/core/engine";
import { bundleProgram } from "../support/bundledProgram";
import { UNSYNCED } from "../support/dyingFileSystem";
import { randomTree } from "../support/randomTree";
import { Random } from "../support/seeded";
import { tempFolder } from "../support/tempFolders";
import { openTestEngine, SQL_WASM, type TestWorkspace, unfinished } from "../support/testEngine";
import { digestOf, readStory, tell } from "./victimLog";

const KILLS = Number(process.env.CHECKPOINT_TEST_KILLS ?? 500);
/** A life is at most this long, counted from its beginning (the process alone takes some 80 ms) or from its first work. */
const LONGEST_LIFE_MS = 400;

interface Counts {
  kills: number;
  takenOver: number;
  restores: number;
  interrupted: number;
  saves: number;
}

describe("a process that is killed at a random moment", () => {
  it(`C3 C11 of anything it may be at, ${KILLS} times: nothing that was answered is lost`, async () => {
    const seed = Number(process.env.CHECKPOINT_TEST_SEED ?? Date.now() % 2 ** 31);
    const random = new Random(seed);
    const programs = tempFolder("victim");
    const victim = await bundleProgram("test/crash/victim.ts", `${programs}/victim.cjs`);
    // A copy: another test run may be building anew.
    const sqlWasm = `${programs}/sql-wasm.wasm`;
    fs.copyFileSync(SQL_WASM, sqlWasm);
    const log = `${programs}/log`;
    const w = await openTestEngine({}, { fs: UNSYNCED, housekeeping: { idleMs: 0 }, lockTimeoutMs: 0 });
    await w.engine.close();
    randomTree(random, w.folder, 40);
    tell(log, { said: "settled", tree: digestOf(w.folder) });
    const counts: Counts = { kills: 0, takenOver: 0, restores: 0, interrupted: 0, saves: 0 };
    try {
      for (; counts.kills < KILLS; counts.kills++) {
        await liveAndDie(victim, [w.folder, w.storeRoot, log, String(seed + counts.kills), sqlWasm], random);
        await expectNothingLost(w, log, random, counts);
      }
      await expectEachRestorable(w, log);
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${seed}, kill ${counts.kills}: ${error.message}`;
      throw error;
    }
    console.info(`seed ${seed}: ${JSON.stringify({ ...counts, ...tally(log) })}`);
    // So often it is hardly chance if nothing of it happened.
    if (KILLS >= 100)
      expect(Math.min(counts.takenOver, counts.restores, counts.interrupted, counts.saves)).toBeGreaterThan(0);
    w.engine = await w.another();
  }, 3_600_000);
});

/** Answers when the process is dead. */
async function liveAndDie(program: string, args: readonly string[], random: Random): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += String(chunk);
  });
  // Most die at work, some on the way there.
  if (random.chance(0.9)) await Promise.race([once(child.stdout, "data"), ended]);
  await new Promise((resolve) => setTimeout(resolve, random.below(LONGEST_LIFE_MS)));
  child.kill("SIGKILL");
  const [, signal] = await ended;
  expect({ signal, said, wrong: readStory(args[2] ?? "").wrong }).toEqual({ signal: "SIGKILL", said: "", wrong: [] });
}

async function expectNothingLost(w: TestWorkspace, log: string, random: Random, counts: Counts): Promise<void> {
  const { checkpoints, going, last, wrong } = readStory(log);
  expect(wrong).toEqual([]);
  const isStore = fs.existsSync(`${w.storeRoot}/stores`);
  if (isStore && fs.existsSync(`${w.store}/locks/project.lock`)) counts.takenOver++;
  const engine = await w.another();
  try {
    expect(await engine.verify({ full: true })).toMatchObject({ ok: true, problems: [], damaged: [] });
    const rows = new Map((await engine.list()).map((row) => [row.id, row]));
    for (const { id, rootTree } of checkpoints.values())
      if (!going.has(id)) expect({ id, rootTree: rows.get(id)?.rootTree }).toEqual({ id, rootTree });
    await expectWorkspace(engine, w, log, random, counts);
    if (last?.said === "saving") counts.saves++;
    if (last?.said === "deleting") {
      const gone = last.ids.filter((id) => !rows.has(id));
      expect([0, new Set(last.ids).size]).toContain(new Set(gone).size);
      const tree = digestOf(w.folder);
      if (gone.length > 0) tell(log, { said: "deleted", ids: last.ids, tree });
    }
  } finally {
    await engine.close();
  }
}

/** As the victim was told, or as it was to be; then whoever holds the lock clears up without having waited for it. */
async function expectWorkspace(
  engine: Engine,
  w: TestWorkspace,
  log: string,
  random: Random,
  counts: Counts,
): Promise<void> {
  const { last } = readStory(log);
  const interrupted = await engine.interrupted();
  if (last?.said === "restoring") {
    counts.restores++;
    if (interrupted === null) expect([last.former, last.planned]).toContain(digestOf(w.folder));
    else {
      counts.interrupted++;
      // The next victim decides.
      if (random.chance(0.3)) return;
      const how = random.chance(0.5) ? "finish" : "rollBack";
      expect((await engine.recover(how, w.scan)).kept).toEqual([]);
      expect({ how, tree: digestOf(w.folder) }).toEqual({ how, tree: how === "finish" ? last.planned : last.former });
    }
  } else {
    expect(interrupted).toBe(null);
    if (last !== undefined && "tree" in last) expect(digestOf(w.folder)).toBe(last.tree);
  }
  const tree = digestOf(w.folder);
  const { checkpoint } = await engine.save({ kind: "manual", trigger: "manual", scan: w.scan });
  expect([...unfinished(w.folder), ...unfinished(w.storeRoot)]).toEqual([]);
  if (checkpoint === null) throw new Error("no checkpoint");
  tell(log, { said: "saved", id: checkpoint.id, rootTree: checkpoint.rootTree, contents: tree, tree });
}

async function expectEachRestorable(w: TestWorkspace, log: string): Promise<void> {
  const { checkpoints } = readStory(log);
  const engine = await w.another();
  try {
    // The last victim may have been left in the middle of a restore.
    if ((await engine.interrupted()) !== null) await engine.recover("finish", w.scan);
    expect(checkpoints.size).toBeGreaterThan(0);
    for (const { id, contents } of checkpoints.values()) {
      await engine.restore({ ref: id, scan: w.scan, safety: false });
      expect({ id, contents: digestOf(w.folder) }).toEqual({ id, contents });
    }
    await engine.gc();
    expect(await engine.gc()).toMatchObject({ deadObjects: 0, removedPacks: 0, rewrittenPacks: 0 });
  } finally {
    await engine.close();
  }
}

function tally(log: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, said] of fs.readFileSync(log, "utf8").matchAll(/^\{"said":"(\w+)"/gm))
    counts[said ?? ""] = (counts[said ?? ""] ?? 0) + 1;
  return counts;
}
