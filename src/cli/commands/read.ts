import type { Command } from "commander";
import type { Invocation } from "../invocation";
import { contentJson } from "../json";
import { refOperand } from "../operands";
import type { Start } from "../program";

export function addReadCommands(program: Command, start: Start): void {
  program
    .command("cat")
    .description("write a file of a checkpoint to stdout, byte for byte")
    .argument("<ref>", "the checkpoint")
    .argument("<path>", "the file; of a symlink, its target is written")
    .action((ref: string, path: string) => start((invocation) => cat(invocation, refOperand(ref), path)));
}

async function cat(invocation: Invocation, ref: string, typed: string): Promise<undefined> {
  const path = invocation.path(typed);
  const engine = await invocation.engine();
  const content = await engine.readFile(ref, path);
  if (invocation.json) invocation.printJson(contentJson(path, await engine.stat(ref, path), content));
  else invocation.printBytes(content);
}
