/**
 * Everything that reads many packs, in a process that may have few files open (see fewDescriptors.test.ts).
 *
 *   node frugalProgram.cjs WORKSPACE STORE SQL_WASM LANE
 */
import * as fs from "node:fs";
import { openEngine } from "../../src/core/engine";
import { DEFAULT_SCAN_OPTIONS } from "../../src/shared/saves";
import { digestOf } from "./victimLog";

const [folder = "", storeRoot = "", sqlWasmPath = "", laneScript = ""] = process.argv.slice(2);
const scan = DEFAULT_SCAN_OPTIONS;

export interface FrugalAnswers {
  readonly saved: boolean;
  readonly undone: boolean;
  readonly restored: boolean;
  readonly kept: number;
  readonly found: number;
  readonly verified: readonly boolean[];
  readonly packs: readonly number[];
}

async function main(): Promise<FrugalAnswers> {
  const engine = await openEngine(
    { folder, storeRoot },
    { sqlWasmPath, laneScript, laneCount: 2, housekeeping: { idleMs: 0 } },
  );
  fs.writeFileSync(`${folder}/new`, "new");
  const { checkpoint } = await engine.save({ kind: "manual", trigger: "manual", scan });
  const latest = digestOf(folder);
  const first = await engine.restore({ ref: "1", scan });
  await engine.undo(scan);
  const undone = digestOf(folder) === latest;
  for (const name of fs.readdirSync(folder)) fs.rmSync(`${folder}/${name}`, { recursive: true });
  const all = await engine.restore({ ref: checkpoint?.id ?? "none", scan });
  const restored = digestOf(folder) === latest;
  const { matches } = await engine.search({ text: "needle in", limit: 10_000 });
  const before = await engine.verify({ full: true });
  await engine.gc();
  const after = await engine.verify({ full: true });
  await engine.close();
  return {
    saved: checkpoint !== null,
    undone,
    restored,
    kept: first.kept.length + all.kept.length,
    found: matches.length,
    verified: [before.ok, after.ok],
    packs: [before.packs, after.packs],
  };
}

main().then(
  (answers) => process.stdout.write(JSON.stringify(answers)),
  (error: unknown) => {
    process.stderr.write(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  },
);
