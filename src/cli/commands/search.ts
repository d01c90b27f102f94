import type { Command } from "commander";
import {
  DEFAULT_MATCHES,
  LINE_CHARACTERS,
  MATCHES_PER_VERSION,
  type SearchMatch,
  type SearchResult,
} from "../../shared/searches";
import { ExitCode } from "../exitCode";
import type { Invocation } from "../invocation";
import { searchJson } from "../json";
import { leftOutLines } from "../leftOut";
import { formatBytes, formatCount, plural, printable, type Style } from "../output";
import type { Start } from "../program";

interface SearchOptions {
  readonly path?: string;
  readonly deleted?: boolean;
  readonly regex?: boolean;
  readonly caseSensitive?: boolean;
  readonly limit?: string;
}

const HELP = `
Every version of every file is searched once, line by line; the first match of each line is shown, with the newest
checkpoint that has this version of the file. The pattern of --path is written as in .gitignore: "*.ts", "/src/",
"docs/**/*.md"; with "!" in front it stands for all other paths. Braces ("*.{c,h}") mean themselves. A regular
expression is JavaScript's (with the flag "u") and sees the first ${formatCount(LINE_CHARACTERS)} characters of a line. Files that hold
zero bytes are not text and are left out.`;

export function addSearchCommand(program: Command, start: Start): void {
  program
    .command("search")
    .description("search the files of all checkpoints, also deleted ones and old versions")
    .argument("<text>", "what a line must hold; upper and lower case are the same")
    .option("--path <glob>", "only files at paths that match this pattern")
    .option("--deleted", "only files that the newest checkpoint does not have any more")
    .option("-e, --regex", "the text is a regular expression")
    .option("--case-sensitive", "upper and lower case differ")
    .option("--limit <n>", `at most so many matches (default: ${DEFAULT_MATCHES})`)
    .addHelpText("after", HELP)
    .action((text: string, options: SearchOptions) => start((invocation) => search(invocation, text, options)));
}

async function search(invocation: Invocation, text: string, options: SearchOptions): Promise<ExitCode> {
  const request = {
    text,
    regex: options.regex === true,
    matchCase: options.caseSensitive === true,
    deleted: options.deleted === true,
    ...(options.path === undefined ? {} : { path: options.path }),
    ...invocation.limit(options.limit),
  };
  const result = await (await invocation.engine()).search(request);
  if (invocation.json) invocation.printJson(searchJson(result));
  else {
    invocation.print(matchLines(result.matches, invocation.style));
    invocation.note(noteLines(result, options.path));
  }
  return result.unreadable.length > 0 ? ExitCode.damaged : ExitCode.done;
}

/**
 * `#12  src/a.ts:10: text`. A line that older versions of the file have as well is printed for the newest of them
 * alone, wherever in the file it stood, with their number: an unchanged line would be repeated for every other change.
 */
function matchLines(matches: readonly SearchMatch[], style: Style): string[] {
  const width = matches.reduce((widest, { checkpoint }) => Math.max(widest, String(checkpoint.number).length), 0) + 1;
  const lines: string[] = [];
  for (const group of byPath(matches)) {
    for (const { match, older } of withoutRepetition(group)) {
      const number = `#${match.checkpoint.number}`.padEnd(width);
      const place = `${style.magenta(printable(match.path))}:${style.green(String(match.line))}:`;
      // In front: behind the line of the file it could be taken for a part of it.
      const notes = [
        ...(match.deleted ? ["deleted"] : []),
        ...(older === 0 ? [] : [`also in ${plural(older, "older version")}`]),
      ].join("; ");
      const remark = notes === "" ? "" : style.dim(`(${notes}) `);
      lines.push(`${style.cyan(number)}  ${remark}${place} ${previewText(match, style)}`);
    }
  }
  return lines;
}

function byPath(matches: readonly SearchMatch[]): SearchMatch[][] {
  const groups: SearchMatch[][] = [];
  for (const match of matches) {
    const group = groups.at(-1);
    if (group?.[0]?.path === match.path) group.push(match);
    else groups.push([match]);
  }
  return groups;
}

/** The matches of one path, newest version first, without those whose line a newer version shows already. */
function withoutRepetition(matches: readonly SearchMatch[]): { match: SearchMatch; older: number }[] {
  const shown = new Map<string, { match: SearchMatch; versions: Set<string>; older: number }[]>();
  const kept: { match: SearchMatch; versions: Set<string>; older: number }[] = [];
  for (const match of matches) {
    const equal = shown.get(match.preview) ?? [];
    // A version may have the same line twice: each of its lines repeats another one.
    const repeated = equal.find((each) => !each.versions.has(match.hash));
    if (repeated !== undefined) {
      repeated.versions.add(match.hash);
      repeated.older++;
      continue;
    }
    const entry = { match, versions: new Set([match.hash]), older: 0 };
    shown.set(match.preview, [...equal, entry]);
    kept.push(entry);
  }
  return kept;
}

function previewText({ preview, start, length }: SearchMatch, style: Style): string {
  const shown = (text: string): string => printable(text.replaceAll("\t", "    "));
  const before = shown(preview.slice(0, start));
  return `${before}${style.bold(style.red(shown(preview.slice(start, start + length))))}${shown(preview.slice(start + length))}`;
}

function noteLines(result: SearchResult, path: string | undefined): string[] {
  const { matches, files, contents, bytes, binary, limitReached, cutContents, unreadable } = result;
  const binaries = binary === 0 ? "" : `; ${formatCount(binary)} that are no text left out`;
  const searched = `${plural(contents, "version")} of ${plural(files, "file")} (${formatBytes(bytes)})${binaries}`;
  const notSearched = unreadable.map(({ path, checkpoint, message }) => ({
    path: `${path} of #${checkpoint.number}`,
    message,
  }));
  return [
    ...leftOutLines(notSearched, "Not searched", " (--json lists all)"),
    ...(cutContents === 0
      ? []
      : [
          `Of ${plural(cutContents, "version")} with more than ${MATCHES_PER_VERSION} matching lines, the first ${MATCHES_PER_VERSION} are listed.`,
        ]),
    limitReached
      ? `Only the first ${matches.length === 1 ? "match" : plural(matches.length, "match", "matches")}; there may be more (--limit, --path).`
      : files === 0 && path !== undefined
        ? `No file of any checkpoint matches --path ${JSON.stringify(path)}.`
        : matches.length === 0
          ? `Nothing found in ${searched}.`
          : `${plural(matches.length, "match", "matches")} in ${searched}.`,
  ];
}
