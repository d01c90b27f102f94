/** What a folder holds, counted without any code of the product: type, permission bits, content, link target. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { childPath } from "./treeLiteral";

/** By path (its bytes as char codes); each entry in one line, so that a difference is readable. */
export type Snapshot = Record<string, string>;

export interface SnapshotOptions {
  /** Also inode, modification and change time in nanoseconds: nothing was even touched. */
  readonly times?: boolean;
  /** Paths (and what lies below them) to leave out. */
  readonly without?: (path: string) => boolean;
}

const INLINE_BYTES = 48;

export function snapshotTree(dir: string | Buffer, options: SnapshotOptions = {}): Snapshot {
  const snapshot: Snapshot = {};
  walk(typeof dir === "string" ? Buffer.from(dir) : dir, "", options, snapshot);
  return snapshot;
}

/** Number of regular files, folders, symlinks; `bytes` counts links by the length of their targets. */
export function recount(dir: string): { files: number; directories: number; symlinks: number; bytes: number } {
  const counts = { files: 0, directories: 0, symlinks: 0, bytes: 0 };
  const visit = (folder: Buffer): void => {
    for (const name of fs.readdirSync(folder, "buffer")) {
      const path = childPath(folder, name);
      const stat = fs.lstatSync(path);
      if (stat.isDirectory()) {
        counts.directories++;
        visit(path);
        continue;
      }
      if (stat.isSymbolicLink()) counts.symlinks++;
      else counts.files++;
      counts.bytes += stat.size;
    }
  };
  visit(Buffer.from(dir));
  return counts;
}

function walk(dir: Buffer, prefix: string, options: SnapshotOptions, into: Snapshot): void {
  const names = fs.readdirSync(dir, "buffer").sort(Buffer.compare);
  for (const name of names) {
    const path = `${prefix}${name.toString("latin1")}`;
    if (options.without?.(path) === true) continue;
    const full = childPath(dir, name);
    const stat = fs.lstatSync(full, { bigint: true });
    const touched = options.times === true ? ` ino ${stat.ino} mtime ${stat.mtimeNs} ctime ${stat.ctimeNs}` : "";
    into[path] = describe(full, stat) + touched;
    if (stat.isDirectory()) walk(full, `${path}/`, options, into);
  }
}

function describe(path: Buffer, stat: fs.BigIntStats): string {
  const mode = (Number(stat.mode) & 0o7777).toString(8);
  if (stat.isDirectory()) return `folder ${mode}`;
  if (stat.isSymbolicLink()) return `link -> ${fs.readlinkSync(path, "buffer").toString("latin1")}`;
  if (!stat.isFile()) return `special ${mode}`;
  return describeFile(mode, fs.readFileSync(path));
}

/** `mode`: permission bits in octal. */
export function describeFile(mode: string, content: Buffer): string {
  const shown =
    content.length <= INLINE_BYTES
      ? JSON.stringify(content.toString("latin1"))
      : `${content.length} bytes ${createHash("sha256").update(content).digest("hex")}`;
  return `file ${mode} ${shown}`;
}
