#!/usr/bin/env node
/** The `checkpoint` command: hands the real process to `run`, and nothing else. */
import { homedir } from "node:os";
import * as path from "node:path";
import { ExitCode } from "./exitCode";
import { run } from "./run";

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
    return openEngine(address, {
      ...options,
      laneScript: path.join(__dirname, "lane.js"),
      sqlWasmPath: path.join(__dirname, "sql-wasm.wasm"),
    });
  },
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
