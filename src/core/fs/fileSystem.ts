/**
 * The file system as the core sees it: synchronous (in worker threads synchronous calls cost several times less than
 * promises), small, and handed in from the top so that tests can put a faulty one underneath.
 *
 * All methods throw Node's system errors (`code` = errno name) unless said otherwise.
 */

/** A path for the operating system: text, or bytes where the name is no plain ASCII. */
export type OsPath = string | Buffer;

export interface FileStat {
  /** Type and permission bits as stat(2) gives them. */
  readonly mode: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  readonly dev: number;
  readonly nlink: number;
  /** Absent or 0 where the file system keeps none. */
  readonly birthtimeMs?: number;
}

export interface FileSystem {
  open(path: OsPath, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Bytes read; 0 at the end. May be fewer than asked for. `position` null = at the file's own position. */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  /** Bytes written; may be fewer than asked for. */
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  fsync(fd: number): void;
  ftruncate(fd: number, length: number): void;
  fchmod(fd: number, mode: number): void;
  fstat(fd: number): FileStat;
  /** Undefined when nothing is there (ENOENT, ENOTDIR). Does not follow a symlink at the end. */
  lstat(path: OsPath): FileStat | undefined;
  /** Names as byte strings, unsorted. */
  readdir(path: OsPath): string[];
  readlink(path: OsPath): Buffer;
  mkdir(path: OsPath, mode?: number): void;
  rmdir(path: OsPath): void;
  unlink(path: OsPath): void;
  rename(from: OsPath, to: OsPath): void;
  link(existing: OsPath, path: OsPath): void;
  symlink(target: Buffer, path: OsPath): void;
  chmod(path: OsPath, mode: number): void;
  /** The canonical absolute path. */
  realpath(path: string): string;
  /**
   * True when the file system that holds this folder is known to set a folder's times whenever an entry of it comes,
   * goes or is renamed. Absent: unknown, names must be read. FAT on some systems, and mounts of object stores, do not.
   */
  readonly tellsListingChanges?: (folder: OsPath) => boolean;
  /** Bytes that this user may still write to the file system that holds `path`. Absent, or null: it does not say. */
  readonly freeBytes?: (path: OsPath) => number | null;
  /**
   * Only where some names mean something else than an entry of their folder (Windows): why this one, as text, cannot be
   * made, in a sentence for people; undefined for all others.
   */
  readonly refusesName?: (name: string) => string | undefined;
  /**
   * Only where a file that another program has open cannot be renamed, replaced or removed (Windows: a virus scanner,
   * an indexer, another of our processes reading it): blocks this thread for some milliseconds before trying again.
   */
  readonly pause?: (ms: number) => void;
}

const TYPE_MASK = 0o170000;
export const isFile = (stat: FileStat): boolean => (stat.mode & TYPE_MASK) === 0o100000;
export const isDirectory = (stat: FileStat): boolean => (stat.mode & TYPE_MASK) === 0o040000;
export const isSymlink = (stat: FileStat): boolean => (stat.mode & TYPE_MASK) === 0o120000;
/** Permission bits, with set-uid, set-gid and sticky. */
export const permissions = (stat: FileStat): number => stat.mode & 0o7777;

/** What is at a path; undefined, too, where it cannot be looked at. */
export function lookAt(fs: FileSystem, path: OsPath): FileStat | undefined {
  try {
    return fs.lstat(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** How long a file may be held by another program before that is taken for an answer: about a second in all. */
const SHARING_WAITS_MS: readonly number[] = [5, 10, 20, 40, 80, 160, 320, 320];

/** True for what such a file system says of a file that is open elsewhere, or removed but not yet closed everywhere. */
export function isHeldElsewhere(fs: FileSystem, error: unknown): boolean {
  return fs.pause !== undefined && ["EPERM", "EACCES", "EBUSY"].includes(errnoOf(error) ?? "");
}

/** Runs `action` again, for a bounded time, while other programs hold the file it is about. Throws the last error. */
export function untilReleased<T>(fs: FileSystem, action: () => T): T {
  for (let attempt = 0; ; attempt++) {
    try {
      return action();
    } catch (error) {
      const waitMs = SHARING_WAITS_MS[attempt];
      if (waitMs === undefined || !isHeldElsewhere(fs, error)) throw error;
      fs.pause?.(waitMs);
    }
  }
}

/** The errno name of a thrown system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
