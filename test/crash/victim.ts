/**
 * A program that works on a workspace and its store until it is killed: it edits, saves, restores, takes restores back,
 * deletes and tidies, as the dice have it, and writes down what is certain (see victimLog.ts).
 *
 *   node victim.cjs WORKSPACE STORE LOG SEED SQL_WASM
 *
 * It says "ready" on stdout once it works. It never ends by itself.
 */
import * as fs from "node:fs";
import { type Engine, openEngine } from "../../src/core/engine";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import { DEFAULT_SCAN_OPTIONS } from "../../src/shared/saves";
import { UNSYNCED } from "../support/dyingFileSystem";
import { mutateTree } from "../support/randomTree";
import { Random } from "../support/seeded";
import { snapshotTree } from "../support/snapshotTree";
import { digestOf, type Entry, readStory, tell } from "./victimLog";

const [folder = "", storeRoot = "", log = "", seed = "", sqlWasmPath = ""] = process.argv.slice(2);
const random = new Random(Number(seed));
const scan = DEFAULT_SCAN_OPTIONS;

/** More are deleted, so that looking at all of them stays quick. */
const MANY_CHECKPOINTS = 14;
const MANY_ENTRIES = 160;

const say = (entry: Entry): void => tell(log, entry);

function expectTree(wanted: string, what: string): void {
  const found = digestOf(folder);
  if (found !== wanted) say({ said: "wrong", message: `${what}: the workspace is ${found}, not ${wanted}` });
}

async function main(): Promise<void> {
  const engine = await openEngine(
    { folder, storeRoot },
    {
      sqlWasmPath,
      // Syncing takes most of the time: without it more happens in a life.
      fs: random.chance(0.5) ? UNSYNCED : nodeFileSystem,
      lockTimeoutMs: 0,
      housekeeping: { idleMs: random.chance(0.5) ? 3 : 0 },
    },
  );
  process.stdout.write("ready\n");
  await settle(engine);
  for (;;) await step(engine);
}

/** What an earlier one left undone is decided here, if it was left. */
async function settle(engine: Engine): Promise<void> {
  const { last } = readStory(log);
  if ((await engine.interrupted()) === null) return;
  if (last?.said !== "restoring") return say({ said: "wrong", message: "interrupted, but nothing was being restored" });
  const how = random.chance(0.5) ? "finish" : "rollBack";
  const { kept } = await engine.recover(how, scan);
  if (kept.length > 0) say({ said: "wrong", message: `${how} kept ${JSON.stringify(kept)}` });
  const tree = how === "finish" ? last.planned : last.former;
  expectTree(tree, how);
  say({ said: "settled", tree });
}

async function step(engine: Engine): Promise<void> {
  const dice = random.below(20);
  if (dice < 7) await editAndSave(engine);
  else if (dice < 14) await restore(engine);
  else if (dice < 16) await deleteSome(engine);
  else if (dice < 18) await tidy((tree) => engine.gc().then(() => tree), "gc");
  else await tidy((tree) => engine.pin("latest", random.chance(0.5)).then(() => tree), "pin");
}

async function editAndSave(engine: Engine): Promise<void> {
  say({ said: "editing" });
  mutateTree(random, folder, 1 + random.below(6));
  // Whatever lies at the top.
  if (Object.keys(snapshotTree(folder)).length > MANY_ENTRIES)
    for (const name of fs.readdirSync(Buffer.from(folder), "buffer").slice(0, 3))
      fs.rmSync(Buffer.concat([Buffer.from(`${folder}/`), name]), { recursive: true, force: true });
  const tree = digestOf(folder);
  say({ said: "saving", tree });
  const { checkpoint, skipped } = await engine.save({
    kind: "manual",
    trigger: "manual",
    scan,
    ...(random.chance(0.2) ? { packChunkBytes: 4_000 } : {}),
  });
  if (skipped.length > 0) say({ said: "wrong", message: `skipped ${JSON.stringify(skipped)}` });
  if (checkpoint === null) return say({ said: "wrong", message: "no checkpoint" });
  say({ said: "saved", id: checkpoint.id, rootTree: checkpoint.rootTree, contents: tree, tree });
}

/** And perhaps takes it back, and repeats it. */
async function restore(engine: Engine): Promise<void> {
  const { checkpoints } = readStory(log);
  const known = (await engine.list()).flatMap(({ id }) => checkpoints.get(id) ?? []);
  if (known.length === 0) return;
  const target = random.pick(known);
  const former = digestOf(folder);
  const planned = target.contents;
  if (former === planned) return;
  say({ said: "restoring", former, planned });
  const { safetyId, kept } = await engine.restore({ ref: target.id, scan, safety: random.chance(0.9) });
  if (kept.length > 0) say({ said: "wrong", message: `kept ${JSON.stringify(kept)}` });
  expectTree(planned, "restored");
  say({ said: "settled", tree: planned });
  if (safetyId === null) return;
  const { rootTree } = await engine.resolve(safetyId);
  say({ said: "saved", id: safetyId, rootTree, contents: former, tree: planned });
  if (random.chance(0.4)) return;
  await back(() => engine.undo(scan), planned, former, "undo");
  if (random.chance(0.6)) await back(() => engine.redo(scan), former, planned, "redo");
}

async function back(act: () => Promise<unknown>, former: string, planned: string, what: string): Promise<void> {
  say({ said: "restoring", former, planned });
  await act();
  expectTree(planned, what);
  say({ said: "settled", tree: planned });
}

async function deleteSome(engine: Engine): Promise<void> {
  const rows = await engine.list();
  const count = Math.max(1, rows.length - MANY_CHECKPOINTS);
  if (rows.length < 3) return;
  const ids = Array.from({ length: count }, () => random.pick(rows.slice(1)).id);
  const tree = digestOf(folder);
  say({ said: "deleting", ids, tree });
  await engine.delete(ids);
  say({ said: "deleted", ids, tree });
}

async function tidy(act: (tree: string) => Promise<string>, what: string): Promise<void> {
  const tree = digestOf(folder);
  say({ said: "tidying", tree });
  await act(tree).catch((error: { code?: string }) => {
    if (what !== "pin" || error.code !== "not-found") throw error;
  });
  say({ said: "settled", tree });
}

main().catch((error: unknown) => {
  say({ said: "wrong", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
});
