/**
 * The rows P1 to P11: from samples to one figure each, held against its target. Every row is there in every run; one
 * that the run had no samples for says how to get them.
 *
 * A ratio is the median of paired ratios: the i-th sample of one is divided by the i-th of the other, which was taken
 * right before or after it. What slows the machine for a while slows both, and leaves the ratio alone.
 */
import { MAX_PACKAGE_BYTES } from "../../scripts/package.mjs";
import { isLinuxTree, PUBLISHED } from "./published.mjs";

export const KIB = 1024;
const MB = 1e6;
const MILLISECOND = 1e-3;
/** P9, here and where it is measured. */
export const ACTIVATION_MS = 30;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Rows { section, id, what, unit, ours, peer?, theirs?, value?, target, atLeast?, verdict, cpu?, rss?, notes }: `section` is
 * "main", or "extras" for what a run measures only when asked (--memory, --queries); `value` is what the target is about
 * (a ratio if there is a peer); `cpu` and `rss` are [ours, theirs] of timed operations. Verdicts: "ok", "miss", "for the
 * eye" (decides nothing), "not measured".
 */
export function judge(results) {
  const { samples, sizes, peers, packages } = results;
  const of = (operation, peer) => samples[operation]?.[peer];
  const size = (measure, peer) => (sizes[measure]?.[peer] ? median(sizes[measure][peer]) : undefined);
  const highestSize = (measure, peer) => (sizes[measure]?.[peer] ? Math.max(...sizes[measure][peer]) : undefined);
  const decides = (peer) => peers.find((each) => each.name === peer)?.decides ?? true;
  const published = isLinuxTree(results.corpus) ? PUBLISHED : {};

  const versus = (id, what, operation, [our, peer], target, { measure = "wall", otherwise = "--peers", note } = {}) => {
    const [mine, other] = [of(operation, our), of(operation, peer)];
    const row = { id, what, unit: "s", peer, target, notes: [note, ...scanNotes(mine)].filter(Boolean) };
    if (mine === undefined || other === undefined) return { ...row, ours: figure(mine, measure), otherwise };
    return {
      ...row,
      ours: figure(mine, measure),
      theirs: figure(other, measure),
      value: pairedRatio(mine, other, measure),
      ...costs(mine, other),
      isForTheEye: !decides(peer),
    };
  };
  const bound = (id, what, ours, target, unit, { otherwise, ...rest } = {}) => ({
    ...{ id, what, unit, ours, value: ours, target, otherwise, notes: [] },
    ...rest,
  });
  const memory = (what, operation, target, otherwise) => {
    const mine = of(operation, "checkpoint");
    const notes = ofPeers(samples[operation]).map(([peer, theirs]) => ({
      text: `${peer}:`,
      bytes: highestRss(theirs),
    }));
    return bound("P8", what, highestRss(mine), target, "B", { otherwise, notes, ...costs(mine) });
  };
  /** What the store grew by, less what the five files take compressed. */
  const overhead = (measure) => {
    const growth = size(measure, "checkpoint");
    return growth === undefined ? undefined : growth - size("growth frames", "checkpoint");
  };

  const main = [
    versus("P1", "cold save", "cold save", ["checkpoint", "git"], 0.15),
    versus("P1", "cold save", "cold save", ["checkpoint", "tar"], 0.65),
    versus("P1", "cold save", "cold save", ["checkpoint", "chkpt"], 1, { note: published.coldSave }),
    versus("P1", "cold save, CPU", "cold save", ["checkpoint", "chkpt"], 1, {
      measure: "cpu",
      note: published.coldSaveCpu,
    }),
    versus("P2", "nothing changed", "no-change save", ["checkpoint", "git"], 1),
    versus("P2", "nothing changed, running", "no-change save", ["engine", "git"], 0.5),
    versus("P3", "5-file save", "5-file save", ["checkpoint", "git"], 1),
    versus("P3", "5-file save, running", "5-file save", ["engine", "git"], 0.1),
    versus("P3", "5-file save, running", "5-file save", ["engine", "small tree"], 1.5),
    versus("P4", "5-file restore", "5-file restore", ["checkpoint", "git"], 1.2),
    versus("P4", "5-file restore, running", "5-file restore", ["engine", "git"], 0.7),
    versus("P5", "full restore", "full restore", ["checkpoint", "git"], 0.5),
    versus("P5", "full restore", "full restore", ["checkpoint", "chkpt"], 1.1, { note: published.fullRestore }),
    bound("P5", "wrong entries after it", highestSize("wrong entries", "checkpoint"), 0, "", {
      notes: wrongOfPeers(sizes),
    }),
    bound("P6", "growth beyond content, bytes", overhead("growth bytes"), 64 * KIB, "B", {
      notes: growthOfPeers(sizes, "growth bytes"),
    }),
    bound("P6", "growth beyond content, blocks", overhead("growth disk"), 128 * KIB, "B", {
      notes: growthOfPeers(sizes, "growth disk"),
    }),
    ...manyRows(results),
    {
      ...{ id: "P7", what: "store after cold save", unit: "B", ours: size("store bytes", "checkpoint"), peer: "chkpt" },
      theirs: size("store bytes", "chkpt"),
      value: quotient(size("store bytes", "checkpoint"), size("store bytes", "chkpt")),
      ...{ target: 1, isForTheEye: !decides("chkpt"), otherwise: "--peers" },
      notes: [published.store].filter(Boolean),
    },
    memory("peak memory, cold save", "cold save", 256 * MB),
    memory("peak memory, full restore", "full restore", 256 * MB),
    ...Object.entries(packages).map(([name, bytes]) => bound("P9", name, bytes, MAX_PACKAGE_BYTES, "B")),
    bound("P9", "activation", undefined, ACTIVATION_MS * MILLISECOND, "s", { otherwise: "npm run bench:editor" }),
  ];
  const extras = [
    memory("peak memory, one 4 GB file, cold save", "one 4 GB file, cold save", 200 * MB, "--memory"),
    memory("peak memory, one 4 GB file, restore", "one 4 GB file, restore", 200 * MB, "--memory"),
    memory("peak memory, 200,000 tiny files", "200,000 tiny files, cold save", 256 * MB, "--memory"),
    ...queryRows(results.queries),
  ];
  return [
    ...main.map((row) => ({ section: "main", ...withVerdict(row) })),
    ...extras.map((row) => ({ section: "extras", ...withVerdict(row) })),
  ];
}

function manyRows({ samples, sizes }) {
  const otherwise = "--many 1000";
  const many = samples["many saves"]?.engine;
  const ten = (from, to) => figure(many?.slice(from, to), "wall");
  const row = (what, ours, peer, theirs, rest) => ({
    ...{ id: "P6", what, unit: "s", ours, peer, theirs, value: quotient(ours, theirs), target: 1.2, otherwise },
    ...{ notes: [], ...rest },
  });
  const commands = (when) => figure(samples[`command save ${when} many`]?.checkpoint, "wall");
  return [
    {
      ...{ id: "P6", what: `catalog after ${many?.length ?? "many"} saves`, unit: "B", target: 2 * MB, otherwise },
      ...{ ours: sizes["catalog bytes after many"]?.engine[0], value: sizes["catalog bytes after many"]?.engine[0] },
      notes: [],
    },
    row("the last ten saves, running", ten(-10), "the first ten", ten(0, 10), {
      notes: scanNotes(many),
      ...costs(many?.slice(-10), many?.slice(0, 10)),
    }),
    row("save, command line, after", commands("after"), "before", commands("before"), {
      isForTheEye: true,
      ...costs(samples["command save after many"]?.checkpoint, samples["command save before many"]?.checkpoint),
    }),
  ];
}

function queryRows(queries) {
  const otherwise = "--queries";
  const row = (what, target, isForTheEye = false) => {
    const asked = queries?.asked.find((each) => each.what === what);
    const notes = asked === undefined ? [] : [{ text: "first answer:", seconds: asked.first.wall }];
    const ours = figure(asked?.samples, "wall");
    return {
      ...{ id: "P10", what: `${what}, running`, unit: "s", ours, value: ours, target: target * MILLISECOND },
      ...{ notes, isForTheEye, otherwise, ...costs(asked?.samples) },
    };
  };
  const search = (what, isForTheEye = false) => {
    const found = queries?.searched.find((each) => each.what === what);
    const wall = figure(found?.samples, "wall");
    // What there is, or what the search says it went through: the smaller one.
    const ours = wall === undefined ? undefined : Math.min(queries.uniqueBytes, found.bytes) / wall;
    return {
      ...{ id: "P11", what: `${what}, content a second`, unit: "B", ours, value: ours, target: 300 * MB },
      ...{ atLeast: true, isForTheEye, otherwise, ...costs(found?.samples) },
      notes: wall === undefined ? [] : [{ text: `${found.size} matches in`, seconds: wall }],
    };
  };
  return [
    row("list", 50),
    row("history, often changed", 50),
    row("history, never changed", 50),
    row("history, folder", 50, true),
    row("diff, far apart", 150),
    row("diff, neighbours", 150),
    search("search, text"),
    search("search, text, its case too", true),
    search("search, regular expression", true),
  ];
}

function withVerdict({ otherwise, isForTheEye, ...row }) {
  if (row.value === undefined)
    return { ...row, verdict: "not measured", notes: [...row.notes, otherwise ?? "left out"] };
  if (isForTheEye) return { ...row, verdict: "for the eye" };
  const isMet = row.atLeast ? row.value >= row.target : row.value <= row.target;
  return { ...row, verdict: isMet ? "ok" : "miss" };
}

function pairedRatio(mine, others, measure) {
  const pairs = Math.min(mine.length, others.length);
  return median(Array.from({ length: pairs }, (_, i) => mine[i][measure] / others[i][measure]));
}

function figure(samples, measure) {
  return samples === undefined ? undefined : median(samples.map((sample) => sample[measure]));
}

const highestRss = (samples) =>
  samples === undefined ? undefined : Math.max(...samples.map((sample) => sample.rssKb)) * KIB;

const quotient = (ours, theirs) => (ours === undefined || theirs === undefined ? undefined : ours / theirs);

function costs(mine, others) {
  if (mine === undefined) return {};
  return {
    cpu: [figure(mine, "cpu"), figure(others, "cpu")],
    rss: [highestRss(mine), highestRss(others)],
  };
}

/** A save that was told what changed and looked at everything all the same does not show what the row is about. */
function scanNotes(samples) {
  const given = samples?.filter((sample) => sample.given) ?? [];
  const whole = given.filter((sample) => sample.scanned !== "changed").length;
  return whole === 0 ? [] : [`${whole} of ${given.length} looked at everything`];
}

const ofPeers = (values) => Object.entries(values ?? {}).filter(([peer]) => /git|chkpt/.test(peer));

const growthOfPeers = (sizes, measure) =>
  ofPeers(sizes[measure]).map(([peer, values]) => ({
    text: `${peer}:`,
    bytes: median(values) - median(sizes["growth frames"][peer]),
  }));

const wrongOfPeers = (sizes) =>
  ofPeers(sizes["wrong entries"]).map(([peer, values]) => `${peer}: ${Math.max(...values)}`);
