/**
 * What a restore is doing, on disk while it does it: `journal/restore.json`. It is there from before the workspace is
 * touched until nothing is left to be done, so whoever holds the project lock and finds it knows that a restore was
 * interrupted, and from what to what it was going.
 */
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { FileSystem } from "../fs/fileSystem";
import { makeFolders, publishFile, readWholeFile, syncFolder, unlinkIfThere } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import type { Hash } from "./hash";
import type { RestoreRow } from "./restoreRows";

/** A folder whose owner is given more permissions while the restore runs. */
export interface OpenedFolder {
  readonly path: ByteString;
  /** Permission bits that it had, and has again afterwards. */
  readonly mode: number;
}

export interface RestoreIntent {
  /** The restore as a row of the undo stack; `at` tells it from all others. */
  readonly row: Omit<RestoreRow, "id" | "beforeId" | "baseRoot" | "resultRoot"> & {
    /** Null: the present state was not made a checkpoint. Its content is in the store nevertheless. */
    readonly beforeId: string | null;
    readonly baseRoot: Hash;
    readonly resultRoot: Hash;
  };
  /** In the names of its temp files in the workspace; more than one once it was taken up again. */
  readonly nonces: readonly string[];
  readonly folders: readonly OpenedFolder[];
}

interface JournalFile {
  readonly version: 1;
  /** XXH64 of the JSON text of `intent`, in hex. */
  readonly sum: string;
  readonly intent: RestoreIntent;
}

const NAME = "restore.json";
const VERSION = 1;

export interface JournalDeps {
  readonly fs: FileSystem;
  readonly codecs: Pick<Codecs, "xxh64">;
  readonly folder: string;
}

/** Durable when it returns; replaces one that is there. The caller holds the lock. */
export function writeIntent({ fs, codecs, folder }: JournalDeps, intent: RestoreIntent, nonce: string): void {
  makeFolders(fs, folder);
  const file: JournalFile = { version: VERSION, sum: sumOf(codecs, intent), intent };
  publishFile(fs, folder, NAME, Buffer.from(JSON.stringify(file)), nonce);
}

/** Undefined: nothing was interrupted. Throws `damaged` or `newer-format` for what cannot be understood. */
export function readIntent({ fs, codecs, folder }: JournalDeps): RestoreIntent | undefined {
  const content = readWholeFile(fs, `${folder}/${NAME}`);
  if (content === undefined) return undefined;
  let file: JournalFile;
  try {
    file = JSON.parse(content.toString("utf8")) as JournalFile;
    if (file.version === VERSION && file.sum !== sumOf(codecs, file.intent)) throw new Error("its sum differs");
    if (file.version === VERSION && !isIntent(file.intent)) throw new Error("it tells of no restore");
    if (file.version === VERSION && leadsOut(file.intent)) throw new Error("a path in it is none of the workspace");
  } catch (cause) {
    throw new CheckpointError(
      "damaged",
      `A restore was interrupted, and its journal ${folder}/${NAME} is damaged. Restore the newest safety checkpoint to get back what was there before, then delete that file.`,
      { cause },
    );
  }
  if (file.version !== VERSION)
    throw new CheckpointError(
      "newer-format",
      `A restore was interrupted by a newer version of Checkpoint (${folder}/${NAME}). Finish it with that version.`,
    );
  return file.intent;
}

/** A journal that somebody forged must not lead a recovery, which gives these folders modes, out of the workspace. */
function leadsOut({ folders }: RestoreIntent): boolean {
  const isPlain = (name: string): boolean => name !== "" && name !== "." && name !== ".." && !name.includes("\0");
  return folders.some(({ path }) => path !== "" && !path.split("/").every(isPlain));
}

/** Nothing is left to be done. */
export function removeIntent({ fs, folder }: JournalDeps): void {
  if (unlinkIfThere(fs, `${folder}/${NAME}`)) syncFolder(fs, folder);
}

const sumOf = (codecs: Pick<Codecs, "xxh64">, intent: RestoreIntent): string =>
  codecs.xxh64(Buffer.from(JSON.stringify(intent))).toString(16);

const ROOT = /^[0-9a-f]{32}$/;

/** A sum keeps accidents out; what the workspace is changed by must make sense as well. */
function isIntent({ row, nonces, folders }: RestoreIntent): boolean {
  const isInside = (path: string): boolean => !path.split("/").some((name) => name === ".." || name.includes("\0"));
  return (
    ROOT.test(row.baseRoot) &&
    ROOT.test(row.resultRoot) &&
    nonces.every((nonce) => /^[\w-]+$/.test(nonce)) &&
    folders.every(({ path, mode }) => typeof path === "string" && isInside(path) && Number.isInteger(mode))
  );
}
