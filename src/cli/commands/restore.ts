import type { Command } from "commander";
import type { Change } from "../../shared/changes";
import { CheckpointError } from "../../shared/errors";
import type { RecoveryKind, RestoreResult } from "../../shared/restores";
import { ExitCode, exitCodeOfRestore } from "../exitCode";
import { describeInterrupted } from "../interruptedRestore";
import type { Invocation } from "../invocation";
import { interruptedJson, restoreJson } from "../json";
import { describeStep } from "../lastRestore";
import { leftOutLines } from "../leftOut";
import { refOperand } from "../operands";
import { changeLine, formatChangeCounts, plural, title } from "../output";
import type { Start } from "../program";

interface RestoreOptions {
  readonly dryRun?: boolean;
  /** `--no-safety` makes this false. */
  readonly safety: boolean;
  readonly keepNew?: boolean;
}

interface RecoverOptions {
  readonly finish?: boolean;
  readonly rollBack?: boolean;
}

/** `restore`, `undo`, `redo`, `recover`: what writes to the workspace. */
export function addRestoreCommands(program: Command, start: Start): void {
  program
    .command("restore")
    .description("bring back a checkpoint, or some of its files and folders")
    .argument("<ref>", "the checkpoint")
    .argument("[path...]", "files and folders; none = everything")
    .option("--dry-run", "only say what would be done")
    .option("--no-safety", "make no safety checkpoint first: what is there now is lost, and there is no undo")
    .option("--keep-new", "leave files alone that exist now but not in the checkpoint")
    .action((ref: string, paths: string[], options: RestoreOptions) =>
      start((invocation) => restore(invocation, refOperand(ref), paths, options)),
    );
  program
    .command("undo")
    .description("take back the last restore")
    .action(() => start((invocation) => step(invocation, "undo")));
  program
    .command("redo")
    .description("repeat the restore that was taken back")
    .action(() => start((invocation) => step(invocation, "redo")));
  program
    .command("recover")
    .description("end a restore that was interrupted; without an option, say whether there is one")
    .option("--finish", "bring every file to what was to be restored")
    .option("--roll-back", "bring every file back to what was there before")
    .action((options: RecoverOptions) => start((invocation) => recover(invocation, options)));
}

async function restore(
  invocation: Invocation,
  ref: string,
  typed: readonly string[],
  options: RestoreOptions,
): Promise<ExitCode> {
  const paths = typed.map((path) => invocation.path(path));
  // The workspace folder itself, however written, is everything.
  const selected = paths.includes("") ? [] : paths;
  const engine = await invocation.engine({ scansSoon: true, endsRestore: options.dryRun !== true });
  const result = await engine.restore({
    ref,
    paths: selected,
    scan: await invocation.scan(),
    keepNew: options.keepNew === true,
    dryRun: options.dryRun === true,
    safety: options.safety,
  });
  return report(invocation, result, restoredLines(result));
}

async function step(invocation: Invocation, direction: "undo" | "redo"): Promise<ExitCode> {
  const engine = await invocation.engine({ scansSoon: true, endsRestore: true });
  const done = await describeStep(engine, direction);
  const result = await engine[direction](await invocation.scan());
  const lines = [`${done}: ${formatChangeCounts(result)}.`, ...wayBack(result, direction === "undo" ? "redo" : "undo")];
  return report(invocation, result, lines);
}

async function recover(invocation: Invocation, { finish, rollBack }: RecoverOptions): Promise<ExitCode> {
  if (finish === true && rollBack === true)
    throw new CheckpointError("usage", "Give --finish or --roll-back, not both.");
  const how: RecoveryKind | undefined = finish === true ? "finish" : rollBack === true ? "rollBack" : undefined;
  const engine = await invocation.engine({ scansSoon: how !== undefined, endsRestore: true });
  if (how === undefined) {
    const found = await engine.interrupted();
    if (invocation.json) invocation.printJson(interruptedJson(found));
    else if (found === null) invocation.print("No restore was interrupted.");
    else
      invocation.print([
        await describeInterrupted(engine, found),
        '"checkpoint recover --finish" brings every file to what was to be restored,',
        '"checkpoint recover --roll-back" to what was there before.',
      ]);
    return ExitCode.done;
  }
  const result = await engine.recover(how, await invocation.scan());
  const done = how === "finish" ? "Finished the restore" : "Rolled the restore back";
  const back = how === "finish" ? wayBack(result, "undo") : [];
  return report(invocation, result, [`${done}: ${formatChangeCounts(result)}.`, ...back]);
}

/** `done` is what people read when it was no dry run. */
function report(invocation: Invocation, result: RestoreResult, done: readonly string[]): ExitCode {
  const kept = result.kept.map(({ path, reason }) => ({ path, message: reason }));
  invocation.note(leftOutLines(kept, "Left alone", " (--json lists all)"));
  if (invocation.json) invocation.printJson(restoreJson(result));
  else invocation.print(result.dryRun ? dryRunLines(invocation, result) : done);
  return exitCodeOfRestore(result);
}

function dryRunLines(invocation: Invocation, result: RestoreResult): string[] {
  const changes = plannedChanges(result).map((change) => changeLine(change, invocation.style));
  const counts = formatChangeCounts(result);
  return [
    ...invocation.shortened(changes),
    `${title(result.checkpoint)} would be restored: ${counts}. Nothing was written.`,
  ];
}

/** In path order, so that what belongs together stands together. */
function plannedChanges({ paths }: RestoreResult): Pick<Change, "path" | "kind">[] {
  const of = (kind: "added" | "changed" | "removed") => paths[kind].map((path) => ({ path, kind }));
  return [...of("added"), ...of("changed"), ...of("removed")].sort((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : 0,
  );
}

function restoredLines(result: RestoreResult): string[] {
  const what = title(result.checkpoint);
  if (result.added + result.changed + result.removed === 0)
    return result.kept.length === 0
      ? [`Nothing to restore: everything already is as in ${what}.`]
      : [`Nothing was restored from ${what}; see what was left alone.`];
  const unchanged = `${plural(result.unchanged, "file")} unchanged`;
  return [`Restored ${what}: ${formatChangeCounts(result)}, ${unchanged}.`, ...wayBack(result, "undo")];
}

/** `command` takes back what was done; after a restore without a safety checkpoint there is none. */
function wayBack(result: RestoreResult, command: "undo" | "redo"): string[] {
  return result.safetyId === null ? [] : [`What was there before is kept: "checkpoint ${command}" brings it back.`];
}
