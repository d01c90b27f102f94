/**
 * What a victim (see victim.ts) has written down when it is killed: what it was about to do, and what the engine has
 * answered. An answer is a promise: what it says must be there whatever happens afterwards.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { snapshotTree } from "../support/snapshotTree";

/**
 * Digests (see `digestOf`): `tree` of the workspace as it is, `former` and `planned` of what it was and is to be,
 * `contents` of what a checkpoint holds.
 */
export type Entry =
  | { readonly said: "editing" }
  /** Nothing is under way; the workspace is this. */
  | { readonly said: "settled"; readonly tree: string }
  | { readonly said: "saving" | "tidying"; readonly tree: string }
  | {
      readonly said: "saved";
      readonly id: string;
      readonly rootTree: string;
      readonly contents: string;
      readonly tree: string;
    }
  | { readonly said: "restoring"; readonly former: string; readonly planned: string }
  | { readonly said: "deleting" | "deleted"; readonly ids: readonly string[]; readonly tree: string }
  /** Something was not as it has to be: a failure of the test. */
  | { readonly said: "wrong"; readonly message: string };

export interface KnownCheckpoint {
  readonly id: string;
  readonly rootTree: string;
  readonly contents: string;
}

/** What follows from a log. */
export interface Story {
  /** Answered, and not known to be deleted. */
  readonly checkpoints: Map<string, KnownCheckpoint>;
  /** Of these, those that were being deleted. */
  readonly going: ReadonlySet<string>;
  readonly last: Entry | undefined;
  readonly wrong: readonly string[];
}

export function readStory(path: string): Story {
  const checkpoints = new Map<string, KnownCheckpoint>();
  const wrong: string[] = [];
  const entries = readEntries(path);
  for (const entry of entries) {
    if (entry.said === "saved") checkpoints.set(entry.id, entry);
    if (entry.said === "deleted") for (const id of entry.ids) checkpoints.delete(id);
    if (entry.said === "wrong") wrong.push(entry.message);
  }
  const last = entries.at(-1);
  return { checkpoints, going: new Set(last?.said === "deleting" ? last.ids : []), last, wrong };
}

function readEntries(path: string): Entry[] {
  const lines = fs.readFileSync(path, "utf8").split("\n");
  // Behind the last line break is nothing, or what the victim was writing when it was killed.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}

/** Durable when it returns. */
export function tell(path: string, entry: Entry): void {
  const fd = fs.openSync(path, "a", 0o600);
  try {
    fs.writeSync(fd, `${JSON.stringify(entry)}\n`);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Equal for folders with the same names, types, modes, contents and link targets. */
export function digestOf(folder: string): string {
  return createHash("sha256")
    .update(JSON.stringify(snapshotTree(folder)))
    .digest("hex")
    .slice(0, 24);
}
