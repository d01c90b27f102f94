/** A run as text for a terminal, and as Markdown for docs/PERFORMANCE.md. */
import { writeSection } from "./markdownSections.mjs";
import { KIB, median } from "./rows.mjs";
import { bytes, columns, duration, markdownTable, seconds } from "./textTable.mjs";

export function formatResults(results, rows) {
  const { machine, samples, sizes, queries } = results;
  const parts = [
    heading(results).join("\n"),
    ...(machine.warnings.length > 0 ? [machine.warnings.map((text) => `WARNING  ${text}`).join("\n")] : []),
    table([
      ["operation", "peer", "seconds", "min..max (n)", "CPU s", "peak memory"],
      ...Object.entries(samples).flatMap(([operation, peers]) =>
        Object.entries(peers).map(([peer, taken]) => [operation, peer, ...sampleCells(taken)]),
      ),
    ]),
    table([
      ["size", "peer", "median", "min..max (n)"],
      ...Object.entries(sizes).flatMap(([measure, peers]) =>
        Object.entries(peers).map(([peer, values]) => sizeCells(measure, peer, values)),
      ),
    ]),
    ...(queries === undefined ? [] : [formatQueries(queries)]),
    table([ROW_HEAD, ...rows.map(rowCells)]),
    "Targets are stated for the Linux source tree; on a small tree starting Node weighs more than the work.",
  ];
  return parts.join("\n\n");
}

const table = (rows) => columns(rows).join("\n");

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
    ]),
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

const ROW_HEAD = [
  "row",
  "figure",
  "ours",
  "against",
  "theirs",
  "ratio",
  "target",
  "verdict",
  "CPU s",
  "peak memory",
  "notes",
];

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

/** The places of docs/PERFORMANCE.md that rows belong to; `npm run bench:editor` writes another one. */
export const SECTIONS = ["main", "extras"];

/** Writes the rows into a Markdown file: into each of its places that this run measured something for. */
export function writeMarkdown(file, results, rows) {
  const facts = [...heading(results), ...results.machine.warnings].map((text) => `- ${text.trim()}`);
  for (const section of SECTIONS) {
    const own = rows.filter((row) => row.section === section);
    // The size of the packages is known after every run.
    if (!own.some(({ id, value }) => id !== "P9" && value !== undefined)) continue;
    writeSection(file, section, [...facts, "", ...markdownTable([ROW_HEAD, ...own.map(rowCells)])]);
  }
}
