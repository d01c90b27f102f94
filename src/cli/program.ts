import { Command } from "commander";
import { version } from "../../package.json";
import { CheckpointError } from "../shared/errors";
import { addChangeCommands } from "./commands/change";
import { addCoverageCommand } from "./commands/coverage";
import { addDiffCommand } from "./commands/diff";
import { addListCommands } from "./commands/list";
import { addPruneCommand } from "./commands/prune";
import { addPurgeCommand } from "./commands/purge";
import { addReadCommands } from "./commands/read";
import { addRestoreCommands } from "./commands/restore";
import { addSaveCommand } from "./commands/save";
import { addSearchCommand } from "./commands/search";
import { addStoreCommands } from "./commands/store";
import type { ExitCode } from "./exitCode";
import type { GlobalOptions, Invocation } from "./invocation";

/** What a command does once its line has been read; no answer means `done`. */
export type Work = (invocation: Invocation) => Promise<ExitCode | undefined>;

/** Hands a command's work to whoever runs it. Commands get this and the program, nothing else. */
export type Start = (work: Work) => Promise<void>;

interface ProgramHooks {
  readonly argv: readonly string[];
  readonly writeHelp: (text: string) => void;
  readonly writeUsage: (text: string) => void;
  /** Where stores are unless the line or the environment says otherwise, for the help. */
  readonly defaultStoreRoot: string;
  /** A line was wrong after this command's name; the error itself is thrown by the parsing. */
  readonly onWrongLine: (command: string) => void;
  readonly start: (options: GlobalOptions, work: Work) => Promise<void>;
}

const REF_HELP = `
A checkpoint (REF) is given by its number (12), "latest", "latest~2" (two before it), its id,
a unique beginning of its id (4 characters or more), or its name, if only one has it.
Paths count from the current folder; with --workspace, from that one.`;

/** The command line as commander knows it. Global options may stand before or after the command. */
export function createProgram(hooks: ProgramHooks): Command {
  const program = new Command("checkpoint")
    .description("Save the whole workspace as checkpoints, compare with them, and bring anything back.")
    .version(version, "-v, --version")
    .option(
      "--workspace <dir>",
      "the folder that is saved and restored (default: the nearest with checkpoints, from the current one up; else the current one)",
    )
    .option(
      "--store <dir>",
      `the folder that holds all stores (default: $CHECKPOINT_STORE, then ${hooks.defaultStoreRoot})`,
    )
    .option("--json", "print one JSON object on stdout and nothing else there")
    .option("--lock-timeout <seconds>", "how long to wait for another process (default: 30)")
    .addHelpText("after", REF_HELP)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(false)
    .exitOverride()
    // Errors come back as exceptions and are printed in one place; help on a missing command is not an error text.
    .configureOutput({ writeOut: hooks.writeHelp, writeErr: hooks.writeUsage, outputError: () => {} });
  const start: Start = (work) => hooks.start(program.opts<GlobalOptions>(), work);
  addSaveCommand(program, start);
  addListCommands(program, start);
  addDiffCommand(program, start, hooks.argv);
  addReadCommands(program, start);
  addSearchCommand(program, start);
  addRestoreCommands(program, start);
  addChangeCommands(program, start);
  addPruneCommand(program, start);
  addPurgeCommand(program, start);
  addCoverageCommand(program, start);
  addStoreCommands(program, start);
  addHelpCommand(program);
  for (const command of program.commands)
    command.exitOverride((error) => {
      hooks.onWrongLine(command.name());
      throw error;
    });
  return program;
}

/** In place of commander's own, which answers a name that is no command with the whole help and a puzzling error. */
function addHelpCommand(program: Command): void {
  program.helpCommand(false);
  program
    .command("help")
    .description("show the help of a command")
    .argument("[command]", "its name; none = all commands")
    .action((name: string | undefined) => {
      const command = name === undefined ? program : program.commands.find((each) => each.name() === name);
      if (command === undefined)
        throw new CheckpointError("usage", `There is no command "${name}". "checkpoint --help" lists them.`);
      command.outputHelp();
    });
}
