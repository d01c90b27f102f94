import type { Command } from "commander";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { damagedPackLines } from "../damagedPacks";
import { ExitCode } from "../exitCode";
import type { Invocation } from "../invocation";
import { checkpointJson, deleteJson } from "../json";
import { refOperand } from "../operands";
import { formatBytes, plural, printable, title } from "../output";
import type { Start } from "../program";

/** `rename`, `pin`, `unpin`, `delete`: what changes checkpoints that exist. */
export function addChangeCommands(program: Command, start: Start): void {
  program
    .command("rename")
    .description('give a checkpoint another name ("" takes the name away)')
    .argument("<ref>", "the checkpoint")
    .argument("<name>", "its new name")
    .action((ref: string, name: string) => start((invocation) => rename(invocation, refOperand(ref), name)));
  program
    .command("pin")
    .description("mark a checkpoint as one to keep")
    .argument("<ref>", "the checkpoint")
    .action((ref: string) => start((invocation) => pin(invocation, refOperand(ref), true)));
  program
    .command("unpin")
    .description("take that mark away")
    .argument("<ref>", "the checkpoint")
    .action((ref: string) => start((invocation) => pin(invocation, refOperand(ref), false)));
  program
    .command("delete")
    .description("delete checkpoints and free what only they used")
    .argument("<ref...>", "the checkpoints")
    .option("--force", "pinned ones, too")
    .action((refs: string[], { force = false }: { force?: boolean }) =>
      start((invocation) => remove(invocation, refs.map(refOperand), force)),
    );
}

async function rename(invocation: Invocation, ref: string, name: string): Promise<ExitCode> {
  const checkpoint = await (await invocation.engine()).rename(ref, name === "" ? null : name);
  if (invocation.json) invocation.printJson(checkpointJson(checkpoint));
  else
    invocation.print(
      name === ""
        ? `${title(checkpoint)} has no name now.`
        : `Checkpoint #${checkpoint.number} is named "${printable(name)}" now.`,
    );
  return ExitCode.done;
}

async function pin(invocation: Invocation, ref: string, pinned: boolean): Promise<ExitCode> {
  const checkpoint = await (await invocation.engine()).pin(ref, pinned);
  if (invocation.json) invocation.printJson(checkpointJson(checkpoint));
  else invocation.print(`${pinned ? "Pinned" : "Unpinned"} ${title(checkpoint)}.`);
  return ExitCode.done;
}

async function remove(invocation: Invocation, refs: readonly string[], force: boolean): Promise<ExitCode> {
  const engine = await invocation.engine();
  // All references are read before anything goes: "delete latest latest~1" means the two that are newest now.
  const plan = await engine.planDelete(refs);
  const pinned = plan.checkpoints.filter((each) => each.pinned);
  if (pinned.length > 0 && !force) throw pinnedError(pinned);
  const result = await engine.delete(plan.checkpoints.map(({ id }) => id));
  if (invocation.json) invocation.printJson(deleteJson(plan, result));
  else {
    const what =
      plan.checkpoints.length === 1 ? title(plan.checkpoints[0]!) : plural(plan.checkpoints.length, "checkpoint");
    if (plan.endsUndo) invocation.note(["The last restore can no longer be undone: what was there before is deleted."]);
    invocation.print(`Deleted ${what}; ${formatBytes(result.freedBytes)} freed.`);
    invocation.note(damagedPackLines(result));
  }
  return ExitCode.done;
}

/** Names all of them: unpinning one only to be told of the next would be tiresome. */
function pinnedError(pinned: readonly Checkpoint[]): CheckpointError {
  const isOne = pinned.length === 1;
  const names = pinned.map(title).join(", ");
  const unpin = pinned.map(({ number }) => `"checkpoint unpin ${number}"`).join(", ");
  return new CheckpointError(
    "usage",
    `${names} ${isOne ? "is" : "are"} pinned, so nothing was deleted. Unpin ${isOne ? "it" : "them"} first (${unpin}), or give --force.`,
  );
}
