/**
 * What saving, restoring and asking cost, beside a shadow git repository and `tar c . | lz4 -1`, in one run: the rows P1
 * to P11.
 *
 *   npm run bench [-- --corpus DIR] [--peers git,tar,chkpt] [--runs N] [--work DIR] [--chkpt BIN]
 *                 [--many N] [--memory] [--queries [--history DIR]] [--only] [--markdown FILE]
 *
 *   --corpus DIR   the tree to save; it is copied, never written to. Without it: about 7,000 generated files.
 *   --peers LIST   default git,tar. `chkpt` is the Rust program: --chkpt names its binary, otherwise the npm package
 *                  @chkpt/platform-linux-x64-gnu@0.1.2 is installed into out/bench. (The targets are against 0.3, which is
 *                  several times faster; rows against 0.1.2 are for the eye only.)
 *   --runs N       runs of the slow operations (default 3); the quick ones run 2 N + 1 times.
 *   --work DIR     where the copies and stores go, all on one file system (default: the temporary folder).
 *   --many N       also make N saves of 5 files each with one engine; do they get slower, does the catalog grow? (P6: 1000)
 *   --memory       also one file of 4 GB and 200,000 tiny ones (P8); needs 10 GB of disk.
 *   --queries      also questions about 1,000 checkpoints, and searching them (P10, P11). --history DIR keeps those
 *                  checkpoints for the next run; they must be of the same corpus. --checkpoints N makes fewer.
 *   --only         leaves P1 to P7 out: for looking at one of the others again.
 *   --markdown F   writes the rows into a Markdown file, between its marks (docs/PERFORMANCE.md has them).
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
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { generateTree } from "./corpus.mjs";
import { startEngineProcess } from "./engineProcess.mjs";
import { describeMachine } from "./machine.mjs";
import { measureManySaves } from "./manySaves.mjs";
import { measureMemory } from "./memory.mjs";
import { measureOperations } from "./operations.mjs";
import { createCheckpoint, createPeers } from "./peers.mjs";
import { measureQueries } from "./queries.mjs";
import { createRecording } from "./recording.mjs";
import { formatResults, writeMarkdown } from "./report.mjs";
import { judge } from "./rows.mjs";
import { copyTree } from "./timedProcess.mjs";
import { describeTree } from "./treeCompare.mjs";

const { values: options } = parseArgs({
  options: {
    corpus: { type: "string" },
    peers: { type: "string", default: "git,tar" },
    runs: { type: "string", default: "3" },
    work: { type: "string" },
    many: { type: "string", default: "0" },
    memory: { type: "boolean", default: false },
    queries: { type: "boolean", default: false },
    history: { type: "string" },
    checkpoints: { type: "string", default: "1000" },
    only: { type: "boolean", default: false },
    markdown: { type: "string" },
    chkpt: { type: "string" },
  },
});
const project = path.resolve(import.meta.dirname, "../..");
const out = path.join(project, "out", "bench");
/** Edits of the many saves are numbered from here, so that they differ from all made before in the same tree. */
const MANY_FIRST_EDIT = 1_000_000;

const workRoot = path.resolve(options.work ?? os.tmpdir());
fs.mkdirSync(workRoot, { recursive: true });
const work = fs.mkdtempSync(path.join(workRoot, "checkpoint-bench-"));
try {
  await main();
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

async function main() {
  // Before the build: compiling is load as well.
  const machine = describeMachine(work);
  for (const warning of machine.warnings) console.error(`WARNING  ${warning}`);
  const built = await build(project, work);
  const small = path.join(work, "generated");
  generateTree(small);
  const corpus = options.corpus === undefined ? small : path.resolve(options.corpus);
  const setting = { work, build: built, chkpt: options.chkpt, cache: out };
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
    results.queries = await askQuestions(corpus, built);
  });
  const rows = judge(results);
  console.log(formatResults(results, rows));
  fs.mkdirSync(out, { recursive: true });
  const file = path.join(out, `${results.date.replaceAll(":", "-").slice(0, 19)}.json`);
  fs.writeFileSync(file, `${JSON.stringify({ ...results, rows }, null, 1)}\n`);
  console.log(`\n${path.relative(process.cwd(), file)}`);
  if (options.markdown !== undefined) writeMarkdown(path.resolve(options.markdown), results, rows);
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
      runs: Math.max(1, Number(options.runs)),
      work,
    });
    if (Number(options.many) > 0)
      await measureManySaves({
        engine: peer("engine"),
        command: createCheckpoint({ ...peer("engine"), name: "checkpoint", build: setting.build }),
        recording,
        count: Number(options.many),
        firstEdit: MANY_FIRST_EDIT,
      });
  } finally {
    for (const each of peers) each.end?.();
  }
  return peers.map(({ name, version, decides }) => ({ name, version, ...(decides === undefined ? {} : { decides }) }));
}

async function askQuestions(corpus, built) {
  const folder = path.resolve(options.history ?? path.join(work, "history"));
  fs.mkdirSync(folder, { recursive: true });
  const engine = startEngineProcess(built);
  try {
    const withGit = options.peers.split(",").includes("git");
    const count = Number(options.checkpoints);
    return await measureQueries({ engine, corpus, folder, dist: built.dist, withGit, count });
  } finally {
    engine.end();
  }
}
