import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/core/engine";
import { checkpointContents } from "../support/checkpointContents";
import { UNSYNCED } from "../support/dyingFileSystem";
import { keepState } from "../support/keptState";
import { PoweredFileSystem } from "../support/poweredFileSystem";
import { Random } from "../support/seeded";
import { openTestEngine, type TestWorkspace } from "../support/testEngine";

const QUIET = { fs: UNSYNCED, housekeeping: { idleMs: 0 } } as const;
/** Ways of losing something, for each moment: all that may be lost, and some of it. */
const SEEDS = [undefined, 1, 2];

interface Story {
  readonly w: TestWorkspace;
  readonly act: (engine: Engine) => Promise<unknown>;
  readonly mayGo?: ReadonlySet<string>;
}

/** At every step of `act`, and right after its answer. Answers the number of cuts. */
async function cutAtEveryStep({ w, act, mayGo = new Set() }: Story): Promise<number> {
  await w.engine.close();
  w.checkAfterwards = false;
  const reset = keepState([w.storeRoot]);
  const earlier = new Map<string, object>();
  const engine = await w.another();
  for (const { id } of await engine.list()) earlier.set(id, await checkpointContents(engine, id));
  await engine.close();
  let cuts = 0;
  for (let k = 0, isThrough = false; !isThrough; k++)
    for (const seed of SEEDS) {
      reset();
      const disk = new PoweredFileSystem(k);
      const working = await w.another({ fs: disk.fs });
      disk.isArmed = true;
      const answer = await act(working).catch((error: unknown) => {
        if (!disk.isOut) throw error;
      });
      isThrough = !disk.isOut;
      await working.close();
      disk.comeBack(seed === undefined ? undefined : new Random(seed * 1_000 + k));
      cuts++;
      const at = `at ${k} (${seed ?? "all"}): ${disk.steps.at(-1)?.method} ${disk.steps.at(-1)?.path}`;
      try {
        await expectNothingLost(w, earlier, mayGo, isThrough ? answer : undefined);
      } catch (error) {
        if (error instanceof Error) error.message = `${at}: ${error.message}`;
        throw error;
      }
    }
  w.engine = await w.another();
  return cuts;
}

async function expectNothingLost(
  w: TestWorkspace,
  earlier: ReadonlyMap<string, object>,
  mayGo: ReadonlySet<string>,
  answer: unknown,
): Promise<void> {
  const engine = await w.another();
  try {
    expect(await engine.verify({ full: true })).toMatchObject({ problems: [], damaged: [], ok: true });
    const rows = new Set((await engine.list()).map(({ id }) => id));
    for (const [id, contents] of earlier)
      if (rows.has(id) || !mayGo.has(id)) expect(await checkpointContents(engine, id)).toEqual(contents);
    // What was answered is there for good.
    const id = (answer as { checkpoint?: { id: string } } | undefined)?.checkpoint?.id;
    if (id !== undefined) expect(await checkpointContents(engine, id)).toEqual(w.snapshot());
    const { checkpoint } = await engine.save({ kind: "manual", trigger: "manual", scan: w.scan, name: "next" });
    expect(await checkpointContents(engine, checkpoint?.id ?? "none")).toEqual(w.snapshot());
    await engine.gc();
    expect(await engine.verify({ full: true })).toMatchObject({ ok: true });
  } finally {
    await engine.close();
  }
}

async function twoCheckpoints(): Promise<TestWorkspace> {
  const w = await openTestEngine({ a: "1", b: randomBytes(5_000), d: { c: "1", e: { f: "1" } } }, QUIET);
  await w.checkpoint();
  w.write("a", "2");
  w.write("only here", randomBytes(3_000));
  await w.checkpoint();
  fs.rmSync(w.path("only here"));
  w.write("d/c", "2");
  return w;
}

const save = (w: TestWorkspace) => (engine: Engine) => engine.save({ kind: "manual", trigger: "manual", scan: w.scan });

describe("a power cut at every step", () => {
  it("C3 of the first save: what was answered stays", async () => {
    const w = await openTestEngine({ a: "1", d: { b: randomBytes(3_000) } }, QUIET);
    expect(await cutAtEveryStep({ w, act: save(w) })).toBeGreaterThan(60);
  }, 300_000);

  it("C3 of a save", async () => {
    const w = await twoCheckpoints();
    expect(await cutAtEveryStep({ w, act: save(w) })).toBeGreaterThan(60);
  }, 300_000);

  it("C3 C14 of a save in parts", async () => {
    const w = await twoCheckpoints();
    w.write("b", randomBytes(20_000));
    const act = (engine: Engine) =>
      engine.save({ kind: "manual", trigger: "manual", scan: w.scan, packChunkBytes: 6_000 });
    expect(await cutAtEveryStep({ w, act })).toBeGreaterThan(100);
  }, 300_000);

  it("C3 C10 of a deletion and of freeing", async () => {
    const w = await twoCheckpoints();
    await w.checkpoint();
    const mayGo = new Set((await w.engine.list()).filter(({ number }) => number === 2).map(({ id }) => id));
    const act = async (engine: Engine): Promise<void> => {
      await engine.delete(["2"]);
      await engine.gc();
    };
    expect(await cutAtEveryStep({ w, act, mayGo })).toBeGreaterThan(60);
  }, 300_000);
});
