/**
 * What saving, restoring and asking cost, beside a shadow git repository and `tar c . | lz4 -1`, in one run: the rows P1
 * to P11.
 *
 *   npm run bench [-- --corpus DIR] [--peers git,tar,chkpt] [--runs N] [--work DIR] [--chkpt BIN]
 *                 [--many N] [--memory] [--queries [--history DIR]] [--only] [--markdown FILE]
 *   npm run bench -- --from FILE [--markdown FILE]
 *
 *   --corpus DIR   the tree to save; it is copied, never written to. Without it: about 7,000 generated files.
 *   --peers LIST   default git,tar. `chkpt` is the Rust program: --chkpt names its binary, otherwise the npm package
 *                  @chkpt/platform-linux-x64-gnu@0.1.2 is installed into out/bench. (The targets are against 0.3, which is
 *                  several times faster; rows against 0.1.2 are for the eye only.)
 *   --runs N       runs of the slow operations (default 3); the quick ones run 2 N + 1 times.
 *   --work DIR     where the copies and stores go, all on one file system (default: the temporary folder).
 *   --many N       also make N saves of 5 files each with one engine; do they get slower, does the catalog grow? (P6: 1000)
 *                  At least 20: the last ten are held against the first ten.
 *   --memory       also one file of 4 GB and 200,000 tiny ones (P8); needs 10 GB of disk.
 *   --queries      also questions about 1,000 checkpoints, and searching them (P10, P11). --history DIR keeps those
 *                  checkpoints for the next run; they must be of the same corpus. --checkpoints N makes fewer.
 *   --only         leaves P1 to P7 out: for looking at one of the others again.
 *   --markdown F   writes the rows into a Markdown file, between its marks (docs/PERFORMANCE.md has them): "main" those of
 *                  P1 to P9, "extras" those of --memory and --queries, each only if the run measured some of them.
 *   --from FILE    measures nothing: shows a kept run again, by today's targets.
 *
 * How it is measured: every contestant has its own copy of the tree and its own store. Each operation is run by all in
 * turn (A B C A B C …), so that a busy minute of the machine hits all alike, and ratios are medians of paired ratios.
 * Page cache warm; `sync` before every timed command, so that nobody pays for another's dirty pages; wall clock around
 * the whole process, CPU seconds and peak memory from GNU time. git's own gc is off: it would run for a minute in the
 * background and disturb the others. The rows "running" are those of a process that already runs, as in the editor
 * (engineRunner.ts); in 5-file saves it is told the five paths, as by the editor's file watcher.
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
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { build } from "./build.mjs";
import { generateTree } from "./corpus.mjs";
import { startEngineProcess } from "./engineProcess.mjs";
import { describeMachine } from "./machine.mjs";
import { MIN_MANY, measureManySaves } from "./manySaves.mjs";
import { requireSections } from "./markdownSections.mjs";
import { measureMemory } from "./memory.mjs";
import { measureOperations } from "./operations.mjs";
import { readOptions } from "./options.mjs";
import { createCheckpoint, createPeers } from "./peers.mjs";
import { MIN_CHECKPOINTS, measureQueries } from "./queries.mjs";
import { createRecording } from "./recording.mjs";
import { formatResults, SECTIONS, writeMarkdown } from "./report.mjs";
import { judge } from "./rows.mjs";
import { keepRun, OUT, readRun, stampOf } from "./runFiles.mjs";
import { copyTree } from "./timedProcess.mjs";
import { describeTree } from "./treeCompare.mjs";

const options = readOptions(
  {
    corpus: { type: "string" },
    peers: { type: "string", default: "git,tar" },
    runs: { type: "string", default: "3" },
    work: { type: "string", default: os.tmpdir() },
    many: { type: "string" },
    memory: { type: "boolean", default: false },
    queries: { type: "boolean", default: false },
    history: { type: "string" },
    checkpoints: { type: "string", default: "1000" },
    only: { type: "boolean", default: false },
    markdown: { type: "string" },
    from: { type: "string" },
    chkpt: { type: "string" },
  },
  { runs: 1, many: MIN_MANY, checkpoints: MIN_CHECKPOINTS },
);
const project = path.resolve(import.meta.dirname, "../..");
/** Edits of the many saves are numbered from here, so that they differ from all made before in the same tree. */
const MANY_FIRST_EDIT = 1_000_000;

if (options.markdown !== undefined) requireSections(options.markdown, SECTIONS);
if (options.from !== undefined) report(readRun(options.from));
else {
  fs.mkdirSync(options.work, { recursive: true });
  const work = fs.mkdtempSync(path.resolve(options.work, "checkpoint-bench-"));
  try {
    await measure(work);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

function report(results) {
  const rows = judge(results);
  console.log(formatResults(results, rows));
  if (options.markdown !== undefined) writeMarkdown(options.markdown, results, rows);
}

async function measure(work) {
  // Before the build: compiling is load as well.
  const machine = describeMachine(work);
  for (const warning of machine.warnings) console.error(`WARNING  ${warning}`);
  const built = await build(project, work);
  const small = path.join(work, "generated");
  generateTree(small);
  const corpus = options.corpus === undefined ? small : path.resolve(options.corpus);
  const setting = { work, build: built, chkpt: options.chkpt, cache: OUT };
  const names = ["checkpoint", "engine", ...options.peers.split(",").filter(Boolean)];
  const recording = createRecording();
  const results = {
    date: new Date().toISOString(),
    machine,
    corpus: {
      name: options.corpus === undefined ? "generated" : path.basename(corpus),
      ...describeTree(corpus, { hashes: false }).counts,
    },
    peers: [],
    samples: recording.samples,
    sizes: recording.sizes,
    packages: built.packages,
  };
  await attempt(machine, "P1 to P7", !options.only, async () => {
    results.peers = await compareWithPeers({ names, setting, recording, corpus, small });
  });
  await attempt(machine, "--memory", options.memory, () => measureMemory({ names, setting, recording }));
  await attempt(machine, "--queries", options.queries, async () => {
    results.queries = await askQuestions({ work, corpus, built });
  });
  keepRun(stampOf(results), { ...results, rows: judge(results) });
  report(results);
}

/** What one part measured is worth having also when another one fails; the run then says so, and ends with 1. */
async function attempt(machine, part, isWanted, act) {
  if (!isWanted) return;
  try {
    await act();
  } catch (error) {
    console.error(error);
    machine.warnings.push(`${part} failed: ${error.message.split("\n", 1)[0]}`);
    process.exitCode = 1;
  }
}

/** Answers the contestants' names and versions. */
async function compareWithPeers({ names, setting, recording, corpus, small }) {
  const peers = createPeers([...names, "small tree"], setting);
  const peer = (name) => peers.find((each) => each.name === name);
  try {
    for (const each of peers) copyTree(each.name === "small tree" ? small : corpus, each.workspace);
    await measureOperations({
      peers: peers.filter((each) => each.name !== "small tree"),
      small: peer("small tree"),
      recording,
      runs: options.runs,
      work: setting.work,
    });
    if (options.many !== undefined)
      await measureManySaves({
        engine: peer("engine"),
        command: createCheckpoint({ ...peer("engine"), name: "checkpoint", build: setting.build }),
        recording,
        count: options.many,
        firstEdit: MANY_FIRST_EDIT,
      });
  } finally {
    for (const each of peers) each.end?.();
  }
  return peers.map(({ name, version, decides }) => ({ name, version, ...(decides === undefined ? {} : { decides }) }));
}

async function askQuestions({ work, corpus, built }) {
  const folder = path.resolve(options.history ?? path.join(work, "history"));
  fs.mkdirSync(folder, { recursive: true });
  const engine = startEngineProcess(built);
  try {
    const withGit = options.peers.split(",").includes("git");
    return await measureQueries({ engine, corpus, folder, build: built, withGit, count: options.checkpoints });
  } finally {
    engine.end();
  }
}
