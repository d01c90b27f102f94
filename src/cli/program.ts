import { Command } from "commander";
import { version } from "../../package.json";
import { addChangeCommands } from "./commands/change";
import { addDiffCommand } from "./commands/diff";
import { addListCommands } from "./commands/list";
import { addReadCommands } from "./commands/read";
import { addRestoreCommands } from "./commands/restore";
import { addSaveCommand } from "./commands/save";
import { addStoreCommands } from "./commands/store";
import type { ExitCode } from "./exitCode";
import type { GlobalOptions, Invocation } from "./invocation";

/** What a command does once its line has been read; no answer means `done`. */
export type Work = (invocation: Invocation) => Promise<ExitCode | undefined>;

/** Hands a command's work to whoever runs it. Commands get this and the program, nothing else. */
export type Start = (work: Work) => Promise<void>;

export interface ProgramHooks {
  readonly argv: readonly string[];
  readonly writeHelp: (text: string) => void;
  readonly writeUsage: (text: string) => void;
  readonly start: (options: GlobalOptions, work: Work) => Promise<void>;
}

const REF_HELP = `
A checkpoint (REF) is given by its number (12), "latest", "latest~2" (two before it), its id,
a unique beginning of its id (4 characters or more), or its name, if only one has it.
Paths count from the workspace folder.`;

/** The command line as commander knows it. Global options may stand before or after the command. */
export function createProgram(hooks: ProgramHooks): Command {
  const program = new Command("checkpoint")
    .description("Save the whole workspace as checkpoints, compare with them, and bring anything back.")
    .version(version)
    .option("--workspace <dir>", "the folder that is saved and restored (default: the current one)")
    .option("--store <dir>", "the folder that holds all stores (default: $CHECKPOINT_STORE, then your data folder)")
    .option("--json", "print one JSON object on stdout and nothing else there")
    .option("--lock-timeout <seconds>", "how long to wait for another process (default: 30)")
    .addHelpText("after", REF_HELP)
    .showHelpAfterError(false)
    .exitOverride()
    // Errors come back as exceptions and are printed in one place; help on a missing command is not an error text.
    .configureOutput({ writeOut: hooks.writeHelp, writeErr: hooks.writeUsage, outputError: () => {} });
  const start: Start = (work) => hooks.start(program.opts<GlobalOptions>(), work);
  addSaveCommand(program, start);
  addListCommands(program, start);
  addDiffCommand(program, start, hooks.argv);
  addReadCommands(program, start);
  addRestoreCommands(program, start);
  addChangeCommands(program, start);
  addStoreCommands(program, start);
  return program;
}
