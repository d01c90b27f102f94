/**
 * Questions about very many checkpoints (P10), and searching all of them (P11), with the engine running; and the same
 * from the command line, for the eye.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { makeLongHistory, NEEDLE } from "./longHistory.mjs";
import { createCheckpoint, createGit } from "./peers.mjs";
import { copyTree } from "./timedProcess.mjs";
import { describeTree } from "./treeCompare.mjs";

const RUNS = 20;
const COMMAND_RUNS = 5;
/** The questions are about checkpoints this far from either end. */
const MARGIN = 10;
/** Below this they would not be far apart. */
export const MIN_CHECKPOINTS = 3 * MARGIN;
/** A search reads everything; it is not run as often. */
const SEARCH_RUNS = 3;
const SEARCHES = [
  ["search, text", { text: NEEDLE }],
  ["search, text, its case too", { text: NEEDLE, matchCase: true }],
  ["search, regular expression", { text: `${NEEDLE.slice(0, 8)}[-_]\\w+ \\d+`, regex: true }],
];
const ABOUT_FILE = "long-history.json";

/**
 * Answers { checkpoints, uniqueBytes, asked: [{ what, size, open, first, samples }], searched: [the same, and bytes],
 * commands: [{ what, peer, samples }] }, samples as everywhere.
 * `folder` holds the tree and the store; what an earlier run left in it is used again. `withGit`: git is asked as well.
 */
export async function measureQueries({ engine, corpus, folder, build, withGit, count }) {
  const workspace = path.join(folder, "ws");
  const store = path.join(folder, "store");
  const git = withGit ? createGit({ name: "git", workspace, store: path.join(folder, "git") }) : undefined;
  const about = await longHistory({ engine, git, corpus, folder, workspace, store, count });
  const old = String(MARGIN);
  const far = String(count - MARGIN);
  const next = String(count - MARGIN + 1);
  const questions = [
    ["list", "list", []],
    ["history, often changed", "history", [about.hot]],
    ["history, never changed", "history", [about.cold]],
    ["history, folder", "history", [path.dirname(about.hot)]],
    ["history, all versions", "history", [about.hot, { limit: count }]],
    ["diff, far apart", "diff", [{ ref: old }, { ref: far }]],
    ["diff, neighbours", "diff", [{ ref: far }, { ref: next }]],
    ["show", "show", [far]],
    ["stat", "stat", [old, about.cold]],
    ["readFile", "readFile", [old, about.hot]],
  ];
  const asked = [];
  for (const [what, method, args] of questions) {
    // Opened anew for each, so that the first answer is one without anything remembered.
    const open = await engine.open(workspace, store);
    asked.push({ what, open, ...(await engine.ask(method, args, RUNS)) });
  }
  const searched = [];
  for (const [what, request] of SEARCHES) {
    const open = await engine.open(workspace, store);
    searched.push({ what, open, ...(await engine.ask("search", [request], SEARCH_RUNS)) });
  }
  await engine.close();
  const command = createCheckpoint({ name: "checkpoint", workspace, store, build });
  const commands = [];
  const compare = (what, ours, theirs) => {
    const both = [[command, ours], ...(git === undefined ? [] : [[git, theirs]])];
    const samples = new Map(both.map(([peer]) => [peer, []]));
    for (let i = 0; i < COMMAND_RUNS; i++) for (const [peer, args] of both) samples.get(peer).push(peer.ask(...args));
    for (const [peer, taken] of samples) commands.push({ what, peer: peer.name, samples: taken });
  };
  const log = ["log", "--format=%H %at %s"];
  const commitOf = (number) => `HEAD~${count - Number(number)}`;
  compare("list", ["list"], log);
  compare("history, often changed", ["history", about.hot], [...log, "--", about.hot]);
  compare("history, never changed", ["history", about.cold], [...log, "--", about.cold]);
  compare("history, folder", ["history", path.dirname(about.hot)], [...log, "--", path.dirname(about.hot)]);
  compare("diff, far apart", ["diff", old, far], ["diff", "--name-status", commitOf(old), commitOf(far)]);
  compare("show", ["show", far], ["show", "--name-status", commitOf(far)]);
  return { checkpoints: count, uniqueBytes: about.uniqueBytes, asked, searched, commands };
}

async function longHistory({ engine, git, corpus, folder, workspace, store, count }) {
  const aboutFile = path.join(folder, ABOUT_FILE);
  if (fs.existsSync(aboutFile)) {
    const about = JSON.parse(fs.readFileSync(aboutFile, "utf8"));
    if (about.count === count && (git === undefined || about.git)) return about;
    throw new Error(
      `${folder} has ${about.count} checkpoints${about.git ? "" : " and no git repository"}. Remove it, or name another folder.`,
    );
  }
  copyTree(corpus, workspace);
  const base = new Map();
  for (const what of describeTree(workspace, { hashes: true }).entries.values()) {
    const [type, , size, hash] = what.split(" ");
    if (type === "file") base.set(hash, Number(size));
  }
  await engine.open(workspace, store);
  git?.reset();
  const made = await makeLongHistory({ engine, git, workspace, count, base });
  const about = { count, git: git !== undefined, ...made };
  fs.writeFileSync(aboutFile, JSON.stringify(about));
  return about;
}
