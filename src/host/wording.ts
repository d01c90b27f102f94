/** Checkpoints, times, counts and sizes in words. */
import * as vscode from "vscode";
import type { ChangeKind } from "../shared/changes";
import type { Checkpoint, CheckpointKind } from "../shared/checkpoints";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The name a person gave, or time and number: "14:03 #12". */
export function checkpointLabel(checkpoint: Checkpoint): string {
  return checkpoint.name ?? `${clockTime(checkpoint.createdAt)} #${checkpoint.number}`;
}

/** Short, for titles: 'before the talk (#12)' or "#12". */
export function checkpointTitle(checkpoint: Checkpoint): string {
  return checkpoint.name === null ? `#${checkpoint.number}` : `${checkpoint.name} (#${checkpoint.number})`;
}

/** "+3 ~2 −1"; parts that are 0 are left out. */
export function changeCounts(counts: {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}): string {
  const parts: string[] = [];
  if (counts.added > 0) parts.push(`+${counts.added}`);
  if (counts.changed > 0) parts.push(`~${counts.changed}`);
  if (counts.removed > 0) parts.push(`−${counts.removed}`);
  return parts.join(" ");
}

/** The same for a screen reader. */
export function changeCountsSpoken(counts: {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}): string {
  return vscode.l10n.t("{0} added, {1} changed, {2} removed", counts.added, counts.changed, counts.removed);
}

/** One word for rows, which have no room for more at the view's default width; none for what people expect. */
export function kindWord(kind: CheckpointKind): string {
  switch (kind) {
    case "manual":
      return "";
    case "auto":
      return vscode.l10n.t("automatic");
    case "safety":
      return vscode.l10n.t({ message: "safety", comment: ["A checkpoint made before a restore, undo or redo"] });
    case "import":
      return vscode.l10n.t("imported");
  }
}

/** Why the checkpoint was made; empty for one somebody asked for here, which is what people expect. */
export function reasonWords(checkpoint: Checkpoint): string {
  switch (checkpoint.trigger) {
    case "manual":
      return "";
    case "interval":
      return vscode.l10n.t("automatic");
    case "restore":
      return vscode.l10n.t("before a restore");
    case "undo":
      return vscode.l10n.t("before an undo");
    case "redo":
      return vscode.l10n.t("before a redo");
    case "unsaved":
      return vscode.l10n.t("what was unsaved before a restore");
    case "cli":
      return vscode.l10n.t("from the command line");
    case "import":
      return vscode.l10n.t("imported");
    default:
      return checkpoint.trigger;
  }
}

export function changeLetter(kind: ChangeKind): string {
  return { added: "A", changed: "M", removed: "D", typeChanged: "T" }[kind];
}

export function changeWord(kind: ChangeKind): string {
  switch (kind) {
    case "added":
      return vscode.l10n.t("added");
    case "changed":
      return vscode.l10n.t("modified");
    case "removed":
      return vscode.l10n.t("removed");
    case "typeChanged":
      return vscode.l10n.t("type changed");
  }
}

export function fileCount(count: number): string {
  return count === 1 ? vscode.l10n.t("1 file") : vscode.l10n.t("{0} files", wholeNumber(count));
}

export function wholeNumber(value: number): string {
  return new Intl.NumberFormat(vscode.env.language).format(value);
}

/** Bytes in the largest decimal unit that keeps the number above 1, e.g. "1.2 MB". */
export function fileSize(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const exponent = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(vscode.env.language, {
    style: "unit",
    unit: units[exponent] ?? "byte",
    unitDisplay: exponent === 0 ? "long" : "short",
    maximumFractionDigits: exponent === 0 ? 0 : 1,
  }).format(bytes / 1000 ** exponent);
}

export function clockTime(at: number): string {
  return new Intl.DateTimeFormat(vscode.env.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    at,
  );
}

export function dateAndTime(at: number): string {
  return new Intl.DateTimeFormat(vscode.env.language, { dateStyle: "full", timeStyle: "medium" }).format(at);
}

/** What is known, side by side: "added · automatic". Empty parts are left out. */
export function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}

/** "in 5 min.", "in 2 hr."; never less than a minute, because nobody waits for seconds. */
export function timeUntil(at: number, now: number): string {
  const format = new Intl.RelativeTimeFormat(vscode.env.language, { style: "short" });
  const left = Math.max(MINUTE, at - now);
  return left < HOUR
    ? format.format(Math.ceil(left / MINUTE), "minute")
    : format.format(Math.round(left / HOUR), "hour");
}

/** "5 min. ago", "yesterday", … */
export function relativeTime(at: number, now: number): string {
  const format = new Intl.RelativeTimeFormat(vscode.env.language, { numeric: "auto", style: "short" });
  const passed = Math.max(0, now - at);
  if (passed < MINUTE) return vscode.l10n.t("just now");
  if (passed < HOUR) return format.format(-Math.floor(passed / MINUTE), "minute");
  if (passed < DAY) return format.format(-Math.floor(passed / HOUR), "hour");
  return format.format(-Math.floor(passed / DAY), "day");
}

/** Shortest form, for the status bar: "now", "5m", "2h", "3d". */
export function shortAge(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < MINUTE) return vscode.l10n.t({ message: "now", comment: ["Age of a checkpoint below a minute"] });
  if (passed < HOUR)
    return vscode.l10n.t({ message: "{0}m", args: [Math.floor(passed / MINUTE)], comment: ["Minutes"] });
  if (passed < DAY) return vscode.l10n.t({ message: "{0}h", args: [Math.floor(passed / HOUR)], comment: ["Hours"] });
  return vscode.l10n.t({ message: "{0}d", args: [Math.floor(passed / DAY)], comment: ["Days"] });
}

/** The heading of a day: Today, Yesterday, or the date. */
export function dayLabel(at: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days === 0) return vscode.l10n.t("Today");
  if (days === 1) return vscode.l10n.t("Yesterday");
  return new Intl.DateTimeFormat(vscode.env.language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(new Date(at).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" }),
  }).format(at);
}

/** Midnight in local time; days are rounded above because a day with a clock change has 23 or 25 hours. */
export function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
