import type { Command } from "commander";
import type { EngineApi } from "../../shared/api";
import type { CheckpointDetail, FileVersion } from "../../shared/changes";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { ExitCode } from "../exitCode";
import type { Invocation } from "../invocation";
import { historyJson, isoTime, listJson, showJson } from "../json";
import { leftOutLines } from "../leftOut";
import { refOperand } from "../operands";
import {
  type Column,
  changeLine,
  formatBytes,
  formatChangeCounts,
  formatCount,
  formatTable,
  formatTime,
  plural,
  printable,
} from "../output";
import type { Start } from "../program";
import { titleOrDeleted } from "../titleOrDeleted";

/** `list`, `show`, `history`: what there is. */
export function addListCommands(program: Command, start: Start): void {
  program
    .command("list")
    .description("list the checkpoints, newest first")
    .option("--limit <n>", "at most so many")
    .action((options: { limit?: string }) => start((invocation) => list(invocation, options.limit)));
  program
    .command("show")
    .description("show one checkpoint and what changed in it")
    .argument("<ref>", "the checkpoint")
    .action((ref: string) => start((invocation) => show(invocation, refOperand(ref))));
  program
    .command("history")
    .description("list the versions of a file or folder, newest first")
    .argument("<path>", "the file or folder; it need not exist now")
    .option("--limit <n>", "at most so many")
    .action((path: string, options: { limit?: string }) =>
      start((invocation) => history(invocation, path, options.limit)),
    );
}

async function list(invocation: Invocation, limit: string | undefined): Promise<undefined> {
  const options = invocation.limit(limit);
  const checkpoints = await (await invocation.engine()).list(options);
  if (invocation.json) invocation.printJson(listJson(checkpoints));
  else if (checkpoints.length === 0) invocation.print('No checkpoints yet. "checkpoint save" makes the first.');
  else invocation.print(formatTable(LIST_COLUMNS, checkpoints.map(listRow), invocation.width, invocation.style));
}

/** No id here: ids of one minute look alike at the front, numbers do not. `show` has the id. */
const LIST_COLUMNS: readonly Column[] = [
  { head: "#", align: "right", dropOrder: 0 },
  { head: "CREATED", dropOrder: 1 },
  { head: "KIND", dropOrder: 4 },
  { head: "CHANGES", dropOrder: 2 },
  { head: "FILES", align: "right", dropOrder: 3 },
  { head: "SIZE", align: "right", dropOrder: 5 },
  { head: "NAME", dropOrder: 0 },
];

function listRow(checkpoint: Checkpoint): string[] {
  return [
    `#${checkpoint.number}`,
    formatTime(checkpoint.createdAt),
    checkpoint.pinned ? `${checkpoint.kind}, pinned` : checkpoint.kind,
    `+${formatCount(checkpoint.added)} ~${formatCount(checkpoint.changed)} -${formatCount(checkpoint.removed)}`,
    formatCount(checkpoint.files),
    formatBytes(checkpoint.bytes),
    printable(checkpoint.name ?? ""),
  ];
}

async function show(invocation: Invocation, ref: string): Promise<undefined> {
  const engine = await invocation.engine();
  const detail = await engine.show(ref, { limit: Number.MAX_SAFE_INTEGER });
  if (invocation.json) invocation.printJson(showJson(detail));
  else invocation.print(showLines(invocation, detail, await parentTitle(engine, detail.checkpoint)));
}

/** As people call it; null for a checkpoint that was the first. */
async function parentTitle(engine: EngineApi, { parentId }: Checkpoint): Promise<string | null> {
  return parentId === null ? null : titleOrDeleted(engine, parentId, `${parentId}, deleted since`);
}

function showLines(invocation: Invocation, detail: CheckpointDetail, parent: string | null): string[] {
  const { checkpoint } = detail;
  const { style } = invocation;
  const fields: [string, string | null][] = [
    ["Id", checkpoint.id],
    ["Name", checkpoint.name],
    ["Note", checkpoint.note],
    ["Created", `${formatTime(checkpoint.createdAt)} (${isoTime(checkpoint.createdAt)})`],
    ["Kind", `${checkpoint.kind}, by ${checkpoint.trigger}${checkpoint.pinned ? ", pinned" : ""}`],
    ["Parent", parent],
    ["Branch", checkpoint.branch],
    ["Commit", checkpoint.head],
    ["Content", `${plural(checkpoint.files, "file")}, ${formatBytes(checkpoint.bytes)}`],
    ["New data", `${plural(checkpoint.newObjects, "object")}, ${formatBytes(checkpoint.newBytes)}`],
    ["Changes", formatChangeCounts(checkpoint)],
  ];
  return [
    style.bold(`Checkpoint #${checkpoint.number}`),
    ...fields.flatMap(([label, value]) =>
      value === null ? [] : [`${style.dim(`${label}:`.padEnd(10))}${printable(value)}`],
    ),
    ...leftOutLines(detail.skipped, style.dim("Left out"), " (--json lists all)"),
    ...(detail.changes.length === 0 ? [] : [""]),
    ...invocation.shortened(detail.changes.map((change) => changeLine(change, style))),
  ];
}

async function history(invocation: Invocation, typed: string, limit: string | undefined): Promise<ExitCode> {
  const path = invocation.path(typed);
  if (path === "")
    throw new CheckpointError(
      "usage",
      'Name a file or folder inside the workspace; "checkpoint list" is about all of it.',
    );
  const options = invocation.limit(limit);
  const versions = await (await invocation.engine()).history(path, options);
  if (invocation.json) invocation.printJson(historyJson(path, versions));
  else if (versions.length === 0)
    throw new CheckpointError("not-found", `No checkpoint has ${printable(typed)}. Check the path.`);
  else invocation.print(formatTable(HISTORY_COLUMNS, versions.map(historyRow), invocation.width, invocation.style));
  // Programs get the empty list: for them it is an answer, and the code tells it from the history of something.
  return versions.length === 0 ? ExitCode.notFound : ExitCode.done;
}

const HISTORY_COLUMNS: readonly Column[] = [
  { head: "#", align: "right", dropOrder: 0 },
  { head: "CREATED", dropOrder: 1 },
  { head: "CHANGE", dropOrder: 0 },
  { head: "SIZE", align: "right", dropOrder: 2 },
  { head: "NAME", dropOrder: 0 },
];

function historyRow({ checkpoint, kind, state }: FileVersion): string[] {
  return [
    `#${checkpoint.number}`,
    formatTime(checkpoint.createdAt),
    kind === "typeChanged" ? "type changed" : kind,
    state?.type === "file" ? formatBytes(state.size) : (state?.type ?? ""),
    printable(checkpoint.name ?? ""),
  ];
}
