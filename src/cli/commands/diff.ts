import type { Command } from "commander";
import type { EngineApi } from "../../shared/api";
import type { Change, Side } from "../../shared/changes";
import { CheckpointError } from "../../shared/errors";
import type { Invocation } from "../invocation";
import { changesJson } from "../json";
import { leftOutLines } from "../leftOut";
import { refOperand } from "../operands";
import { changeLine, formatCount, printable } from "../output";
import type { Start } from "../program";
import { workspaceFile } from "../workspaceFile";

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
  // One reference alone is compared with the workspace.
  const engine = await invocation.engine({ scansSoon: operands.open.length === 0 });
  const second = operands.open[0] === undefined ? undefined : await secondRef(engine, operands.open[0]);
  const open = second === undefined ? operands.open : operands.open.slice(1);
  // Otherwise a mistyped checkpoint would be reported as a path that it does not hold.
  if (open.length + operands.paths.length > 0) await engine.resolve(ref);
  const paths: string[] = [];
  for (const typed of [...open, ...operands.paths]) {
    const path = invocation.path(typed);
    if (!(await isKnownPath(invocation, engine, second === undefined ? [ref] : [ref, second], path)))
      throw unknownOperand(typed, operands.paths.includes(typed));
    paths.push(path);
  }
  const from: Side = { ref };
  const to: Side = second === undefined ? { workspace: await invocation.scan() } : { ref: second };
  const { changes, skipped } = await engine.diff(from, to, paths.length === 0 || paths.includes("") ? {} : { paths });
  invocation.note(leftOutLines(skipped, "Not compared"));
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
  const { collectPatches, formatPatches } = await import("../patch");
  const patches = formatPatches(changes, engine, from, to, invocation.workspace);
  if (!invocation.json) await invocation.printPieces(patches);
  else invocation.printJson({ ...changesJson(changes), patch: await collectPatches(patches) });
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

/** A mistyped path, or a mistyped REF2 taken for one, would otherwise be answered with "no difference". */
async function isKnownPath(
  invocation: Invocation,
  engine: EngineApi,
  refs: readonly string[],
  path: string,
): Promise<boolean> {
  if (path === "" || workspaceFile(invocation.workspace, path) !== undefined) return true;
  for (const ref of refs) {
    try {
      await engine.stat(ref, path);
      return true;
    } catch (error) {
      if (!CheckpointError.is(error, "not-found")) throw error;
    }
  }
  return false;
}

/** `isPath`: it stood after "--", so it was not meant as a checkpoint. */
function unknownOperand(typed: string, isPath: boolean): CheckpointError {
  const what = `"${printable(typed)}" is neither`;
  return new CheckpointError(
    "not-found",
    isPath
      ? `${what} in the compared checkpoints nor in the workspace. Check the path.`
      : `${what} a checkpoint nor a path in any of the compared states. ` +
          'Check the path; "checkpoint list" shows the checkpoints.',
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
