/**
 * Saves of random workspaces after random changes, told of them or not, by other rules, after restarts, looks and
 * restores: each makes what a save into a new store makes, which has no records to believe.
 */
import * as fs from "node:fs";
import { expect, it } from "vitest";
import { ignoreFailure } from "../../../src/shared/errors";
import type { ScanOptions } from "../../../src/shared/saves";
import { expectAsInNewStore } from "../../support/newStore";
import { changedLooks, type PathLooks, pathLooks, withoutNewFolders } from "../../support/pathLooks";
import { rest } from "../../support/rest";
import { type Random, withSeeds } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { LANE_SCRIPT, openTestEngine } from "../../support/testEngine";

const RUNS = 8;
const ROUNDS = 20;
/** Few and often the same, so that things meet: also in the rules below. */
const NAMES = ["a", "b", "c", "d", "x.log", "y.txt", "node_modules", ".venv", "build", "é"];
const GIT_RULES = ["*.log\n", "!*.log\n", "build/\n", "a\n", ".gitignore\n", "", "!node_modules/\n", "/b\n"];
const OWN_RULES = ["*.txt\n", "!node_modules/\n", "!build/\n", "c/\n", ""];
/** A cache's, and one that is as long and means nothing. */
const TAGS = ["Signature: 8a477f597d28d172789f06886806bc55", "xignature: 8a477f597d28d172789f06886806bc55"];
/** What only root can read is tried by root alone. */
const MODES = [0o755, 0o700, 0o644, ...(process.getuid?.() === 0 ? [0] : [])];
const OPTIONS: Partial<ScanOptions>[] = [
  ...[{}, {}, {}],
  ...[{ maxFileBytes: 40 }, { includeDependencies: true }, { useGitignore: false }, { exclude: ["c"] }],
];

it("C7 P2 P3 whatever happened and was told of it, a save is as complete as one into a new store", async () => {
  let told = 0;
  await withSeeds(RUNS, async (random) => {
    const workspace = tempFolder("workspace");
    change(random, workspace, 60);
    const lanes = random.chance(0.25) ? { laneScript: LANE_SCRIPT, laneCount: 2 } : {};
    const w = await openTestEngine({}, { workspace, ...lanes });
    let scan: ScanOptions = w.scan;
    let before = pathLooks(workspace);
    for (let round = 0; round < ROUNDS; round++) {
      change(random, workspace, random.below(4));
      if (random.chance(0.3)) await rest();
      if (random.chance(0.08)) await w.reopen();
      if (random.chance(0.12)) scan = { ...w.scan, ...random.pick(OPTIONS) };
      if (random.chance(0.08) && round > 0) await w.engine.diff({ ref: "latest" }, { workspace: scan });
      const after = pathLooks(workspace);
      const saved = await w.save({ scan, ...tell(random, before, after) });
      if (saved.scanned === "changed") told++;
      await expectAsInNewStore(w, saved, scan);
      before = after;
      if (!random.chance(0.1)) continue;
      await w.engine.restore({ ref: random.pick(await w.engine.list()).id, scan });
      before = pathLooks(workspace);
      change(random, workspace, random.below(2));
    }
  });
  expect(told).toBeGreaterThan(0);
});

function tell(random: Random, before: PathLooks, after: PathLooks): { changedPaths?: readonly string[] } {
  if (random.chance(0.3)) return {};
  const changed = changedLooks(before, after);
  return { changedPaths: random.chance(0.5) ? changed : withoutNewFolders(changed, before, after) };
}

function change(random: Random, workspace: string, count: number): void {
  for (let i = 0; i < count; i++)
    ignoreFailure(() => changeOne(random, workspace), "not all that the dice ask for can be done");
}

function changeOne(random: Random, workspace: string): void {
  const all = [...pathLooks(workspace).keys()].map((each) => `${workspace}/${Buffer.from(each, "latin1")}`);
  const inner = all.filter((path) => fs.lstatSync(path).isDirectory());
  const anyFolder = (): string => random.pick([workspace, ...inner]);
  const anyPath = (): string => `${anyFolder()}/${random.pick(NAMES)}`;
  const anyFile = (): string => random.pick(all.filter((path) => fs.lstatSync(path).isFile()));
  const sameLength = (path: string): void =>
    fs.writeFileSync(path, String(random.below(10)).repeat(fs.statSync(path).size || 1));
  const deeds: readonly (readonly [weight: number, deed: () => void])[] = [
    [2, () => fs.writeFileSync(anyPath(), `new ${random.below(100)}`)],
    [3, () => sameLength(anyFile())],
    [1, () => withOldTime(anyFile(), sameLength)],
    [1, () => fs.appendFileSync(anyFile(), "q".repeat(random.below(60)))],
    [1, () => fs.mkdirSync(anyPath())],
    [1, () => makeDeep(random, anyPath())],
    [1, () => fs.rmSync(random.pick(all), { recursive: true })],
    [1, () => fs.renameSync(random.pick(all), anyPath())],
    [1, () => swap(random.pick(inner), random.pick(inner), `${workspace}/swapped`)],
    [1, () => fs.writeFileSync(`${anyFolder()}/.gitignore`, random.pick(GIT_RULES))],
    [1, () => fs.writeFileSync(`${anyFolder()}/.checkpointignore`, random.pick(OWN_RULES))],
    [1, () => fs.writeFileSync(`${random.pick(inner)}/CACHEDIR.TAG`, random.pick(TAGS))],
    [1, () => leaveLink(random.pick(inner), `${workspace}/moved`)],
    [1, () => fs.chmodSync(random.pick(all), random.pick(MODES))],
    [1, () => fs.linkSync(anyFile(), anyPath())],
    [1, () => fs.symlinkSync(random.pick(NAMES), anyPath())],
    [1, () => withOldTime(anyFolder(), (folder) => fs.writeFileSync(`${folder}/${random.pick(NAMES)}`, "1"))],
  ];
  random.pick(deeds.flatMap(([weight, deed]) => Array<() => void>(weight).fill(deed)))();
}

/** As programs do that restore modification times. */
function withOldTime(path: string, deed: (path: string) => void): void {
  const { atime, mtime } = fs.statSync(path);
  deed(path);
  fs.utimesSync(path, atime, mtime);
}

function makeDeep(random: Random, folder: string): void {
  fs.mkdirSync(`${folder}/${random.pick(NAMES)}`, { recursive: true });
  fs.writeFileSync(`${folder}/z`, "1");
}

function swap(one: string, other: string, free: string): void {
  if (one.startsWith(other) || other.startsWith(one)) return;
  fs.renameSync(one, free);
  fs.renameSync(other, one);
  fs.renameSync(free, other);
}

/** The folder moves, and its old path leads to it. */
function leaveLink(folder: string, to: string): void {
  fs.renameSync(folder, to);
  fs.symlinkSync(to, folder);
}
