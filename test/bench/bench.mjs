/**
 * What saving and restoring cost, beside a shadow git repository and `tar c . | lz4 -1`, in one run.
 *
 *   npm run bench [-- --corpus DIR] [--peers git,tar,chkpt] [--runs N] [--work DIR] [--many N] [--chkpt BIN]
 *
 *   --corpus DIR   the tree to save; it is copied, never written to. Without it: about 7,000 generated files.
 *   --peers LIST   default git,tar. `chkpt` is the Rust program: --chkpt names its binary, otherwise the npm package
 *                  @chkpt/platform-linux-x64-gnu@0.1.2 is installed into the work folder. (The targets are against
 *                  0.3, which is several times faster; with 0.1.2 its rows are for the eye only.)
 *   --runs N       runs of the slow operations (default 3); the quick ones run 2 N + 1 times.
 *   --work DIR     where the copies and stores go, all on one file system (default: the temporary folder).
 *   --many N       also make N saves of 5 files each in one process and compare the last ten with the first (P6: 1000).
 *
 * How it is measured: every contestant has its own copy of the tree and its own store. Each operation is run by all in
 * turn (A B C A B C …), so that a busy minute of the machine hits all alike. Page cache warm; `sync` before every timed
 * command, so that nobody pays for another's dirty pages; wall clock around the whole process, CPU seconds and peak
 * memory from GNU time. Medians. git's own gc is off: it would run for a minute in the background and disturb the
 * others. The engine's rows are those of a process that already runs, as in the editor (engineRunner.ts).
 *
 * The file system matters. On an ext4 without a journal, creating files after deleting many gets slower with every
 * round (it looks for inodes that were not freed in the last minutes). If yours has none (`dumpe2fs -h`), give one that
 * has, for instance a loop device, as --work:
 *
 *   fallocate -l 32G fs.img && mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 fs.img
 *   mount "$(losetup --find --show --direct-io=on fs.img)" mnt
 *
 * Needs Linux with GNU time (/usr/bin/time), git, tar and lz4. Results also go to out/bench/<date>.json.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import esbuild from "esbuild";
import { editFive, framesOf, generateTree, pickFive } from "./corpus.mjs";
import { createPeers } from "./peers.mjs";
import { formatResults, judge } from "./report.mjs";
import { compareTrees, describeTree, ignoredPaths, sizeOf } from "./treeCompare.mjs";

const { values: options } = parseArgs({
  options: {
    corpus: { type: "string" },
    peers: { type: "string", default: "git,tar" },
    runs: { type: "string", default: "3" },
    work: { type: "string" },
    many: { type: "string", default: "0" },
    chkpt: { type: "string" },
  },
});
const slowRuns = Math.max(1, Number(options.runs));
const quickRuns = 2 * slowRuns + 1;
const manySaves = Number(options.many);
const project = path.resolve(import.meta.dirname, "../..");

const workRoot = path.resolve(options.work ?? os.tmpdir());
fs.mkdirSync(workRoot, { recursive: true });
const work = fs.mkdtempSync(path.join(workRoot, "checkpoint-bench-"));
try {
  await main();
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

async function main() {
  await build();
  const corpus = options.corpus === undefined ? path.join(work, "generated") : path.resolve(options.corpus);
  if (options.corpus === undefined) generateTree(corpus);
  const peers = await createPeers(["checkpoint", "engine", ...options.peers.split(",")], {
    work,
    project,
    chkpt: options.chkpt,
  });
  for (const peer of peers) if (peer.workspace !== undefined) copyTree(corpus, peer.workspace);
  const tree = describeTree(corpus, { hashes: false });
  const results = {
    date: new Date().toISOString(),
    machine: {
      cpu: os.cpus()[0]?.model ?? "",
      cores: os.cpus().length,
      node: process.version,
      kernel: os.release(),
      load: os.loadavg()[0],
    },
    corpus: { name: options.corpus === undefined ? "generated" : path.basename(corpus), ...tree.counts },
    peers: peers.map(({ name, version }) => ({ name, version })),
    /** operation → peer → samples of { wall, cpu, rssKb } */
    samples: {},
    /** measure → peer → numbers */
    sizes: {},
  };
  try {
    await measure(peers, results);
  } finally {
    for (const peer of peers) await peer.end?.();
  }
  const rows = judge(results);
  console.log(formatResults(results, rows));
  const out = path.join(project, "out", "bench");
  fs.mkdirSync(out, { recursive: true });
  const file = path.join(out, `${results.date.replaceAll(":", "-").slice(0, 19)}.json`);
  fs.writeFileSync(file, `${JSON.stringify({ ...results, rows }, null, 1)}\n`);
  console.log(`\n${path.relative(process.cwd(), file)}`);
}

async function build() {
  const built = spawnSync(process.execPath, ["esbuild.config.mjs"], {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (built.status !== 0) throw new Error("The build failed; see above.");
  await esbuild.build({
    entryPoints: { engineRunner: path.join(project, "test/bench/engineRunner.ts") },
    outdir: path.join(project, "out/bench"),
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    loader: { ".wasm": "binary" },
    minify: true,
    logLevel: "warning",
  });
}

function copyTree(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  run("cp", ["-a", from, to]);
  run("sh", ["-c", "tar c . | cat >/dev/null"], to);
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

async function measure(peers, results) {
  const savers = peers.filter((peer) => peer.save !== undefined);
  const restorers = peers.filter((peer) => peer.restore !== undefined);
  let edits = 0;

  /** Every peer in turn, `runs` times over. `before` and `after` are not timed. */
  const interleave = async (operation, runs, contestants, { before, act, after }) => {
    for (let i = 0; i < runs; i++) {
      for (const peer of contestants) {
        const state = await before?.(peer);
        spawnSync("sync");
        const sample = await act(peer);
        collect(results.samples, operation, peer, sample);
        await after?.(peer, state);
      }
    }
    console.error(`${operation}: done`);
  };
  const noteSize = (measure, peer, value) => collect(results.sizes, measure, peer, value);

  await interleave("cold save", slowRuns, peers, { before: (peer) => peer.reset(), act: (peer) => peer.save("base") });
  for (const peer of peers) {
    const { bytes, disk, files } = sizeOf(peer.store);
    noteSize("store bytes", peer, bytes);
    noteSize("store disk", peer, disk);
    noteSize("store files", peer, files);
  }

  const quick = savers.filter((peer) => peer.incremental);
  // Entries of the same second as the first save are read again once; that belongs to the save before.
  for (const peer of quick) await peer.save("warm-up");
  await interleave("no-change save", quickRuns, quick, { act: (peer) => peer.save("same") });

  const five = new Map(quick.map((peer) => [peer, pickFive(peer.workspace)]));
  await interleave("5-file save", quickRuns, quick, {
    before: (peer) => {
      editFive(peer.workspace, five.get(peer), edits++);
      return sizeOf(peer.store);
    },
    act: (peer) => peer.save(`edit-${edits}`),
    after: (peer, before) => {
      const now = sizeOf(peer.store);
      noteSize("growth bytes", peer, now.bytes - before.bytes);
      noteSize("growth disk", peer, now.disk - before.disk);
      noteSize("growth frames", peer, framesOf(peer.workspace, five.get(peer)));
    },
  });

  for (const peer of restorers) await peer.save("target");
  const targets = new Map(restorers.map((peer) => [peer, peer.lastId]));
  await interleave("5-file restore", quickRuns, restorers, {
    before: (peer) => editFive(peer.workspace, five.get(peer), edits++),
    act: (peer) => peer.restore(targets.get(peer)),
  });
  await interleave("no-change restore", quickRuns, restorers, { act: (peer) => peer.restore(targets.get(peer)) });

  const wanted = new Map(restorers.map((peer) => [peer, describeTree(peer.workspace, { hashes: true })]));
  const ignored = new Map(restorers.map((peer) => [peer, ignoredPaths(peer.workspace, path.join(work, "ignored"))]));
  await interleave("full restore", slowRuns, restorers, {
    before: (peer) => {
      for (const name of fs.readdirSync(peer.workspace))
        fs.rmSync(path.join(peer.workspace, name), { recursive: true });
    },
    act: (peer) => peer.restore(targets.get(peer)),
    after: (peer) => {
      const got = describeTree(peer.workspace, { hashes: true });
      const { wrong, examples } = compareTrees(wanted.get(peer), got, ignored.get(peer));
      noteSize("wrong entries", peer, wrong);
      if (wrong > 0 && results.sizes["wrong entries"][peer.name].length === 1)
        console.error(`${peer.name}: ${wrong} wrong after the full restore, e.g. ${examples.join(", ")}`);
    },
  });

  if (manySaves > 0) {
    const engine = peers.find((peer) => peer.name === "engine");
    await interleave("many saves", manySaves, [engine], {
      before: (peer) => editFive(peer.workspace, five.get(peer), edits++),
      act: (peer) => peer.save(`many-${edits}`),
    });
    noteSize("catalog bytes", engine, sizeOf(engine.store, (name) => name === "catalog.sqlite").bytes);
  }
}

function collect(into, row, peer, value) {
  into[row] ??= {};
  into[row][peer.name] ??= [];
  into[row][peer.name].push(value);
}
