/** From samples to figures, and from figures to the targets they are held against. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const KIB = 1024;
const MB = 1e6;

/** One row: a figure, what it is compared with, the target. `measured` undefined = not part of this run. */
export function judge(results) {
  const wall = (operation, peer) => figure(results.samples[operation]?.[peer], (sample) => sample.wall);
  const cpu = (operation, peer) => figure(results.samples[operation]?.[peer], (sample) => sample.cpu);
  const rss = (operation, peer) => highest(results.samples[operation]?.[peer], (sample) => sample.rssKb * KIB);
  const size = (measure, peer) => figure(results.sizes[measure]?.[peer], (value) => value);
  const ratio = (id, what, ours, peer, theirs, target, unit = "s") => ({
    id,
    what,
    measured: ours,
    unit,
    peer,
    reference: theirs,
    value: ours === undefined || theirs === undefined ? undefined : ours / theirs,
    target,
  });
  const bound = (id, what, measured, target, unit) => ({ id, what, measured, unit, value: measured, target });
  /** What the store grew by, less what the five files take compressed. */
  const overhead = (measure) => {
    const growth = size(measure, "checkpoint");
    return growth === undefined ? undefined : growth - size("growth frames", "checkpoint");
  };
  const many = results.samples["many saves"]?.engine ?? [];
  const rows = [
    ratio("P1", "cold save", wall("cold save", "checkpoint"), "git", wall("cold save", "git"), 0.15),
    ratio("P1", "cold save", wall("cold save", "checkpoint"), "tar | lz4", wall("cold save", "tar"), 0.65),
    ratio("P1", "cold save", wall("cold save", "checkpoint"), "chkpt", wall("cold save", "chkpt"), 1),
    ratio("P1", "cold save, CPU", cpu("cold save", "checkpoint"), "chkpt", cpu("cold save", "chkpt"), 1),
    ratio("P2", "nothing changed", wall("no-change save", "checkpoint"), "git", wall("no-change save", "git"), 1),
    ratio(
      "P2",
      "nothing changed, running",
      wall("no-change save", "engine"),
      "git",
      wall("no-change save", "git"),
      0.5,
    ),
    ratio("P3", "5-file save", wall("5-file save", "checkpoint"), "git", wall("5-file save", "git"), 1),
    ratio("P4", "5-file restore", wall("5-file restore", "checkpoint"), "git", wall("5-file restore", "git"), 1.2),
    ratio("P4", "5-file restore, running", wall("5-file restore", "engine"), "git", wall("5-file restore", "git"), 0.7),
    ratio("P5", "full restore", wall("full restore", "checkpoint"), "git", wall("full restore", "git"), 0.5),
    ratio("P5", "full restore", wall("full restore", "checkpoint"), "chkpt", wall("full restore", "chkpt"), 1.1),
    bound(
      "P5",
      "wrong entries after it",
      highest(results.sizes["wrong entries"]?.checkpoint, (value) => value),
      0,
      "",
    ),
    bound("P6", "growth beyond content, bytes", overhead("growth bytes"), 64 * KIB, "B"),
    bound("P6", "growth beyond content, blocks", overhead("growth disk"), 128 * KIB, "B"),
    bound("P6", `catalog after ${many.length} saves`, size("catalog bytes", "engine"), 2 * MB, "B"),
    ratio("P6", "last ten saves", tenth(many.slice(-10)), "first ten", tenth(many.slice(0, 10)), 1.2),
    ratio(
      "P7",
      "store after cold save",
      size("store bytes", "checkpoint"),
      "chkpt",
      size("store bytes", "chkpt"),
      1,
      "B",
    ),
    bound("P8", "peak memory, cold save", rss("cold save", "checkpoint"), 256 * MB, "B"),
    bound("P8", "peak memory, full restore", rss("full restore", "checkpoint"), 256 * MB, "B"),
  ];
  return rows.filter((row) => row.value !== undefined).map((row) => ({ ...row, ok: row.value <= row.target }));
}

function tenth(samples) {
  return samples.length < 10 ? undefined : median(samples.map((sample) => sample.wall));
}

function figure(samples, read) {
  return samples === undefined ? undefined : median(samples.map(read));
}

function highest(samples, read) {
  return samples === undefined ? undefined : Math.max(...samples.map(read));
}

export function formatResults(results, rows) {
  const { machine, corpus } = results;
  return [
    `${results.date}  ${machine.cores} x ${machine.cpu}, Node ${machine.node.slice(1)}, Linux ${machine.kernel}, load ${machine.load.toFixed(1)}`,
    `Corpus ${corpus.name}: ${corpus.files} files, ${corpus.folders} folders, ${corpus.links} links, ${bytes(corpus.bytes)}`,
    ...results.peers.map(({ name, version }) => `  ${name}: ${version}`),
    "",
    ...formatColumns([
      ["operation", "peer", "seconds", "min..max (n)", "CPU s", "peak memory"],
      ...Object.entries(results.samples).flatMap(([operation, peers]) =>
        Object.entries(peers).map(([peer, samples]) => sampleRow(operation, peer, samples)),
      ),
    ]),
    "",
    ...formatColumns([
      ["size", "peer", "median", "min..max (n)"],
      ...Object.entries(results.sizes).flatMap(([measure, peers]) =>
        Object.entries(peers).map(([peer, values]) => sizeRow(measure, peer, values)),
      ),
    ]),
    "",
    ...formatColumns([["row", "figure", "ours", "against", "", "ratio", "target", ""], ...rows.map(targetRow)]),
    "",
    "Targets are stated for the Linux source tree; on a small tree starting Node weighs more than the work.",
  ].join("\n");
}

function sampleRow(operation, peer, samples) {
  const walls = samples.map((sample) => sample.wall);
  return [
    operation,
    peer,
    seconds(median(walls)),
    `${seconds(Math.min(...walls))}..${seconds(Math.max(...walls))} (${walls.length})`,
    seconds(median(samples.map((sample) => sample.cpu))),
    bytes(Math.max(...samples.map((sample) => sample.rssKb)) * KIB),
  ];
}

function sizeRow(measure, peer, values) {
  const show = /files|entries/.test(measure) ? String : bytes;
  return [
    measure,
    peer,
    show(median(values)),
    `${show(Math.min(...values))}..${show(Math.max(...values))} (${values.length})`,
  ];
}

function targetRow(row) {
  const show = row.unit === "s" ? (value) => `${seconds(value)} s` : row.unit === "B" ? bytes : String;
  const against = row.reference === undefined ? ["", "", ""] : [row.peer, show(row.reference), row.value.toFixed(2)];
  const target = row.reference === undefined ? show(row.target) : row.target.toFixed(2);
  return [row.id, row.what, show(row.measured), ...against, `<= ${target}`, row.ok ? "ok" : "miss"];
}

function seconds(value) {
  return value.toFixed(value < 9.995 ? 3 : 1);
}

function bytes(value) {
  const size = Math.abs(value);
  if (size < 1000) return `${value} B`;
  if (size < MB) return `${(value / 1000).toFixed(1)} kB`;
  return size < 1e9 ? `${(value / MB).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

function formatColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}
