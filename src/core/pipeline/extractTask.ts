/**
 * One lane of a restore: takes items from the shared list, reads their verified content from the packs and writes it.
 *
 * A path that did not exist is created under its own name, exclusively, so that nothing which appeared meanwhile is
 * overwritten. Content that will replace something goes to a temp file beside its target; the caller renames it. If
 * content turns out damaged, what was written of it is removed again and the item is reported.
 */
import { constants } from "node:fs";
import { CheckpointError, cancelled, ignoreFailure } from "../../shared/errors";
import { describeErrno } from "../fs/describeErrno";
import { errnoOf, type FileSystem, type OsPath, permissions } from "../fs/fileSystem";
import { PathRoot } from "../fs/osPath";
import { writeFully } from "../fs/publishFile";
import type { Hash } from "../store/hash";
import { type SharedWork, WorkView } from "./sharedWork";

/** Flags of items, set by the caller. */
export const LINK = 1;
/** The path is a temp file that will replace something: make it durable before that. */
export const SYNC = 2;
/** State of an item that failed; untouched ones keep their flags, written ones become WRITTEN. */
const FAILED = 16;
export const WRITTEN = 32;

export interface ExtractTask {
  readonly kind: "extract";
  readonly root: string;
  readonly work: SharedWork;
}

export type ExtractFailure = "exists" | "damaged" | "denied";

export interface ExtractTaskResult {
  readonly failed: readonly { readonly item: number; readonly failure: ExtractFailure; readonly message: string }[];
}

/** Reads content from the store; throws `damaged`. False: not there. */
export type ContentReader = (hash: Hash, onBlock: (block: Uint8Array) => void) => boolean;

export interface ExtractDeps {
  readonly fs: FileSystem;
  readonly read: ContentReader;
}

const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Runs until the list is empty or cancelled. Throws on errors that concern everything (disk full). */
export function runExtractTask(deps: ExtractDeps, task: ExtractTask): ExtractTaskResult {
  const view = new WorkView(task.work);
  const root = new PathRoot(task.root);
  const failed: ExtractTaskResult["failed"][number][] = [];
  for (let item = view.take(); item !== undefined; item = view.take()) {
    const flags = view.states[item] ?? 0;
    try {
      if ((flags & LINK) !== 0) writeLink(deps, root.os(view.path(item)), view.hash(item));
      else writeFile(deps, root.os(view.path(item)), view, item, (flags & SYNC) !== 0);
      view.states[item] = WRITTEN;
    } catch (error) {
      view.states[item] = FAILED;
      const failure = failureOf(error);
      if (failure === undefined) {
        view.cancel();
        throw error;
      }
      failed.push({ item, failure, message: error instanceof CheckpointError ? error.message : describeErrno(error) });
    }
    view.finished();
  }
  return { failed };
}

function writeFile(deps: ExtractDeps, path: OsPath, view: WorkView, item: number, sync: boolean): void {
  const { fs } = deps;
  const { mode } = view.facts(item);
  const hash = view.hash(item);
  // Writable in any case: there are file systems that refuse to write to a file whose mode forbids it.
  const fd = fs.open(path, CREATE_FLAGS, (mode & 0o777) | 0o600);
  let size = 0;
  let isOpen = true;
  try {
    const found = deps.read(hash, (block) => {
      if (view.isCancelled) throw cancelled();
      writeFully(fs, fd, block, size);
      size += block.length;
    });
    if (!found) throw missing(hash);
    let stat = fs.fstat(fd);
    // The umask takes bits away, and some bits are not for new files; most modes come out as they were asked for.
    if (permissions(stat) !== mode) {
      fs.fchmod(fd, mode);
      stat = fs.fstat(fd);
    }
    if (sync) fs.fsync(fd);
    view.setFacts(item, { size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, ino: stat.ino, mode: permissions(stat) });
    // Network file systems may say only now that the disk is full. The descriptor is gone whatever it says.
    isOpen = false;
    fs.close(fd);
  } catch (error) {
    if (isOpen) ignoreFailure(() => fs.close(fd), "what is in this file is given up");
    ignoreFailure(() => fs.unlink(path), "the write error that is reported says more");
    throw error;
  }
}

function writeLink(deps: ExtractDeps, path: OsPath, hash: Hash): void {
  const blocks: Buffer[] = [];
  if (!deps.read(hash, (block) => blocks.push(Buffer.from(block)))) throw missing(hash);
  deps.fs.symlink(Buffer.concat(blocks), path);
}

function missing(hash: Hash): CheckpointError {
  return new CheckpointError("damaged", `Its content (${hash}) is missing from the store. Run "Verify Store".`);
}

/** What concerns one file only; undefined: everything else would fail too. */
function failureOf(error: unknown): ExtractFailure | undefined {
  if (CheckpointError.is(error, "damaged")) return "damaged";
  switch (errnoOf(error)) {
    case "EEXIST":
      return "exists";
    case "EACCES":
    case "EPERM":
    case "EBUSY":
    case "EISDIR":
    case "ENOTDIR":
    case "ENOENT":
    case "ELOOP":
    case "ENAMETOOLONG":
    case "EINVAL":
    case "EILSEQ":
      return "denied";
    default:
      return undefined;
  }
}
