import type { Command } from "commander";
import { CheckpointError } from "../../shared/errors";
import {
  DEFAULT_RETENTION,
  type PrunedCheckpoint,
  type PruneReason,
  type PruneRequest,
  type RetentionPolicy,
} from "../../shared/retention";
import { damagedPackLines } from "../damagedPacks";
import { ExitCode } from "../exitCode";
import type { Invocation } from "../invocation";
import { pruneJson } from "../json";
import { sizeOperand } from "../operands";
import { formatBytes, formatTable, formatTime, plural, printable } from "../output";
import type { Start } from "../program";

interface PruneOptions {
  readonly dryRun?: boolean;
  readonly keepAll?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly maxStore?: string;
  readonly minFree?: string;
}

const { allHours, hourlyDays, dailyDays, weeklyWeeks, minFreeDiskBytes } = DEFAULT_RETENTION;

const WHAT_STAYS = `
Only automatic checkpoints go, and those made before a restore once they are a week old and undo and redo need them
no more. Pinned and named ones, those with a note, those made by hand or imported, and the newest always stay.`;

/** `prune`: deletes what is no longer to be kept. */
export function addPruneCommand(program: Command, start: Start): void {
  program
    .command("prune")
    .description("delete automatic checkpoints that are no longer to be kept, and free what only they used")
    .option("--dry-run", "show what would go, and delete nothing")
    .option("--keep-all <hours>", `keep all of the last hours (default: ${allHours})`)
    .option("--keep-hourly <days>", `keep the last of each hour, of the last days (default: ${hourlyDays})`)
    .option("--keep-daily <days>", `keep the last of each day, of the last days (default: ${dailyDays})`)
    .option("--keep-weekly <weeks>", `keep the last of each week, of the last weeks (default: ${weeklyWeeks})`)
    .option("--max-store <bytes>", "then the oldest, until the store is no larger (64M, 2G; 0, the default: no limit)")
    .option(
      "--min-free <bytes>",
      `then the oldest, until so much of the disk is free (0: no limit; default: ${formatBytes(minFreeDiskBytes)})`,
    )
    .addHelpText("after", WHAT_STAYS)
    .action((options: PruneOptions) =>
      start((invocation) => prune(invocation, { policy: policyOf(options) }, options.dryRun === true)),
    );
}

function policyOf(options: PruneOptions): RetentionPolicy {
  const { keepAll, keepHourly, keepDaily, keepWeekly, maxStore, minFree } = options;
  return {
    allHours: age(keepAll, "--keep-all", allHours),
    hourlyDays: age(keepHourly, "--keep-hourly", hourlyDays),
    dailyDays: age(keepDaily, "--keep-daily", dailyDays),
    weeklyWeeks: age(keepWeekly, "--keep-weekly", weeklyWeeks),
    maxStoreBytes: maxStore === undefined ? DEFAULT_RETENTION.maxStoreBytes : sizeOperand(maxStore, "--max-store"),
    minFreeDiskBytes: minFree === undefined ? minFreeDiskBytes : sizeOperand(minFree, "--min-free"),
  };
}

/** Throws `usage` for what is no number from 0. */
function age(typed: string | undefined, option: string, fallback: number): number {
  if (typed === undefined) return fallback;
  if (!/^\d{1,9}(\.\d+)?$/.test(typed.trim()))
    throw new CheckpointError("usage", `${option} takes a number such as 24, but "${printable(typed)}" was given.`);
  return Number(typed);
}

async function prune(invocation: Invocation, request: PruneRequest, isDryRun: boolean): Promise<ExitCode> {
  const engine = await invocation.engine();
  if (isDryRun) {
    const plan = await engine.planPrune(request);
    if (invocation.json) invocation.printJson(pruneJson(plan));
    else
      invocation.print(
        lines(invocation, plan.going, `Would delete`, `about ${formatBytes(plan.freedBytes)}`, plan.freedBytes),
      );
    noteMissing(invocation, plan.missingBytes);
    return ExitCode.done;
  }
  const result = await engine.prune(request);
  const { freed } = result;
  if (invocation.json) invocation.printJson(pruneJson(result));
  else invocation.print(lines(invocation, result.gone, "Deleted", formatBytes(freed.freedBytes), freed.freedBytes));
  noteMissing(invocation, result.missingBytes);
  invocation.note(damagedPackLines(freed));
  return freed.damaged.length === 0 ? ExitCode.done : ExitCode.damaged;
}

const REASONS: Readonly<Record<PruneReason, string>> = { age: "age", size: "size of the store", disk: "free disk" };

function lines(
  invocation: Invocation,
  going: readonly PrunedCheckpoint[],
  verb: string,
  freed: string,
  bytes: number,
): readonly string[] {
  // Nothing else counts against a limit than what the store takes, used or not.
  const garbage = bytes > 0 ? [`Content that no checkpoint uses: ${freed}.`] : [];
  if (going.length === 0) return ["There is nothing to delete: every checkpoint is one to keep.", ...garbage];
  const table = formatTable(
    [
      { head: "#", align: "right", dropOrder: 0 },
      { head: "Created", dropOrder: 1 },
      { head: "Kind", dropOrder: 2 },
      { head: "Because of", dropOrder: 0 },
    ],
    going.map(({ checkpoint, reason }) => [
      String(checkpoint.number),
      formatTime(checkpoint.createdAt),
      checkpoint.kind,
      REASONS[reason],
    ]),
    invocation.width,
    invocation.style,
  );
  return [...invocation.shortened(table), `${verb} ${plural(going.length, "checkpoint")}; ${freed} freed.`];
}

function noteMissing(invocation: Invocation, bytes: number): void {
  if (bytes > 0)
    invocation.note(
      `The limit is still missed by ${formatBytes(bytes)}: the rest is protected, too new, or would not be enough. Delete or unpin checkpoints yourself, or raise the limit.`,
    );
}
