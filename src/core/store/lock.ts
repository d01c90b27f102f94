/**
 * The project lock: one process at a time changes a store.
 *
 * Layout: `locks/project.lock` holds one JSON line that names the holder (pid, host, when the process started, since
 * when it holds, a nonce). It comes into being complete: written to a temp file, then hard-linked to its name, which
 * fails if the name exists. (Where links are not possible it is created exclusively; an unreadable lock is then given
 * GRACE_MS to become readable.)
 *
 * Invariants
 *  - Only the process named in the file removes it, unless that process is provably dead: same host, and no process
 *    with that pid, or one that started at another time (the pid was used again). Another host's lock is never taken
 *    over: silence proves nothing.
 *  - Two waiters must not both take over: the one who does first creates `project.takeover` exclusively, and then looks
 *    again whether the lock still holds the same nonce. A takeover file left by a crash is dead by the same proof.
 */
import { constants } from "node:fs";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { errnoOf, type FileSystem } from "../fs/fileSystem";
import type { ProcessIdentity } from "../fs/processIdentity";
import { FILE_MODE, readWholeFile, TEMP_PREFIX, writeFully } from "../fs/publishFile";

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly start: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly nonce: string;
}

export interface LockOptions {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly identity: ProcessIdentity;
  readonly now: () => number;
  readonly nonce: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly timeoutMs: number;
  readonly isCancelled?: (() => boolean) | undefined;
  /** Called when waiting begins, with the holder. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
}

export interface HeldLock {
  release(): void;
}

/** How long an unreadable lock file may be somebody's who is just writing it. */
const GRACE_MS = 2_000;
/** Polling: short at first, since most holders need tens of milliseconds; jitter comes from the scheduler. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 250;

const LOCK = "project.lock";
const TAKEOVER = "project.takeover";

/**
 * Waits for the lock and takes it. Rejects with `locked` (naming the holder) after `timeoutMs`, with `cancelled` when
 * asked to stop. The caller must release it; a process that dies releases it by dying.
 */
export async function acquireLock(options: LockOptions): Promise<HeldLock> {
  const { fs, folder, now } = options;
  const deadline = now() + options.timeoutMs;
  const path = `${folder}/${LOCK}`;
  let waitMs = FIRST_WAIT_MS;
  let told = false;
  for (;;) {
    const mine: LockHolder = {
      pid: options.identity.pid,
      host: options.identity.host,
      start: options.identity.startOf(options.identity.pid),
      since: now(),
      nonce: options.nonce(),
    };
    if (createExclusively(fs, folder, LOCK, mine)) return { release: () => release(fs, path, mine.nonce) };
    const holder = readHolder(fs, path);
    if (holder === "gone") continue;
    if (isDead(options, path, holder) && takeOver(options, holder)) continue;
    if (options.isCancelled?.() === true)
      throw new CheckpointError("cancelled", "Cancelled while waiting for the store.");
    if (now() >= deadline) throw lockedError(holder);
    if (!told && holder !== "unreadable") {
      told = true;
      options.onWait?.(holder);
    }
    await options.sleep(waitMs);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

function createExclusively(fs: FileSystem, folder: string, name: string, holder: LockHolder): boolean {
  const temp = `${folder}/${TEMP_PREFIX}${holder.nonce}`;
  const path = `${folder}/${name}`;
  const content = Buffer.from(`${JSON.stringify(holder)}\n`);
  const exclusive = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const writeNew = (target: string): void => {
    const fd = fs.open(target, exclusive, FILE_MODE);
    try {
      writeFully(fs, fd, content, 0);
    } finally {
      fs.close(fd);
    }
  };
  try {
    writeNew(temp);
    try {
      fs.link(temp, path);
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return false;
      // No hard links here (exFAT, some network shares): exclusive creation is the next best.
      writeNew(path);
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    ignoreFailure(() => fs.unlink(temp), "a temp file in the lock folder harms nobody and is swept with the store");
  }
}

function readHolder(fs: FileSystem, path: string): LockHolder | "gone" | "unreadable" {
  const content = readWholeFile(fs, path);
  if (content === undefined) return "gone";
  try {
    const holder = JSON.parse(content.toString("utf8")) as LockHolder;
    return typeof holder.pid === "number" && typeof holder.nonce === "string" ? holder : "unreadable";
  } catch {
    return "unreadable";
  }
}

function isDead(options: LockOptions, path: string, holder: LockHolder | "unreadable"): boolean {
  if (holder === "unreadable") {
    const stat = options.fs.lstat(path);
    return stat !== undefined && options.now() - stat.mtimeMs > GRACE_MS;
  }
  const { identity } = options;
  if (holder.host !== identity.host) return false;
  if (!identity.isAlive(holder.pid)) return true;
  const start = identity.startOf(holder.pid);
  return start !== "" && holder.start !== "" && start !== holder.start;
}

/** Removes a dead holder's lock. False: somebody else is at it, or it is another's lock by now. */
function takeOver(options: LockOptions, dead: LockHolder | "unreadable"): boolean {
  const { fs, folder, identity } = options;
  const takeover = `${folder}/${TAKEOVER}`;
  const nonce = options.nonce();
  const me = {
    pid: identity.pid,
    host: identity.host,
    start: identity.startOf(identity.pid),
    since: options.now(),
    nonce,
  };
  if (!createExclusively(fs, folder, TAKEOVER, me)) {
    const other = readHolder(fs, takeover);
    if (other !== "gone" && isDead(options, takeover, other))
      ignoreFailure(() => fs.unlink(takeover), "another waiter removed it first");
    return false;
  }
  try {
    const current = readHolder(fs, `${folder}/${LOCK}`);
    const same =
      current === dead || (typeof current === "object" && typeof dead === "object" && current.nonce === dead.nonce);
    if (same) fs.unlink(`${folder}/${LOCK}`);
    return same;
  } finally {
    ignoreFailure(() => fs.unlink(takeover), "its owner is alive and well, so nobody else removed it for good reason");
  }
}

function release(fs: FileSystem, path: string, nonce: string): void {
  const holder = readHolder(fs, path);
  if (typeof holder === "object" && holder.nonce === nonce) fs.unlink(path);
}

function lockedError(holder: LockHolder | "unreadable"): CheckpointError {
  if (holder === "unreadable")
    return new CheckpointError("locked", "The store is locked by an unreadable lock file. Try again in a moment.");
  const since = new Date(holder.since).toLocaleTimeString();
  return new CheckpointError(
    "locked",
    `The store is in use by process ${holder.pid} on ${holder.host} since ${since}. Wait for it to finish, or end that process, and try again.`,
    { details: { pid: holder.pid, host: holder.host, since: holder.since } },
  );
}
