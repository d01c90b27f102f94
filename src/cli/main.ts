#!/usr/bin/env node
/** The `checkpoint` command: hands the real process to `run`, and nothing else. */
import { homedir } from "node:os";
import * as path from "node:path";
import { setFlagsFromString } from "node:v8";
import { forCommandLine } from "./advice";
import { ExitCode } from "./exitCode";
import { run } from "./run";

/**
 * How many bytes of WebAssembly V8 runs in a function before it compiles that function again, optimised, on another
 * thread. Under the default, two large functions of SQLite are compiled for 0.17 s of CPU, longer than a short command
 * takes, and the process cannot end before that is done. The interpreter in them jumps 35 KB for each step, so nothing
 * but a budget near the largest possible holds them back. The budget is fixed when a module is compiled: only what
 * opening the engine compiles here gets the patient one (the lanes' codecs are modules of their own, see `loadCodecs`).
 * (Measured 2026-11-20, Node 20.20, 2 cores.)
 */
const PATIENT_TIERING_BUDGET = 2_000_000_000;
/** V8's own. */
const DEFAULT_TIERING_BUDGET = 1_800_000;

function setTieringBudget(bytes: number): void {
  setFlagsFromString(`--wasm-tiering-budget=${bytes}`);
}

/**
 * From here on V8 lets no more garbage pile up than it does already: a cold save of 200,000 tiny files then takes 220 MB
 * instead of 250, in the same time. Commands that are over sooner would pay a tenth of their CPU for it. (As above.)
 */
function spareMemory(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

let cancelled = false;
process.on("SIGINT", () => {
  // The first asks the operation to stop where the store and the workspace are whole. The second is for a user who
  // will not wait: a process that dies anywhere leaves nothing that the next command does not clear up.
  if (cancelled) process.exit(ExitCode.cancelled);
  cancelled = true;
});

for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read our output has seen enough ("checkpoint list | head").
    process.exit(error.code === "EPIPE" ? ExitCode.done : ExitCode.failed);
  });

run(process.argv.slice(2), {
  openEngine: async (address, options) => {
    const { openEngine } = await import("../core/engine");
    setTieringBudget(PATIENT_TIERING_BUDGET);
    const engine = await openEngine(address, {
      ...options,
      laneScript: path.join(__dirname, "lane.js"),
      onBulk: spareMemory,
      sqlWasmPath: path.join(__dirname, "sql-wasm.wasm"),
      // By then the answer is printed. What is not whole keeps its place and is named; what it means "verify" tells.
      housekeeping: {
        idleMs: 0,
        onClose: true,
        onDone: ({ damaged }) => {
          for (const { message } of damaged) process.stderr.write(`checkpoint: ${forCommandLine(message)}\n`);
        },
        onFailure: ({ message }) =>
          process.stderr.write(`checkpoint: Small packs could not be merged: ${forCommandLine(message)}\n`),
      },
    });
    setTieringBudget(DEFAULT_TIERING_BUDGET);
    return engine;
  },
  nearestStore: async (folders, storeRoot) =>
    (await import("../core/store/nearestStore")).nearestStore(folders, storeRoot),
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  platform: process.platform,
  homeFolder: homedir(),
  isCancelled: () => cancelled,
  now: Date.now,
}).then((code) => {
  // Not waiting for timers and threads to wind down saves milliseconds of every command; output is written out first.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
});
