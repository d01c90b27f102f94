/** A run as text for a terminal, and as Markdown for docs/PERFORMANCE.md. */
import * as fs from "node:fs";
import { median } from "./rows.mjs";

const KIB = 1024;
const MB = 1e6;

export function formatResults(results, rows) {
  const { machine, samples, sizes, queries } = results;
  const parts = [
    heading(results).join("\n"),
    ...(machine.warnings.length > 0 ? [machine.warnings.map((text) => `WARNING  ${text}`).join("\n")] : []),
    columns([
      ["operation", "peer", "seconds", "min..max (n)", "CPU s", "peak memory"],
      ...Object.entries(samples).flatMap(([operation, peers]) =>
        Object.entries(peers).map(([peer, taken]) => [operation, peer, ...sampleCells(taken)]),
      ),
    ]),
    columns([
      ["size", "peer", "median", "min..max (n)"],
      ...Object.entries(sizes).flatMap(([measure, peers]) =>
        Object.entries(peers).map(([peer, values]) => sizeCells(measure, peer, values)),
      ),
    ]),
    ...(queries === undefined ? [] : [formatQueries(queries)]),
    columns([ROW_HEAD, ...rows.map(rowCells)]),
    "Targets are stated for the Linux source tree; on a small tree starting Node weighs more than the work.",
  ];
  return parts.join("\n\n");
}

function heading({ date, machine, corpus, peers }) {
  const { cores, cpu, memory, node, kernel, load, fileSystem } = machine;
  return [
    `${date}  ${cores} x ${cpu}, ${bytes(memory)}, Node ${node.slice(1)}, Linux ${kernel}, load ${load.toFixed(2)}`,
    `File system: ${fileSystem.type}${fileSystem.journal === undefined ? "" : fileSystem.journal ? " with journal" : " without journal"}`,
    `Corpus ${corpus.name}: ${corpus.files} files, ${corpus.folders} folders, ${corpus.links} links, ${bytes(corpus.bytes)}`,
    ...peers.map(({ name, version }) => `  ${name}: ${version}`),
  ];
}

function formatQueries({ checkpoints, uniqueBytes, asked, searched, commands }) {
  return [
    `${checkpoints} checkpoints, ${bytes(uniqueBytes)} of different contents`,
    ...columns([
      ["question", "answers", "opening", "first answer", "then", "min..max (n)", "CPU s", "peak memory"],
      ...[...asked, ...searched].map(({ what, size, open, first, samples }) => [
        `${what}, running`,
        String(size),
        duration(open.wall),
        duration(first.wall),
        ...sampleCells(samples, duration),
      ]),
      ...commands.map(({ what, peer, samples }) => [
        `${what}, ${peer === "git" ? "git" : "command line"}`,
        "",
        "",
        "",
        ...sampleCells(samples, duration),
      ]),
    ]).split("\n"),
  ].join("\n");
}

function sampleCells(samples, show = seconds) {
  const walls = samples.map((sample) => sample.wall);
  return [
    show(median(walls)),
    `${show(Math.min(...walls))}..${show(Math.max(...walls))} (${walls.length})`,
    seconds(median(samples.map((sample) => sample.cpu))),
    bytes(Math.max(...samples.map((sample) => sample.rssKb)) * KIB),
  ];
}

function sizeCells(measure, peer, values) {
  const show = /files|entries/.test(measure) ? String : bytes;
  const range = `${show(Math.min(...values))}..${show(Math.max(...values))} (${values.length})`;
  return [measure, peer, show(median(values)), range];
}

const ROW_HEAD = ["row", "figure", "ours", "against", "theirs", "ratio", "target", "", "CPU s", "peak memory", "notes"];

function rowCells(row) {
  const show = row.unit === "s" ? duration : row.unit === "B" ? bytes : String;
  const isRatio = row.peer !== undefined;
  const pair = (values, format) => (values ?? []).filter((value) => value !== undefined).map(format);
  return [
    row.id,
    row.what,
    row.ours === undefined ? "" : show(row.ours),
    row.peer ?? "",
    row.theirs === undefined ? "" : show(row.theirs),
    isRatio && row.value !== undefined ? row.value.toFixed(2) : "",
    `${row.atLeast ? ">=" : "<="} ${isRatio ? row.target.toFixed(2) : show(row.target)}`,
    row.verdict,
    pair(row.cpu, seconds).join(" / "),
    pair(row.rss, bytes).join(" / "),
    row.notes.map(noteText).join("; "),
  ];
}

function noteText(note) {
  if (typeof note === "string") return note;
  return `${note.text} ${note.bytes === undefined ? duration(note.seconds) : bytes(note.bytes)}`;
}

const BEGIN = "<!-- bench: begin -->";
const END = "<!-- bench: end -->";

/** Puts the rows into a Markdown file: between its two marks, or as the whole of a file that is not there yet. */
export function writeMarkdown(file, results, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const head = ROW_HEAD.map((name) => name || "verdict");
  const block = [
    BEGIN,
    ...[...heading(results), ...results.machine.warnings].map((text) => `- ${text.trim()}`),
    "",
    line(head),
    `|${head.map(() => "---|").join("")}`,
    ...rows.map((row) => line(rowCells(row))),
    END,
  ].join("\n");
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : `${BEGIN}\n${END}\n`;
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has no "${BEGIN}" followed by "${END}"; nothing was written.`);
  fs.writeFileSync(file, text.slice(0, from) + block + text.slice(to + END.length));
}

function seconds(value) {
  return value.toFixed(value < 9.995 ? 3 : 1);
}

function duration(value) {
  return value < 0.2 ? `${(value * 1000).toFixed(value < 0.01 ? 2 : 1)} ms` : `${seconds(value)} s`;
}

function bytes(value) {
  const size = Math.abs(value);
  if (size < 1000) return `${Math.round(value)} B`;
  if (size < MB) return `${(value / 1000).toFixed(1)} kB`;
  return size < 1e9 ? `${(value / MB).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  return lines.join("\n");
}
