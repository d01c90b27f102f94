import { CommanderError } from "commander";
import { CheckpointError } from "../shared/errors";
import { forCommandLine } from "./advice";
import type { CliEnvironment } from "./environment";
import { ExitCode, exitCodeOf } from "./exitCode";
import { Invocation } from "./invocation";
import { errorJson } from "./json";
import { createProgram, type Work } from "./program";
import { defaultStoreRoot } from "./storeRoot";

/**
 * Runs one command line (without the program's own name) and answers the exit code. Never rejects: every failure has
 * been printed, as one sentence for people or as the JSON object for programs, when this resolves.
 */
export async function run(argv: readonly string[], environment: CliEnvironment): Promise<ExitCode> {
  const json = wantsJson(argv);
  let code: ExitCode = ExitCode.done;
  let wrongCommand: string | undefined;
  const program = createProgram({
    argv,
    // Help asked for together with --json must not put anything but an object on stdout.
    writeHelp: (text) => void (json ? environment.stderr : environment.stdout).write(text),
    writeUsage: (text) => void environment.stderr.write(text),
    defaultStoreRoot: defaultStoreRoot(environment),
    onWrongLine: (command) => {
      wrongCommand = command;
    },
    start: async (options, work: Work) => {
      const invocation = await Invocation.begin(options, environment);
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
    const known = error instanceof CommanderError ? usageError(error, wrongCommand) : CheckpointError.from(error);
    return report(known, json, environment);
  }
}

/** Parsing may be what failed, so this cannot wait for it. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** `command`: whose operands or options were wrong, if the line got as far as a command. */
function usageError(error: CommanderError, command: string | undefined): CheckpointError {
  if (error.code === "commander.help")
    return new CheckpointError("usage", 'No command was given. "checkpoint --help" lists them.');
  const what = error.message
    .replace(/^error: /, "")
    .replace(/\n/g, " ")
    .replace(/[.\s]*$/, ".");
  const help = command === undefined ? "checkpoint --help" : `checkpoint ${command} --help`;
  return new CheckpointError("usage", `${what[0]?.toUpperCase()}${what.slice(1)} See "${help}".`, { cause: error });
}

function report(thrown: CheckpointError, json: boolean, environment: CliEnvironment): ExitCode {
  const { code } = thrown;
  const message = forCommandLine(thrown.message);
  const { stdout, stderr, env } = environment;
  const debug = env.CHECKPOINT_DEBUG === "1";
  if (json) stdout.write(`${JSON.stringify(errorJson(new CheckpointError(code, message)))}\n`);
  else stderr.write(`checkpoint: ${message}\n`);
  if (debug) stderr.write(`${stackOf(thrown)}\n`);
  else if (code === "internal" && !json)
    stderr.write("Run the command again with CHECKPOINT_DEBUG=1 set to see where it happened.\n");
  return exitCodeOf(code);
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
