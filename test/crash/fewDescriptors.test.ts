import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { bundleProgram } from "../support/bundledProgram";
import { UNSYNCED } from "../support/dyingFileSystem";
import { tempFolder } from "../support/tempFolders";
import { LANE_SCRIPT, openTestEngine, SQL_WASM } from "../support/testEngine";
import type { FrugalAnswers } from "./frugalProgram";

/** Each makes a blob pack and a tree pack. */
const SAVES = 600;
/** Enough for lanes. */
const FILES = 1_600;
const MAX_OPEN_FILES = 256;

// Windows has no such limit.
describe.runIf(process.platform !== "win32")("a process that may have few files open", () => {
  it(`C12 saves, restores, searches, verifies and frees with ${2 * SAVES} packs and ${MAX_OPEN_FILES} descriptors`, async () => {
    const w = await openTestEngine({ many: {}, one: {} }, { fs: UNSYNCED, housekeeping: { idleMs: 0 } });
    for (let i = 0; i < FILES; i++) w.write(`many/${i}`, `some text ${i}`);
    await w.checkpoint();
    for (let i = 1; i < SAVES; i++) {
      fs.mkdirSync(w.path(`one/${i % 20}`), { recursive: true });
      w.write(`one/${i % 20}/${i}`, `needle in haystack ${i}`);
      await w.checkpoint({ changedPaths: [`one/${i % 20}`] });
    }
    expect((await w.engine.stats()).packs).toBe(2 * SAVES);
    await w.engine.close();
    const programs = tempFolder("programs");
    const program = await bundleProgram("test/crash/frugalProgram.ts", `${programs}/frugal.cjs`);
    // Copies: another test run may be building anew.
    const lane = `${programs}/lane.js`;
    fs.copyFileSync(LANE_SCRIPT, lane);
    const sqlWasm = `${programs}/sql-wasm.wasm`;
    fs.copyFileSync(SQL_WASM, sqlWasm);
    const argv = [process.execPath, program, w.folder, w.storeRoot, sqlWasm, lane];
    const { stdout, stderr } = spawnSync("sh", ["-c", `ulimit -n ${MAX_OPEN_FILES}; exec "$@"`, "sh", ...argv], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const { packs, ...answers } = JSON.parse(stdout) as FrugalAnswers;
    expect(answers).toEqual({
      saved: true,
      undone: true,
      restored: true,
      kept: 0,
      found: SAVES - 1,
      verified: [true, true],
    });
    expect(packs[0]).toBeGreaterThan(2 * SAVES);
    expect(packs[1]).toBeLessThan(SAVES);
    w.engine = await w.another();
  }, 300_000);
});
