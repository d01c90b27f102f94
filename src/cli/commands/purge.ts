import type { Command } from "commander";
import { CheckpointError } from "../../shared/errors";
import type { PurgePlan } from "../../shared/purge";
import { damagedPackLines } from "../damagedPacks";
import { ExitCode } from "../exitCode";
import type { Invocation } from "../invocation";
import { purgeJson } from "../json";
import { formatBytes, plural, printable, title } from "../output";
import type { Start } from "../program";

interface PurgeOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** More names than this bury the rest; `--json` has all. */
const MAX_NAMED = 10;

/** `purge`: what should never have been saved. */
export function addPurgeCommand(program: Command, start: Start): void {
  program
    .command("purge")
    .description("take files or folders out of all checkpoints, pinned ones too, for good")
    .argument("<path...>", "files or folders; those in the workspace stay as they are")
    .option("--dry-run", "only say what would go")
    .option("--yes", "do it: this cannot be undone")
    .action((paths: string[], options: PurgeOptions) => start((invocation) => purge(invocation, paths, options)));
}

async function purge(invocation: Invocation, typed: readonly string[], options: PurgeOptions): Promise<ExitCode> {
  const paths = typed.map((path) => invocation.path(path));
  const dryRun = options.dryRun === true;
  if (!dryRun && options.yes !== true)
    throw new CheckpointError(
      "usage",
      "Purging cannot be undone, so nothing was done. See what would go with --dry-run, then give --yes.",
    );
  const engine = await invocation.engine();
  const purged = dryRun ? undefined : await engine.purge(paths);
  const result = purged ?? (await engine.planPurge(paths));
  if (invocation.json) invocation.printJson(purgeJson(result, dryRun));
  else invocation.print(purgeLines(result, dryRun));
  invocation.note(remainderLines(result));
  if (purged !== undefined) invocation.note(damagedPackLines(purged.freed));
  if (purged !== undefined && purged.freed.damaged.length > 0) return ExitCode.damaged;
  return result.paths.length === 0 ? ExitCode.notFound : ExitCode.done;
}

function purgeLines(result: PurgePlan, dryRun: boolean): string[] {
  if (result.paths.length === 0) return ["No checkpoint holds that; nothing was purged."];
  const { checkpoints } = result;
  const would = dryRun ? "Would purge" : "Purged";
  const from = `${plural(checkpoints.length, "checkpoint")}`;
  const what = `${plural(result.versions, "version")}, ${formatBytes(result.deadBytes)}`;
  const named = checkpoints.slice(0, MAX_NAMED).map((each) => `  ${title(each)}${each.pinned ? " (pinned)" : ""}`);
  const more = checkpoints.length - named.length;
  return [
    `${would} ${result.paths.map(printable).join(", ")} from ${from} (${what}):`,
    ...named,
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

/** What whoever wants something gone for good has to know. */
function remainderLines(result: PurgePlan): string[] {
  const { elsewhere, endedRestores, missing, present } = result;
  const lines = missing.map((path) => `In no checkpoint: ${printable(path)}`);
  if (result.paths.length === 0) return lines;
  for (const { path, other } of elsewhere.listed.slice(0, MAX_NAMED))
    lines.push(`The content of ${printable(path)} stays, because ${printable(other)} holds the same.`);
  if (elsewhere.total > MAX_NAMED) lines.push(`… and ${elsewhere.total - MAX_NAMED} more like that`);
  if (endedRestores > 0)
    lines.push(`${plural(endedRestores, "restore")} about nothing else can no longer be undone or redone.`);
  for (const path of present)
    lines.push(
      `${printable(path)} is still in the workspace: the next save takes it in again unless .checkpointignore names it.`,
    );
  lines.push("Archives, replicas and backups made before still hold it.");
  return lines;
}
