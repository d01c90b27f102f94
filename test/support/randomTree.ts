/** Random folder trees, and random changes to them. Paths are bytes throughout. */
import * as fs from "node:fs";
import type { Random } from "./seeded";
import { childPath } from "./treeLiteral";

const NAMES: readonly (string | Buffer)[] = [
  ...["a", "b", "A", "lib", "src", "x.ts", "y.js", "README.md", "photo.png", "data.bin", "no ext", ".hidden"],
  ...[
    "new\nline",
    "tab\there",
    'quo"te',
    "it's",
    "back\\slash",
    "emoji 🎉",
    "e\u0301",
    "\u00e9",
    "\\xff",
    "-rf",
    "*",
    "[a]",
  ],
  ...["n".repeat(255), "日本語", "#hash", "!bang", " space ", "a:b", "%41", "con"],
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0x61, 0x80, 0x62]),
];
/** What only root can read or fill again is tried by root alone. */
const isRoot = process.getuid?.() === 0;
const FILE_MODES = [0o644, 0o644, 0o644, 0o755, 0o600, 0o444, 0o4755, ...(isRoot ? [0o000] : [])];
const FOLDER_MODES = [0o755, 0o755, 0o755, 0o700, 0o1777, ...(isRoot ? [0o555, 0o000] : [])];
const SIZES = [0, 0, 1, 10, 100, 1000, 5000, 70_000];
const MAX_DEPTH = 4;

/** Fills `dir` with about `count` entries. */
export function randomTree(random: Random, dir: string, count: number): void {
  fs.mkdirSync(dir, { recursive: true });
  for (let i = 0; i < count; i++) add(random, dir);
}

/** `folders` random trees side by side: finding a free place in one big tree would take time quadratic in its size. */
export function randomForest(random: Random, dir: string, folders: number, count: number): void {
  for (let i = 0; i < folders; i++) randomTree(random, `${dir}/tree-${i}`, count);
}

/** Changes about `count` things below `dir`. */
export function mutateTree(random: Random, dir: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const present = list(Buffer.from(dir));
    const path = present.length === 0 ? undefined : random.pick(present);
    if (path === undefined || random.chance(0.2)) add(random, dir);
    else mutate(random, dir, path);
  }
}

function mutate(random: Random, dir: string, path: Buffer): void {
  const stat = fs.lstatSync(path);
  const action = random.below(8);
  if (action === 0) remove(path);
  else if (action === 1) {
    // Becomes something else, or the same kind of thing with other content.
    remove(path);
    create(random, path);
  } else if (action === 2) {
    const target = newPath(random, dir);
    if (target !== undefined && !contains(path, target)) fs.renameSync(path, target);
  } else if (stat.isSymbolicLink()) {
    fs.unlinkSync(path);
    fs.symlinkSync(linkTarget(random), path);
  } else if (stat.isDirectory()) fs.chmodSync(path, random.pick(FOLDER_MODES));
  else if (action === 3) fs.chmodSync(path, random.pick(FILE_MODES));
  else if (action === 4) fs.utimesSync(path, random.below(2 ** 31), random.below(2 ** 31));
  else if (action === 5) sameSizeEdit(random, path, stat);
  else if (action === 6) fs.truncateSync(path, random.below(stat.size + 1));
  else fs.appendFileSync(path, random.bytes(random.pick(SIZES), 0.1));
}

/** Other bytes, equal length, and half the time the old modification time. */
function sameSizeEdit(random: Random, path: Buffer, stat: fs.Stats): void {
  fs.writeFileSync(path, random.bytes(stat.size, 0.5));
  if (random.chance(0.5)) fs.utimesSync(path, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

function add(random: Random, dir: string): void {
  const path = newPath(random, dir);
  if (path !== undefined) create(random, path);
}

function create(random: Random, path: Buffer): void {
  const kind = random.below(10);
  if (kind < 2) {
    fs.mkdirSync(path);
    // Half of the folders get something in them at once.
    if (random.chance(0.5)) create(random, childPath(path, random.pick(NAMES)));
    fs.chmodSync(path, random.pick(FOLDER_MODES));
  } else if (kind === 2) fs.symlinkSync(linkTarget(random), path);
  else if (kind === 3 && tryHardLink(random, path)) return;
  else {
    fs.writeFileSync(path, random.bytes(random.pick(SIZES), random.pick([0, 0.05, 1])));
    fs.chmodSync(path, random.pick(FILE_MODES));
  }
}

function tryHardLink(random: Random, path: Buffer): boolean {
  const folder = path.subarray(0, path.lastIndexOf("/"));
  const files = list(folder).filter((each) => fs.lstatSync(each).isFile());
  if (files.length === 0) return false;
  fs.linkSync(random.pick(files), path);
  return true;
}

function linkTarget(random: Random): string | Buffer {
  return random.pick(["a", "../b", "dangling/nowhere", "/etc/hostname", ".", "..", Buffer.from([0xff, 0x2f, 0x80])]);
}

/** A path below `dir` where nothing is, or undefined when the dice found none. */
function newPath(random: Random, dir: string): Buffer | undefined {
  const root = Buffer.from(dir);
  const folders = [root, ...list(root).filter((each) => fs.lstatSync(each).isDirectory())];
  const shallow = folders.filter((each) => depth(each) - depth(root) < MAX_DEPTH);
  const path = childPath(random.pick(shallow), random.pick(NAMES));
  return fs.lstatSync(path, { throwIfNoEntry: false }) === undefined ? path : undefined;
}

/** Everything below a folder. */
function list(dir: Buffer): Buffer[] {
  return fs.readdirSync(dir, "buffer").flatMap((name) => {
    const path = childPath(dir, name);
    return fs.lstatSync(path).isDirectory() ? [path, ...list(path)] : [path];
  });
}

const depth = (path: Buffer): number => path.toString("latin1").split("/").length;
const contains = (outer: Buffer, inner: Buffer): boolean =>
  `${inner.toString("latin1")}/`.startsWith(`${outer.toString("latin1")}/`);

function remove(path: Buffer): void {
  if (fs.lstatSync(path).isDirectory()) {
    for (const name of fs.readdirSync(path, "buffer")) remove(childPath(path, name));
    fs.rmdirSync(path);
  } else fs.unlinkSync(path);
}
