/** What people read: sizes, times, counts, tables. Nothing here writes; commands do. */
import pc from "picocolors";
import type { Change, ChangeKind } from "../shared/changes";
import type { Checkpoint } from "../shared/checkpoints";
import type { CliEnvironment, Output } from "./environment";
import { octal } from "./json";

export type Style = ReturnType<typeof pc.createColors>;

/** Colours only on a terminal, and never against https://no-color.org. */
export function styleFor(output: Output, env: CliEnvironment["env"]): Style {
  return pc.createColors(output.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb");
}

/**
 * Names come from the disk and may hold anything: line feeds that would forge a second line, escape sequences that
 * would steer the terminal, direction marks that would reorder it. They are written as escapes.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Decimal units, as file managers and disks have them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${units[unit]}`;
}

/** Grouped by hand: the first use of Intl costs several milliseconds, a tenth of a small save. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Local time to the second. */
export function formatTime(ms: number): string {
  const time = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

export function formatDuration(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
}

/** `#12`, or `#12 "name"`. */
export function title(checkpoint: Pick<Checkpoint, "number" | "name">): string {
  return checkpoint.name === null
    ? `#${checkpoint.number}`
    : `#${checkpoint.number} ${JSON.stringify(printable(checkpoint.name))}`;
}

export function formatChangeCounts(counts: { added: number; changed: number; removed: number }): string {
  return `${formatCount(counts.added)} added, ${formatCount(counts.changed)} changed, ${formatCount(counts.removed)} removed`;
}

const CHANGE_LETTERS: Readonly<Record<ChangeKind, string>> = {
  added: "A",
  changed: "M",
  removed: "D",
  typeChanged: "T",
};

export function changeLine(
  change: Pick<Change, "kind" | "path"> & Partial<Pick<Change, "before" | "after">>,
  style: Style,
): string {
  const paint = { added: style.green, changed: style.yellow, removed: style.red, typeChanged: style.magenta };
  return `${paint[change.kind](CHANGE_LETTERS[change.kind])} ${printable(change.path)}${style.dim(modeChange(change))}`;
}

/** Says that nothing but the permissions differ: the line alone would let one look for other content. */
function modeChange({ kind, before, after }: Partial<Pick<Change, "kind" | "before" | "after">>): string {
  if (kind !== "changed" || before === undefined || after === undefined) return "";
  if (before.hash !== after.hash || before.mode === after.mode) return "";
  return ` (mode ${octal(before.mode)} → ${octal(after.mode)})`;
}

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
  /** Columns that do not fit go, the highest number first; 0 stays always. */
  readonly dropOrder: number;
}

/**
 * A table that fits `width` (undefined = as wide as it is): columns are dropped by `dropOrder`, then the last column,
 * which takes free text, is cut. Cells must be printable already.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
  style: Style,
): string[] {
  const shown = columns.map((column, index) => ({
    ...column,
    index,
    width: Math.max(displayWidth(column.head), ...rows.map((row) => displayWidth(row[index] ?? ""))),
  }));
  const fixedWidth = (): number => shown.slice(0, -1).reduce((sum, column) => sum + column.width + GAP.length, 0);
  if (width !== undefined) {
    while (fixedWidth() + Math.min(MIN_TEXT_WIDTH, shown.at(-1)?.width ?? 0) > width) {
      const victim = shown
        .slice(0, -1)
        .filter((column) => column.dropOrder > 0)
        .sort((a, b) => b.dropOrder - a.dropOrder)[0];
      if (victim === undefined) break;
      shown.splice(shown.indexOf(victim), 1);
    }
  }
  const room = width === undefined ? undefined : Math.max(1, width - fixedWidth());
  const line = (cell: (index: number) => string): string =>
    shown
      .map((column, position) => {
        const text = cell(column.index);
        if (position < shown.length - 1) return pad(text, column.width, column.align ?? "left");
        return room === undefined ? text : cut(text, room);
      })
      .join(GAP)
      .trimEnd();
  return [
    style.dim(line((index) => columns[index]?.head ?? "")),
    ...rows.map((row) => line((index) => row[index] ?? "")),
  ];
}

const GAP = "  ";
/** Narrower than this a name says nothing; another column goes first. */
const MIN_TEXT_WIDTH = 16;

function pad(text: string, width: number, align: "left" | "right"): string {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + spaces : spaces + text;
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Columns a text takes on a terminal: East Asian and emoji characters two, combining marks none. */
export function displayWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "ASCII".
  if (/^[\x00-\x7f]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += /^\p{M}|\u200d|\ufe0f$/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
