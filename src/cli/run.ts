import { CommanderError } from "commander";
import { CheckpointError } from "../shared/errors";
import type { CliEnvironment } from "./environment";
import { ExitCode, exitCodeOf } from "./exitCode";
import { Invocation } from "./invocation";
import { errorJson } from "./json";
import { createProgram, type Work } from "./program";

/**
 * Runs one command line (without the program's own name) and answers the exit code. Never rejects: every failure has
 * been printed, as one sentence for people or as the JSON object for programs, when this resolves.
 */
export async function run(argv: readonly string[], environment: CliEnvironment): Promise<ExitCode> {
  const json = wantsJson(argv);
  let code: ExitCode = ExitCode.done;
  const program = createProgram({
    argv,
    // Help asked for together with --json must not put anything but an object on stdout.
    writeHelp: (text) => void (json ? environment.stderr : environment.stdout).write(text),
    writeUsage: (text) => void environment.stderr.write(text),
    start: async (options, work: Work) => {
      const invocation = new Invocation(options, environment);
      try {
        code = (await work(invocation)) ?? ExitCode.done;
      } finally {
        await invocation.close();
      }
    },
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return ExitCode.done;
    return report(error instanceof CommanderError ? usageError(error) : CheckpointError.from(error), json, environment);
  }
}

/** Parsing may be what failed, so this cannot wait for it. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

function usageError(error: CommanderError): CheckpointError {
  if (error.code === "commander.help")
    return new CheckpointError("usage", 'No command was given. "checkpoint --help" lists them.');
  const what = error.message
    .replace(/^error: /, "")
    .replace(/\n/g, " ")
    .replace(/[.\s]*$/, ".");
  return new CheckpointError("usage", `${what[0]?.toUpperCase()}${what.slice(1)} See "checkpoint --help".`, {
    cause: error,
  });
}

function report(error: CheckpointError, json: boolean, environment: CliEnvironment): ExitCode {
  const { stdout, stderr, env } = environment;
  const debug = env.CHECKPOINT_DEBUG === "1";
  if (json) stdout.write(`${JSON.stringify(errorJson(error))}\n`);
  else stderr.write(`checkpoint: ${error.message}\n`);
  if (debug) stderr.write(`${stackOf(error)}\n`);
  else if (error.code === "internal" && !json)
    stderr.write("Run the command again with CHECKPOINT_DEBUG=1 set to see where it happened.\n");
  return exitCodeOf(error.code);
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
