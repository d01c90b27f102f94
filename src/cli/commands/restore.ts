import type { Command } from "commander";
import type { Change, RestoreResult } from "../../shared/api";
import type { Invocation } from "../invocation";
import { restoreJson } from "../json";
import { pathOperand, refOperand } from "../operands";
import { changeLine, formatChangeCounts, plural, printable, title } from "../output";
import type { Start } from "../program";

interface RestoreOptions {
  readonly dryRun?: boolean;
  /** `--no-safety` makes this false. */
  readonly safety: boolean;
  readonly keepNew?: boolean;
}

/** `restore`, `undo`, `redo`: what writes to the workspace. */
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
}

async function restore(
  invocation: Invocation,
  ref: string,
  typed: readonly string[],
  options: RestoreOptions,
): Promise<undefined> {
  const paths = typed.map((path) => pathOperand(path, invocation.workspace));
  // The workspace folder itself, however written, is everything.
  const selected = paths.includes("") ? [] : paths;
  const engine = await invocation.engine();
  const result = await engine.restore({
    ref,
    paths: selected,
    scan: invocation.scan,
    keepNew: options.keepNew === true,
    dryRun: options.dryRun === true,
    safety: options.safety,
  });
  report(invocation, result, "Restored", "undo");
}

async function step(invocation: Invocation, direction: "undo" | "redo"): Promise<undefined> {
  const engine = await invocation.engine();
  const result = await engine[direction](invocation.scan);
  if (direction === "undo") report(invocation, result, "Undone, back to", "redo");
  else report(invocation, result, "Redone, back to", "undo");
}

/** `inverse` is the command that takes back what was done. */
function report(invocation: Invocation, result: RestoreResult, verb: string, inverse: "undo" | "redo"): void {
  invocation.note(
    invocation.shortened(result.kept.map(({ path, reason }) => `Left alone: ${printable(path)}: ${printable(reason)}`)),
  );
  if (invocation.json) invocation.printJson(restoreJson(result));
  else invocation.print(result.dryRun ? dryRunLines(invocation, result) : doneLines(result, verb, inverse));
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

function doneLines(result: RestoreResult, verb: string, inverse: "undo" | "redo"): string[] {
  const unchanged = `${plural(result.unchanged, "file")} unchanged`;
  const line = `${verb} ${title(result.checkpoint)}: ${formatChangeCounts(result)}, ${unchanged}.`;
  if (result.safetyId === null) return [line];
  return [line, `What was there before is kept: "checkpoint ${inverse}" brings it back.`];
}
