import type { Command } from "commander";
import type { Coverage, LeftOutGroup, LeftOutReason } from "../../shared/coverage";
import type { Invocation } from "../invocation";
import { coverageJson } from "../json";
import { formatBytes, formatCount, plural, printable } from "../output";
import type { Start } from "../program";

/** `coverage`: what is in a checkpoint, and what is not and why. */
export function addCoverageCommand(program: Command, start: Start): void {
  program
    .command("coverage")
    .description("what a save takes in, and what the present rules leave out and why")
    .option("--limit <n>", "list so many of each group by name (default: 10)")
    .action((options: { limit?: string }) => start((invocation) => coverage(invocation, options.limit)));
}

const SHOWN = 10;

async function coverage(invocation: Invocation, limit: string | undefined): Promise<undefined> {
  const options = { limit: SHOWN, ...invocation.limit(limit) };
  const scan = await invocation.scan();
  const result = await (await invocation.engine()).coverage(scan, options);
  if (invocation.json) invocation.printJson(coverageJson(result));
  else invocation.print(coverageLines(result));
}

function coverageLines(result: Coverage): string[] {
  const { saved, leftOut, secrets } = result;
  const lines = [`Saved: ${plural(saved.files, "file")}, ${formatBytes(saved.bytes)}`];
  if (secrets.total > 0) {
    lines.push("", `Saved, and by their names likely to hold keys or passwords: ${formatCount(secrets.total)}`);
    lines.push(...secrets.listed.map((path) => `  ${printable(path)}`));
    lines.push(...more(secrets.total - secrets.listed.length));
    lines.push('  ("save --exclude-secrets" leaves them out from then on; "purge" takes them out of the checkpoints)');
  }
  for (const group of leftOut) {
    lines.push("", `Left out ${because(group)}: ${amount(group)}`);
    for (const each of group.listed)
      lines.push(`  ${printable(each.path)}${each.path.endsWith("/") ? ` (${amount(each)})` : ""}`);
    lines.push(...more(group.entries - group.listed.length));
  }
  if (leftOut.length === 0) lines.push("", "Nothing is left out.");
  if (!result.isComplete) lines.push("", "Not all of what is left out was counted: there is more than this.");
  return lines;
}

const amount = ({ files, bytes }: { readonly files: number; readonly bytes: number }): string =>
  `${plural(files, "file")}, ${formatBytes(bytes)}`;

const more = (count: number): string[] => (count > 0 ? [`  … and ${formatCount(count)} more`] : []);

function because({ reason, rule }: LeftOutGroup): string {
  return rule === "" ? REASONS[reason] : `by ${printable(rule)}`;
}

const REASONS: Readonly<Record<LeftOutReason, string>> = {
  always: "always (version control, unfinished files, the store itself)",
  cache: "as caches (CACHEDIR.TAG)",
  checkpointignore: "by .checkpointignore",
  dependencies: "as downloaded dependencies (save --include-deps)",
  gitignore: "by .gitignore",
  secrets: "as secret-looking files (save --no-exclude-secrets)",
  setting: "by the setting checkpoint.files.exclude",
  "special-file": "because they have no content (sockets, pipes, devices)",
  "too-large": "because they are too large (save --max-file-size)",
  unreadable: "because they cannot be read",
};
