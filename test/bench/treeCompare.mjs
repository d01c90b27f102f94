/** An independent look at trees and stores: nothing of the program under test is used here. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { cleanEnvironment } from "./timedProcess.mjs";

/**
 * Every entry of a tree: path (one character a byte) → what it is. Type and permission bits, and with `hashes` the
 * content; of a link, its target.
 */
export function describeTree(root, { hashes }) {
  const entries = new Map();
  const counts = { files: 0, folders: 0, links: 0, bytes: 0 };
  const walk = (folder, prefix) => {
    for (const name of fs.readdirSync(folder, "buffer")) {
      const full = Buffer.concat([folder, SLASH, name]);
      const relative = prefix + name.toString("latin1");
      const stat = fs.lstatSync(full);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isDirectory()) {
        counts.folders++;
        entries.set(relative, `folder ${mode}`);
        walk(full, `${relative}/`);
      } else if (stat.isSymbolicLink()) {
        counts.links++;
        entries.set(relative, `link ${fs.readlinkSync(full, "latin1")}`);
      } else if (stat.isFile()) {
        counts.files++;
        counts.bytes += stat.size;
        const content = hashes ? createHash("sha1").update(fs.readFileSync(full)).digest("base64") : "";
        entries.set(relative, `file ${mode} ${stat.size} ${content}`);
      }
    }
  };
  walk(Buffer.from(root), "");
  return { entries, counts };
}

const SLASH = Buffer.from("/");

/** Entries of `wanted` that are missing or different in `got`, and those that are only in `got`. */
export function compareTrees(wanted, got, ignored) {
  const wrong = [];
  for (const [name, what] of wanted.entries) {
    if (isIgnored(name, ignored)) continue;
    if (got.entries.get(name) !== what) wrong.push(`${name}: ${what} became ${got.entries.get(name) ?? "nothing"}`);
  }
  for (const name of got.entries.keys()) if (!wanted.entries.has(name)) wrong.push(`${name}: was not there`);
  return { wrong: wrong.length, examples: wrong.slice(0, 3) };
}

function isIgnored(name, ignored) {
  if (ignored.has(name)) return true;
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1))
    if (ignored.has(name.slice(0, end))) return true;
  return false;
}

/**
 * What `.gitignore` files leave out, as git itself reads them: nobody has to bring that back. Folders stand without
 * their content.
 */
export function ignoredPaths(workspace, gitDirectory) {
  fs.rmSync(gitDirectory, { recursive: true, force: true });
  const env = { ...cleanEnvironment(), GIT_DIR: gitDirectory };
  const git = (args) => spawnSync("git", args, { cwd: workspace, env, encoding: "latin1", maxBuffer: 1 << 28 });
  git(["init", "-q"]);
  const { stdout, status, stderr } = git([
    `--work-tree=${workspace}`,
    ...["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"],
  ]);
  fs.rmSync(gitDirectory, { recursive: true, force: true });
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`);
  return new Set(
    stdout
      .split("\0")
      .filter(Boolean)
      .map((name) => name.replace(/\/$/, "")),
  );
}

/** All files of a store: bytes as they are long, bytes in disk blocks (folders included), and how many. */
export function sizeOf(folder, matches = () => true) {
  const total = { bytes: 0, disk: 0, files: 0 };
  if (!fs.existsSync(folder)) return total;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    const stat = fs.lstatSync(full);
    if (entry.isDirectory()) {
      const inner = sizeOf(full, matches);
      total.bytes += inner.bytes;
      total.disk += inner.disk + stat.blocks * 512;
      total.files += inner.files;
    } else if (matches(entry.name)) {
      total.bytes += stat.size;
      total.disk += stat.blocks * 512;
      total.files++;
    }
  }
  return total;
}
