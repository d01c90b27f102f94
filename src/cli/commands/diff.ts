import { lstatSync } from "node:fs";
import * as path from "node:path";
import type { Command } from "commander";
import type { Change, EngineApi, Side } from "../../shared/api";
import { CheckpointError } from "../../shared/errors";
import type { Invocation } from "../invocation";
import { changesJson } from "../json";
import { pathOperand, refOperand } from "../operands";
import { changeLine, formatCount, printable } from "../output";
import type { Start } from "../program";

export function addDiffCommand(program: Command, start: Start, argv: readonly string[]): void {
  program
    .command("diff")
    .description("compare a checkpoint with the workspace, or two checkpoints")
    .argument("<ref>", "the checkpoint compared from")
    .argument("[ref2|path...]", "the checkpoint compared to (default: the workspace), then files and folders")
    .option("--patch", "print the changes of text files as a unified diff")
    .addHelpText("after", '\nA path that could be taken for a checkpoint goes after "--": diff latest -- 12')
    .action((ref: string, rest: string[], options: { patch?: boolean }) =>
      start((invocation) => diff(invocation, refOperand(ref), splitOperands(rest, argv), options.patch === true)),
    );
}

/** What follows the first REF: perhaps a second one, perhaps paths; after "--" paths for certain. */
interface Operands {
  readonly open: readonly string[];
  readonly paths: readonly string[];
}

function splitOperands(rest: readonly string[], argv: readonly string[]): Operands {
  const marker = argv.indexOf("--");
  const certain = marker < 0 ? 0 : Math.min(rest.length, argv.length - marker - 1);
  return { open: rest.slice(0, rest.length - certain), paths: rest.slice(rest.length - certain) };
}

async function diff(invocation: Invocation, ref: string, operands: Operands, patch: boolean): Promise<undefined> {
  const engine = await invocation.engine();
  const second = operands.open[0] === undefined ? undefined : await secondRef(engine, operands.open[0]);
  const open = (second === undefined ? operands.open : operands.open.slice(1)).map((typed) => ({
    typed,
    path: pathOperand(typed, invocation.workspace),
  }));
  for (const operand of open) await requireKnownPath(invocation, engine, ref, second, operand);
  const paths = [
    ...open.map((operand) => operand.path),
    ...operands.paths.map((typed) => pathOperand(typed, invocation.workspace)),
  ];
  const from: Side = { ref };
  const to: Side = second === undefined ? { workspace: invocation.scan } : { ref: second };
  const { changes, skipped } = await engine.diff(from, to, paths.length === 0 || paths.includes("") ? {} : { paths });
  invocation.note(skipped.map(({ path, message }) => `Not compared: ${printable(path)}: ${printable(message)}`));
  if (!patch) {
    if (invocation.json) invocation.printJson(changesJson(changes));
    else
      invocation.print([
        ...invocation.shortened(changes.map((change) => changeLine(change, invocation.style))),
        summary(changes),
      ]);
    return;
  }
  // The line-by-line comparison is only loaded by those who ask for it.
  const { formatPatches } = await import("../patch");
  const content = await formatPatches(changes, engine, from, to, invocation.workspace);
  if (invocation.json) invocation.printJson({ ...changesJson(changes), patch: content.toString("utf8") });
  else invocation.printBytes(content);
}

/** `typed` if it names a checkpoint, undefined if it names none; one that fits several is an error. */
async function secondRef(engine: EngineApi, typed: string): Promise<string | undefined> {
  const ref = refOperand(typed);
  try {
    await engine.resolve(ref);
    return ref;
  } catch (error) {
    if (CheckpointError.is(error, "not-found")) return undefined;
    throw error;
  }
}

/** A mistyped REF2 would otherwise be taken for a path and answered with "no difference". */
async function requireKnownPath(
  invocation: Invocation,
  engine: EngineApi,
  ref: string,
  second: string | undefined,
  operand: { typed: string; path: string },
): Promise<void> {
  if (operand.path === "") return;
  if (lstatSync(path.join(invocation.workspace, operand.path), { throwIfNoEntry: false }) !== undefined) return;
  for (const side of second === undefined ? [ref] : [ref, second]) {
    try {
      await engine.stat(side, operand.path);
      return;
    } catch (error) {
      if (!CheckpointError.is(error, "not-found")) throw error;
    }
  }
  throw new CheckpointError(
    "not-found",
    `"${printable(operand.typed)}" is neither a checkpoint nor a path in any of the compared states. ` +
      '"checkpoint list" shows the checkpoints; a path known to be one goes after "--".',
  );
}

function summary(changes: readonly Change[]): string {
  if (changes.length === 0) return "No difference.";
  const counts = changesJson(changes);
  const words: [number, string][] = [
    [counts.added.length, "added"],
    [counts.changed.length, "changed"],
    [counts.removed.length, "removed"],
    [counts.typeChanged.length, "of another type"],
  ];
  return words
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${formatCount(count)} ${word}`)
    .join(", ");
}
