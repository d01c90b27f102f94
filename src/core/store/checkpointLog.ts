/**
 * `checkpoints.log`: what each checkpoint is, outside of the catalog, so that a catalog that is lost can be made anew.
 *
 *   one record a line: XXH64 of the JSON text, 16 hex digits | " " | JSON | "\n"
 *     {"version":1,"nextNumber":n,"owesSweep":true}         the first one; `owesSweep` only while a purge still owes one
 *     {"put":{"checkpoint":{…},"rules":"…","skipped":"…"}}  it is like this from now on; `skipped` as in the catalog, base64
 *     {"gone":"id"}                                         it was deleted
 *     {"trees":["hash", …]}                                 root trees that are no checkpoint (any more): deleted or purged
 *                                                           ones', restores'; a later "put" of one takes it out again
 *
 * It follows the catalog, in which its size is written down (`meta.log_bytes`): the lines of a commit are appended after
 * it, unsynced, and a log of another size is written anew by the next commit. So the last lines may be missing. The
 * catalog alone says what exists; this is read when there is no catalog that can be read.
 */
import { constants } from "node:fs";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { FileSystem } from "../fs/fileSystem";
import { FILE_MODE, publishFile, readWholeFile, writeFully } from "../fs/publishFile";
import { CHECKPOINT_COLUMNS } from "./catalogSchema";
import type { Codecs } from "./codecs";
import type { Hash } from "./hash";

export const LOG_FILE = "checkpoints.log";
const VERSION = 1;
const SUM_DIGITS = 16;

export interface CheckpointRecord {
  readonly checkpoint: Checkpoint;
  /** The scan options in force, as the catalog has them. */
  readonly rules: string;
  /** What could not be saved: a frame (see skippedList), or nothing. */
  readonly skipped: Uint8Array;
}

export interface LoggedCheckpoints {
  readonly records: ReadonlyMap<string, CheckpointRecord>;
  /** Ids of checkpoints that were deleted. */
  readonly gone: ReadonlySet<string>;
  /** Root trees that are known to be no checkpoints: if all lines are intact, else one may be that of a lost line. */
  readonly trees: ReadonlySet<Hash>;
  /** Purged content may still lie in packs. */
  readonly owesSweep: boolean;
  /** At least. */
  readonly nextNumber: number;
  /** Lines that are not as they were written; a last one that was cut off is none. */
  readonly badLines: number;
  /** The last line is not complete: it was just being written, or something was cut off. */
  readonly isTorn: boolean;
}

interface LogDeps {
  readonly fs: FileSystem;
  readonly codecs: Pick<Codecs, "xxh64">;
  readonly folder: string;
}

type LogLine =
  | { readonly version: number; readonly nextNumber: number; readonly owesSweep?: boolean }
  | {
      readonly put: {
        readonly checkpoint: Checkpoint;
        readonly rules: string;
        readonly skipped: string;
      };
    }
  | { readonly gone: string }
  | { readonly trees: readonly string[] };

export class CheckpointLog {
  constructor(private readonly deps: LogDeps) {}

  get bytes(): number {
    return this.deps.fs.lstat(this.path)?.size ?? 0;
  }

  headLine(nextNumber: number, owesSweep: boolean): string {
    return this.line({ version: VERSION, nextNumber, ...(owesSweep && { owesSweep }) });
  }

  putLine({ checkpoint, rules, skipped }: CheckpointRecord): string {
    return this.line({ put: { checkpoint, rules, skipped: Buffer.from(skipped).toString("base64") } });
  }

  goneLine(id: string): string {
    return this.line({ gone: id });
  }

  treesLine(trees: readonly string[]): string {
    return this.line({ trees });
  }

  /** Behind what is there, which has `at` bytes. Not synced. */
  append(lines: string, at: number): void {
    const { fs } = this.deps;
    const fd = fs.open(this.path, constants.O_WRONLY | constants.O_CREAT, FILE_MODE);
    try {
      writeFully(fs, fd, Buffer.from(lines), at);
    } finally {
      fs.close(fd);
    }
  }

  /** In place of what is there. Not synced. */
  replace(lines: string, nonce: string): void {
    publishFile(this.deps.fs, this.deps.folder, LOG_FILE, Buffer.from(lines), nonce, "none");
  }

  /** Undefined: there is none. Throws `newer-format`; whatever else is wrong with it is left out. */
  read(): LoggedCheckpoints | undefined {
    const content = readWholeFile(this.deps.fs, this.path);
    if (content === undefined) return undefined;
    const lines = content.toString("utf8").split("\n");
    // Behind the last line feed: nothing, or what was being written.
    const logged = new Logged(lines.pop() !== "");
    for (const text of lines) {
      const line = this.parse(text);
      if (line === undefined || !logged.take(line)) logged.badLines++;
    }
    return logged;
  }

  private parse(text: string): LogLine | undefined {
    const json = text.slice(SUM_DIGITS + 1);
    if (text !== `${this.sumOf(json)} ${json}`) return undefined;
    try {
      const value: unknown = JSON.parse(json);
      return typeof value === "object" && value !== null ? (value as LogLine) : undefined;
    } catch {
      return undefined; // counted as a bad line
    }
  }

  private line(line: LogLine): string {
    const json = JSON.stringify(line);
    return `${this.sumOf(json)} ${json}\n`;
  }

  private sumOf(json: string): string {
    return this.deps.codecs.xxh64(Buffer.from(json)).toString(16).padStart(SUM_DIGITS, "0");
  }

  private get path(): string {
    return `${this.deps.folder}/${LOG_FILE}`;
  }
}

class Logged implements LoggedCheckpoints {
  readonly records = new Map<string, CheckpointRecord>();
  readonly gone = new Set<string>();
  readonly trees = new Set<Hash>();
  owesSweep = false;
  nextNumber = 1;
  badLines = 0;

  constructor(readonly isTorn: boolean) {}

  /** False for what no program of this version writes. */
  take(line: LogLine): boolean {
    if ("version" in line) return this.takeHead(line);
    if ("put" in line) return this.put(line.put);
    if ("gone" in line && typeof line.gone === "string") {
      this.gone.add(line.gone);
      this.records.delete(line.gone);
      return true;
    }
    if (!("trees" in line && Array.isArray(line.trees))) return false;
    for (const tree of line.trees) if (isHash(tree)) this.trees.add(tree);
    return true;
  }

  private takeHead({ version, nextNumber, owesSweep }: Extract<LogLine, { readonly version: number }>): boolean {
    if (version > VERSION)
      throw new CheckpointError(
        "newer-format",
        `${LOG_FILE} was written by a newer version of Checkpoint (format ${version}). Update Checkpoint; the store was not touched.`,
      );
    if (version !== VERSION || !Number.isSafeInteger(nextNumber)) return false;
    this.nextNumber = Math.max(this.nextNumber, nextNumber);
    this.owesSweep = owesSweep === true;
    return true;
  }

  private put(put: { readonly checkpoint: unknown; readonly rules: unknown; readonly skipped: unknown }): boolean {
    const { checkpoint, rules, skipped } = put ?? {};
    if (!isCheckpoint(checkpoint) || typeof rules !== "string" || typeof skipped !== "string") return false;
    this.gone.delete(checkpoint.id);
    this.trees.delete(checkpoint.rootTree as Hash);
    this.records.set(checkpoint.id, { checkpoint, rules, skipped: Buffer.from(skipped, "base64") });
    this.nextNumber = Math.max(this.nextNumber, checkpoint.number + 1);
    return true;
  }
}

const isHash = (value: unknown): value is Hash => typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === "string";
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);

const FIELDS: Readonly<Record<keyof Checkpoint, (value: unknown) => boolean>> = {
  id: (value) => isText(value) && /^[0-9A-Za-z-]{1,64}$/.test(value as string),
  number: isCount,
  createdAt: isCount,
  kind: (value) => ["manual", "auto", "safety", "import"].includes(value as string),
  trigger: isText,
  name: isTextOrNull,
  note: isTextOrNull,
  pinned: (value) => typeof value === "boolean",
  parentId: isTextOrNull,
  rootTree: isHash,
  files: isCount,
  bytes: isCount,
  newObjects: isCount,
  newBytes: isCount,
  added: isCount,
  changed: isCount,
  removed: isCount,
  skipped: isCount,
  branch: isTextOrNull,
  head: isTextOrNull,
  groupId: isTextOrNull,
};

/** Whether this can be a row of the catalog: for what comes from files that are not believed. */
export function isCheckpoint(value: unknown): value is Checkpoint {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return Object.keys(CHECKPOINT_COLUMNS).every((field) => FIELDS[field as keyof Checkpoint](record[field]));
}
