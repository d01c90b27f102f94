/** The command line as people run it, killed. CHECKPOINT_TEST_CLI_KILLS says how often (default 40). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { keepState } from "../support/keptState";
import { killedEngine } from "../support/killedEngine";
import { Random } from "../support/seeded";
import { tempFolder } from "../support/tempFolders";
import { CLI_SCRIPT, openTestEngine, type TestWorkspace, unfinished } from "../support/testEngine";
import type { Call } from "../support/watchedFileSystem";
import { digestOf } from "./victimLog";

const KILLS = Number(process.env.CHECKPOINT_TEST_CLI_KILLS ?? 40);
/** Enough for lanes (see laneWork.ts). */
const FILES = 3_000;

/** Programs of their own: another test run may be building anew. */
function copyPrograms(): string {
  const folder = tempFolder("programs");
  fs.cpSync(dirname(CLI_SCRIPT), folder, { recursive: true });
  return `${folder}/cli.js`;
}

function fill(w: TestWorkspace, random: Random): void {
  for (let i = 0; i < FILES; i++) {
    const folder = w.path(`folder ${i % 30}`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(`${folder}/file ${i}`, random.bytes(random.below(4_000), 0.02));
  }
}

function changeMany(w: TestWorkspace, random: Random): void {
  for (let i = 0; i < FILES; i++) {
    const path = w.path(`folder ${i % 30}`, `file ${i}`);
    if (random.chance(0.8)) fs.writeFileSync(path, random.bytes(random.below(4_000), 0.02));
    else if (random.chance(0.5)) fs.rmSync(path, { force: true });
  }
}

describe("the command line, killed at a random moment", () => {
  it(`C3 in a save, a restore or freeing of ${FILES} files, ${KILLS} times`, async () => {
    const seed = Number(process.env.CHECKPOINT_TEST_SEED ?? Date.now() % 2 ** 31);
    const random = new Random(seed);
    const cli = copyPrograms();
    const w = await openTestEngine({}, { housekeeping: { idleMs: 0 }, lockTimeoutMs: 0 });
    fill(w, random);
    const { id: first } = await w.checkpoint();
    const then = digestOf(w.folder);
    // To be freed: what two checkpoints alone held, one of them in packs of its own.
    changeMany(w, random);
    await w.checkpoint();
    changeMany(w, random);
    await w.checkpoint({ name: "kept" });
    changeMany(w, random);
    const former = digestOf(w.folder);
    await w.engine.close();
    // Deleted, and killed before anything was freed.
    const isFreeing = ({ method, path }: Call): boolean => method === "unlink" && path.endsWith(".dat");
    await killedEngine(w, 0, { act: (engine) => engine.delete(["2"]), isStep: isFreeing });
    // Whose lock that was lives on: here it is known to be over.
    w.engine = await w.another();
    await w.engine.pin("latest", true);
    await w.engine.close();
    const known = await rowsOf(w);
    const reset = keepState([w.folder, w.storeRoot]);

    const run = async (argv: readonly string[], dieAfterMs?: number): Promise<boolean> => {
      const child = spawn(process.execPath, [cli, ...argv, "--workspace", w.folder, "--store", w.storeRoot], {
        stdio: "ignore",
      });
      const timer = dieAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), dieAfterMs);
      const [code] = (await once(child, "exit")) as [number | null];
      clearTimeout(timer);
      expect([0, null]).toContain(code);
      return code === null;
    };
    const commands = [["save"], ["restore", first], ["gc"]] as const;
    // A restore has most to lose.
    const order = [1, 0, 1, 2];
    const counts = { killed: 0, interrupted: 0, longestMs: [0, 0, 0] };
    for (const [i, command] of commands.entries()) {
      reset();
      const begun = performance.now();
      expect(await run(command)).toBe(false);
      counts.longestMs[i] = Math.round(performance.now() - begun);
      await expectSaved(w, known);
    }
    try {
      for (let i = 0; i < KILLS; i++) {
        const which = order[i % order.length] ?? 0;
        reset();
        if (!(await run(commands[which] ?? [], random.below(0.8 * (counts.longestMs[which] ?? 0))))) continue;
        counts.killed++;
        await expectSaved(w, known);
        const engine = await w.another();
        try {
          if ((await engine.interrupted()) !== null) {
            expect(which).toBe(1);
            counts.interrupted++;
            const how = random.chance(0.5) ? "finish" : "rollBack";
            expect((await engine.recover(how, w.scan)).kept).toEqual([]);
            expect({ how, tree: digestOf(w.folder) }).toEqual({ how, tree: how === "finish" ? then : former });
          } else expect(which === 1 ? [former, then] : [former]).toContain(digestOf(w.folder));
        } finally {
          await engine.close();
        }
        // The same again, unaided.
        expect(await run(commands[which] ?? [])).toBe(false);
        await expectSaved(w, known);
        if (which === 1) expect(digestOf(w.folder)).toBe(then);
        expect([...unfinished(w.folder), ...unfinished(w.storeRoot)]).toEqual([]);
      }
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
    console.info(`seed ${seed}: ${JSON.stringify(counts)}`);
    expect(counts.killed).toBeGreaterThan(KILLS / 4);
    w.engine = await w.another();
  }, 1_800_000);
});

type Known = ReadonlyMap<string, { readonly number: number; readonly rootTree: string }>;

async function rowsOf(w: TestWorkspace): Promise<Known> {
  const engine = await w.another();
  try {
    return new Map((await engine.list()).map(({ id, number, rootTree }) => [id, { number, rootTree }]));
  } finally {
    await engine.close();
  }
}

/** Everything is there and whole. */
async function expectSaved(w: TestWorkspace, known: Known): Promise<void> {
  const engine = await w.another();
  try {
    const { ok, problems, damaged } = await engine.verify({ full: true });
    expect({ ok, problems, damaged }).toEqual({ ok: true, problems: [], damaged: [] });
  } finally {
    await engine.close();
  }
  const now = await rowsOf(w);
  for (const [id, row] of known) expect(now.get(id)).toEqual(row);
}
