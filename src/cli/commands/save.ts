import type { Command } from "commander";
import { CheckpointError } from "../../shared/errors";
import type { SaveResult } from "../../shared/saves";
import type { Invocation } from "../invocation";
import { saveJson } from "../json";
import { leftOutLines } from "../leftOut";
import { sizeOperand } from "../operands";
import { formatBytes, formatChangeCounts, formatDuration, plural, title } from "../output";
import type { Start } from "../program";

interface SaveOptions {
  readonly message?: string;
  readonly note?: string;
  readonly includeDeps?: boolean;
  readonly excludeSecrets?: boolean;
  readonly maxFileSize?: string;
  readonly packChunkBytes?: string;
  readonly auto?: boolean;
}

export function addSaveCommand(program: Command, start: Start): void {
  program
    .command("save")
    .description("save the workspace as a checkpoint")
    .option("-m, --message <name>", "name the checkpoint (it is then made even if nothing changed)")
    .option("--note <text>", "keep a longer text with it")
    .option("--include-deps", "also save node_modules, virtual environments and other downloaded dependencies")
    .option("--no-include-deps", "leave them out (without either option: as in the newest checkpoint)")
    .option("--exclude-secrets", "leave out files that look by their names as if they held keys or passwords")
    .option("--no-exclude-secrets", "save them (without either option: as in the newest checkpoint)")
    .option("--max-file-size <bytes>", "leave out larger files (1048576, 64M, 2G); they are named in the result")
    .option("--pack-chunk-bytes <bytes>", "cut larger packs into parts of this size")
    .option("--auto", "mark it as an automatic checkpoint instead of one made by hand")
    .action((options: SaveOptions) => start((invocation) => save(invocation, options)));
}

async function save(invocation: Invocation, options: SaveOptions): Promise<undefined> {
  if (options.message?.trim() === "")
    throw new CheckpointError("usage", "The name is empty. Give one, or leave -m away to save without a name.");
  const maxFileBytes =
    options.maxFileSize === undefined ? undefined : sizeOperand(options.maxFileSize, "--max-file-size");
  const packChunkBytes =
    options.packChunkBytes === undefined ? 0 : sizeOperand(options.packChunkBytes, "--pack-chunk-bytes");
  invocation.expectMeant();
  const engine = await invocation.engine({ scansSoon: true });
  const result = await engine.save({
    kind: options.auto === true ? "auto" : "manual",
    trigger: "cli",
    ...(options.message === undefined ? {} : { name: options.message }),
    ...(options.note === undefined ? {} : { note: options.note }),
    scan: {
      ...(await invocation.scan()),
      ...(options.includeDeps === undefined ? {} : { includeDependencies: options.includeDeps }),
      ...(options.excludeSecrets === undefined ? {} : { secrets: options.excludeSecrets ? "exclude" : "include" }),
      ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
    },
    ...(packChunkBytes > 0 ? { packChunkBytes } : {}),
  });
  // Said on stderr, also with --json: files that are not in the checkpoint must not go unnoticed in a log.
  invocation.note(leftOutLines(result.skipped, "Left out", " (--json lists all)"));
  if (result.checkpoint?.files === 0 && !result.noChange)
    invocation.note(["No file was found to save. If that surprises you, look at the ignore files in this folder."]);
  if (invocation.json) invocation.printJson(saveJson(result));
  else invocation.print(savedLine(result));
}

function savedLine({ checkpoint, noChange, durationMs }: SaveResult): string {
  if (checkpoint === null) return "There is nothing to save yet; no checkpoint was made.";
  if (noChange) return `Nothing changed since ${title(checkpoint)}; no checkpoint was made.`;
  const size = `${plural(checkpoint.files, "file")}, ${formatBytes(checkpoint.bytes)}`;
  return `Saved ${title(checkpoint)}: ${formatChangeCounts(checkpoint)} (${size}) in ${formatDuration(durationMs)}`;
}
