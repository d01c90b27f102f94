import type { Command } from "commander";
import type { StoreStats, VerifyResult } from "../../shared/upkeep";
import { forCommandLine } from "../advice";
import { damagedPackLines } from "../damagedPacks";
import { ExitCode } from "../exitCode";
import type { Invocation } from "../invocation";
import { gcJson, statsJson, verifyJson } from "../json";
import { formatBytes, formatCount, formatTime, plural, printable, title } from "../output";
import type { Start } from "../program";

interface VerifyOptions {
  readonly full?: boolean;
  readonly repair?: boolean;
}

/** `gc`, `verify`, `stats`: the store itself. */
export function addStoreCommands(program: Command, start: Start): void {
  program
    .command("gc")
    .description("free what no checkpoint uses any more")
    .action(() => start(collectGarbage));
  program
    .command("verify")
    .description("check the store; damage is named, and the exit code is 5")
    .option("--full", "read everything and check every hash")
    .option(
      "--repair",
      "read everything, and make whole what can be made whole from what is left and from the workspace",
    )
    .action((options: VerifyOptions) => start((invocation) => verify(invocation, options)));
  program
    .command("stats")
    .description("how much there is and how much room it takes")
    .action(() => start(stats));
}

async function collectGarbage(invocation: Invocation): Promise<ExitCode> {
  const result = await (await invocation.engine()).gc();
  if (invocation.json) invocation.printJson(gcJson(result));
  else {
    const packs = `${plural(result.removedPacks, "pack")} removed, ${formatCount(result.rewrittenPacks)} rewritten`;
    invocation.print(`${formatBytes(result.freedBytes)} freed (${plural(result.deadObjects, "object")}; ${packs}).`);
  }
  invocation.note(damagedPackLines(result));
  return result.damaged.length === 0 ? ExitCode.done : ExitCode.damaged;
}

async function verify(invocation: Invocation, options: VerifyOptions): Promise<ExitCode> {
  const engine = await invocation.engine();
  const result = await (options.repair === true ? engine.repair() : engine.verify({ full: options.full === true }));
  if (invocation.json) invocation.printJson(verifyJson(result));
  else invocation.print(invocation.shortened(verifyLines(result)));
  return result.ok ? ExitCode.done : ExitCode.damaged;
}

function verifyLines(result: VerifyResult): string[] {
  const counts = [
    plural(result.checkpoints, "checkpoint"),
    plural(result.packs, "pack"),
    plural(result.objects, "object"),
  ];
  const read = result.full
    ? `every byte read (${formatBytes(result.bytesRead)})`
    : "structure only; --full reads every byte";
  if (result.ok && result.checkpoints + result.packs === 0)
    return ["There is no checkpoint yet, so nothing to verify."];
  const healed = result.healed.map(
    ({ part, message }) => `Repaired: ${printable(part)}: ${printable(forCommandLine(message))}`,
  );
  if (result.ok) return [...healed, `The store is sound: ${counts.join(", ")}; ${read}.`];
  return [
    ...healed,
    ...result.problems.map(({ part, message }) => `${printable(part)}: ${printable(forCommandLine(message))}`),
    ...result.damaged.flatMap(({ checkpoint, paths }) => [
      `${title(checkpoint)} cannot be restored completely:`,
      ...paths.map((path) => `  ${printable(path)}`),
    ]),
    `The store is damaged: ${plural(result.problems.length, "problem")}, ${plural(result.damaged.length, "checkpoint")} concerned. ` +
      "All other checkpoints can still be restored. The next save stores anew what the workspace still has, and " +
      '"checkpoint verify --repair" heals with it what is older.',
  ];
}

async function stats(invocation: Invocation): Promise<ExitCode> {
  const result = await (await invocation.engine()).stats();
  if (invocation.json) invocation.printJson(statsJson(result));
  else invocation.print(statsLines(result));
  return ExitCode.done;
}

function statsLines(result: StoreStats): string[] {
  const time = (ms: number | null): string => (ms === null ? "none" : formatTime(ms));
  const fields: [string, string][] = [
    ["Store", printable(result.folder)],
    ["Checkpoints", formatCount(result.checkpoints)],
    ["Oldest", time(result.oldest)],
    ["Newest", time(result.newest)],
    ["Packs", `${formatCount(result.packs)} with ${plural(result.objects, "object")}`],
    ["Files", formatBytes(result.packBytes)],
    ["Folders", formatBytes(result.treeBytes)],
    ["Catalog", formatBytes(result.catalogBytes)],
    ["Index", formatBytes(result.indexBytes)],
    ["Total", formatBytes(result.totalBytes)],
    ["Free disk", result.freeDiskBytes === null ? "unknown" : formatBytes(result.freeDiskBytes)],
  ];
  return fields.map(([label, value]) => `${`${label}:`.padEnd(13)}${value}`);
}
