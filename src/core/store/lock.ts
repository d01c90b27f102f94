/**
 * The project lock: one thread of one process at a time changes a store.
 *
 * Layout: `locks/project.lock` holds one JSON line that names the holder (process, thread, host, boot, since when it
 * holds, a nonce). It comes into being complete: written to a temp file, then hard-linked to its name, which fails if
 * the name exists. (Where links are not possible it is created exclusively; an unreadable lock is then given GRACE_MS
 * of watching to become readable.)
 *
 * Invariants
 *  - Only the thread named in the file removes it, unless that thread is provably gone (see processIdentity.ts).
 *    Another host's lock is never taken over: silence proves nothing.
 *  - Nonces are never used twice: once a lock with a nonce is gone, it does not come back.
 *  - The lock with nonce N of a dead holder is removed only by whoever created `project.takeover-N` exclusively, and
 *    only after having looked again whether the lock still is N. So it is removed once, and never a later one in its
 *    place.
 *  - A takeover file is itself removed by its owner, or, when that one died, by the same rule: it has a nonce of its
 *    own. Once lock N is gone, claims on it mean nothing; whoever holds the lock sweeps them.
 */
import { constants } from "node:fs";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import { errnoOf, type FileSystem, isHeldElsewhere, untilReleased } from "../fs/fileSystem";
import type { ProcessIdentity, ProcessMark } from "../fs/processIdentity";
import { FILE_MODE, namesIn, readWholeFile, sweepTempFiles, unlinkIfThere, writeFully } from "../fs/publishFile";

export interface LockHolder extends ProcessMark {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly nonce: string;
}

export interface LockOptions {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly identity: ProcessIdentity;
  readonly now: () => number;
  /** Letters, digits and "-"; never the same twice. */
  readonly nonce: () => string;
  /** What was slept is how long was waited: the clock may be set while somebody waits, or the machine be suspended. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly timeoutMs: number;
  readonly isCancelled?: (() => boolean) | undefined;
  /** Called when waiting begins, with the holder. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
}

export interface HeldLock {
  /** Gives the lock back. `folder`: where it lies by now, when the store has been renamed under it. */
  release(folder?: string): void;
}

/**
 * How long an unreadable lock file may be somebody's who is just writing it. One that a power cut has emptied is older
 * from the start: by the clock of the volume, which may be a server's. Otherwise it is watched for that long.
 */
const GRACE_MS = 2_000;
/** Polling: short at first, since most holders need tens of milliseconds; jitter comes from the scheduler. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 250;
/** A waiter's temp file lives for the few system calls between writing and linking it. */
const TEMP_AGE_MS = 60_000;

const LOCK = "project.lock";
const TAKEOVER_PREFIX = "project.takeover-";
const NONCE = /^[\w-]{1,64}$/;

/** Locks of this thread. One of ours that is not among them (it could not be removed in time) is nobody's. */
const heldHere = new Set<string>();

/**
 * Waits for the lock and takes it. Rejects with `locked` (naming the holder) after `timeoutMs`, with `cancelled` when
 * asked to stop. The caller must release it; a process or thread that dies releases it by dying.
 */
export async function acquireLock(options: LockOptions): Promise<HeldLock> {
  const { fs, folder } = options;
  const path = `${folder}/${LOCK}`;
  const attempt: Attempt = { ...options, waitedMs: 0, volumeNowMs: 0, unreadableSince: new Map() };
  let waitMs = FIRST_WAIT_MS;
  let told = false;
  for (;;) {
    let held: unknown;
    let holder: Found | undefined;
    try {
      const mine = newHolder(options);
      if (createExclusively(attempt, LOCK, mine)) return take(options, mine.nonce);
      holder = readHolder(fs, path);
      if (holder === undefined) continue;
      if (isDead(attempt, holder) && takeOver(attempt, path, holder)) continue;
    } catch (error) {
      // Windows: the last holder's lock is removed but not yet closed everywhere, or is being read.
      if (!isHeldElsewhere(fs, error)) throw error;
      held = error;
    }
    if (options.isCancelled?.() === true)
      throw new CheckpointError("cancelled", "Cancelled while waiting for the store.");
    if (attempt.waitedMs >= options.timeoutMs) throw holder === undefined ? held : lockedError(path, holder);
    if (!told && holder?.mark !== undefined) {
      told = true;
      options.onWait?.(holder.mark);
    }
    await options.sleep(waitMs);
    attempt.waitedMs += waitMs;
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** One call of `acquireLock`. */
interface Attempt extends LockOptions {
  waitedMs: number;
  /** By the clock of the volume: when this thread last wrote there. */
  volumeNowMs: number;
  /** By nonce: what `waitedMs` was when a file was first found unreadable. */
  readonly unreadableSince: Map<string, number>;
}

function take({ fs, folder, now }: LockOptions, nonce: string): HeldLock {
  heldHere.add(nonce);
  ignoreFailure(() => {
    const names = namesIn(fs, folder);
    for (const name of names) if (name.startsWith(TAKEOVER_PREFIX)) unlinkIfThere(fs, `${folder}/${name}`);
    sweepTempFiles(fs, folder, { now: now(), olderThanMs: TEMP_AGE_MS }, names);
  }, "claims on locks that are gone and abandoned temp files do no harm; the next holder tries again");
  return {
    release(where = folder) {
      heldHere.delete(nonce);
      const path = `${where}/${LOCK}`;
      untilReleased(fs, () => {
        if (readHolder(fs, path)?.mark?.nonce === nonce) fs.unlink(path);
      });
    },
  };
}

function newHolder({ identity, now, nonce }: LockOptions): LockHolder {
  return { ...identity.self, since: now(), nonce: nonce() };
}

function createExclusively(attempt: Attempt, name: string, holder: LockHolder): boolean {
  const { fs, folder } = attempt;
  const temp = `${folder}/${TEMP_PREFIX}${holder.nonce}`;
  const path = `${folder}/${name}`;
  const content = Buffer.from(`${JSON.stringify(holder)}\n`);
  const exclusive = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const writeNew = (target: string): void => {
    const fd = fs.open(target, exclusive, FILE_MODE);
    try {
      writeFully(fs, fd, content, 0);
      attempt.volumeNowMs = fs.fstat(fd).mtimeMs;
    } catch (error) {
      // A lock without a name in it would keep everybody waiting, first of all who tries again.
      ignoreFailure(() => fs.unlink(target), "it names nobody, so it is taken over in time");
      throw error;
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

/** A lock or takeover file as it was read. */
interface Found {
  /** Undefined: it names nobody (yet). */
  readonly mark: LockHolder | undefined;
  /** Tells this file from any other that ever has its name. */
  readonly nonce: string;
  readonly mtimeMs: number;
}

/** What a field that is missing means: nothing can be proven by it. */
const NOTHING_KNOWN = { host: "?", thread: 0, start: "", boot: "", pidSpace: "", since: 0 };

/** Undefined: there is none. */
function readHolder(fs: FileSystem, path: string): Found | undefined {
  const stat = fs.lstat(path);
  const content = stat === undefined ? undefined : readWholeFile(fs, path);
  if (stat === undefined || content === undefined) return undefined;
  const mark = parseHolder(content);
  return { mark, nonce: mark?.nonce ?? `unreadable-${stat.ino}-${Math.round(stat.mtimeMs)}`, mtimeMs: stat.mtimeMs };
}

function parseHolder(content: Buffer): LockHolder | undefined {
  try {
    const holder = JSON.parse(content.toString("utf8")) as Partial<LockHolder> | null;
    if (typeof holder?.pid !== "number" || typeof holder.nonce !== "string" || !NONCE.test(holder.nonce))
      return undefined;
    return { ...NOTHING_KNOWN, ...(holder as LockHolder) };
  } catch {
    return undefined; // being written, or torn by a crash: time tells
  }
}

function isDead(attempt: Attempt, { mark, nonce, mtimeMs }: Found): boolean {
  const { identity, waitedMs, unreadableSince } = attempt;
  if (mark === undefined) {
    const since = unreadableSince.get(nonce) ?? waitedMs;
    unreadableSince.set(nonce, since);
    return Math.max(waitedMs - since, attempt.volumeNowMs - mtimeMs) > GRACE_MS;
  }
  const { self } = identity;
  const mine =
    mark.start === self.start && mark.pid === self.pid && mark.thread === self.thread && mark.host === self.host;
  if (mine && mark.boot === self.boot && mark.pidSpace === self.pidSpace) return !heldHere.has(mark.nonce);
  return identity.isGone(mark);
}

/** Removes a dead holder's file at `path`. False: somebody else is at it, or it is another's by now. */
function takeOver(options: Attempt, path: string, dead: Found): boolean {
  const { fs, folder } = options;
  const name = `${TAKEOVER_PREFIX}${dead.nonce}`;
  const claim = `${folder}/${name}`;
  const mine = newHolder(options);
  // Not among the locks of this thread while it exists: nothing here yields, so no other code of this thread sees it.
  if (!createExclusively(options, name, mine)) {
    const other = readHolder(fs, claim);
    if (other !== undefined && isDead(options, other)) takeOver(options, claim, other);
    return false;
  }
  try {
    const same = readHolder(fs, path)?.nonce === dead.nonce;
    if (same) unlinkIfThere(fs, path);
    return same;
  } finally {
    ignoreFailure(() => fs.unlink(claim), "who holds the lock next sweeps it");
  }
}

function lockedError(path: string, { mark }: Found): CheckpointError {
  if (mark === undefined)
    return new CheckpointError(
      "locked",
      `The store is locked by an unreadable lock file. Try again in a moment; if it stays, delete ${path}.`,
      { details: { path } },
    );
  const since = new Date(mark.since).toLocaleString();
  return new CheckpointError(
    "locked",
    `The store is in use by process ${mark.pid} on ${mark.host} since ${since}. Wait for it to finish, or end that process, and try again. Only if you are sure that it no longer runs, delete the lock file ${path}.`,
    { details: { pid: mark.pid, host: mark.host, since: mark.since, path } },
  );
}
