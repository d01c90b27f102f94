/**
 * The one way a file of the store comes into being.
 *
 *   temp file in the same folder → all bytes → length check → fsync → close → rename → fsync of the folder
 *
 * At every moment the final name holds the old content or the new one, never a part. A crash leaves at most a temp file
 * (TEMP_PREFIX), which whoever next holds the project lock removes: but for waiting for that lock (see lock.ts), temp
 * files are only made under it.
 */
import { constants } from "node:fs";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import { errnoOf, type FileSystem, untilReleased } from "./fileSystem";

/** Files of the store belong to their owner alone: they hold copies of everything in the workspace. */
export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

/**
 * What a power cut may take. "durable": nothing. "content": the name, but if it is there, so is the content; for a file
 * whose folder is synced for the next one. "none": all of it; for caches that carry a checksum.
 */
type Durability = "durable" | "content" | "none";

/**
 * Publishes `content` as `folder/name`, replacing what was there. On any error the old file is untouched and no temp
 * file stays. `nonce` makes the temp name unique within the folder.
 */
export function publishFile(
  fs: FileSystem,
  folder: string,
  name: string,
  content: Uint8Array,
  nonce: string,
  durability: Durability = "durable",
): void {
  const temp = `${folder}/${TEMP_PREFIX}${nonce}`;
  const fd = fs.open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
  let isOpen = true;
  try {
    writeFully(fs, fd, content, 0);
    isOpen = false; // publishOpenFile closes it, also on error
    publishOpenFile(fs, fd, temp, folder, name, content.length, durability);
  } catch (error) {
    if (isOpen) ignoreFailure(() => fs.close(fd), "what is in this file is given up");
    ignoreFailure(() => fs.unlink(temp), "already gone, or the volume is failing: swept under the next lock");
    throw error;
  }
}

/**
 * The second half of publishing: a temp file that was written in pieces gets its final name. Closes `fd` in any case.
 * On error the temp file is left to the caller.
 */
export function publishOpenFile(
  fs: FileSystem,
  fd: number,
  temp: string,
  folder: string,
  name: string,
  expectedBytes: number,
  durability: Durability = "durable",
): void {
  try {
    const written = fs.fstat(fd).size;
    if (written !== expectedBytes)
      throw new CheckpointError(
        "io",
        `Writing ${name} failed: ${written} of ${expectedBytes} bytes arrived. Check the disk and try again.`,
      );
    if (durability !== "none") fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
  untilReleased(fs, () => fs.rename(temp, `${folder}/${name}`));
  if (durability === "durable") syncFolder(fs, folder);
}

/** Writes all of `bytes` at `position`, however many calls that takes. */
export function writeFully(fs: FileSystem, fd: number, bytes: Uint8Array, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    const written = fs.write(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
    if (written <= 0)
      throw new CheckpointError("io", "The disk took no more bytes without saying why. Check it and try again.");
    done += written;
  }
}

/** Reads exactly `length` bytes at `position`; fewer there is a short read, answered with undefined. */
export function readFully(
  fs: FileSystem,
  fd: number,
  length: number,
  position: number,
  into?: Uint8Array,
): Uint8Array | undefined {
  const buffer = into ?? Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const read = fs.read(fd, buffer, done, length - done, position + done);
    if (read === 0) return undefined;
    done += read;
  }
  return buffer.subarray(0, length);
}

/** Makes renames within a folder durable. File systems that cannot sync a folder say so; they order renames anyway. */
export function syncFolder(fs: FileSystem, folder: string): void {
  const fd = openFolder(fs, folder);
  if (fd === undefined) return;
  try {
    fs.fsync(fd);
  } catch (error) {
    if (!["EINVAL", "EPERM", "ENOTSUP", "EISDIR"].includes(errnoOf(error) ?? "")) throw error;
  } finally {
    ignoreFailure(() => fs.close(fd), "nothing was written through it");
  }
}

function openFolder(fs: FileSystem, folder: string): number | undefined {
  try {
    return fs.open(folder, constants.O_RDONLY);
  } catch (error) {
    // Windows opens no folders.
    if (["EISDIR", "EPERM", "EACCES"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** A whole file; undefined when it does not exist. `allocate` gives the memory for it, should that matter. */
export function readWholeFile(
  fs: FileSystem,
  path: string,
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafeSlow,
): Buffer | undefined {
  let fd: number;
  try {
    fd = untilReleased(fs, () => fs.open(path, constants.O_RDONLY));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const size = fs.fstat(fd).size;
    const content = readFully(fs, fd, size, 0, allocate(size));
    if (content === undefined) throw new CheckpointError("io", `${path} became shorter while it was read. Try again.`);
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  } finally {
    fs.close(fd);
  }
}

/**
 * Removes the unfinished files of a folder (which need not exist). The caller holds the project lock. `olderThanMs`:
 * only those that old, for the folder in which others make such files without holding the lock.
 */
export function sweepTempFiles(
  fs: FileSystem,
  folder: string,
  age?: { now: number; olderThanMs: number },
  names: readonly string[] = namesIn(fs, folder),
): void {
  for (const name of names) {
    if (!name.startsWith(TEMP_PREFIX)) continue;
    const path = `${folder}/${name}`;
    const stat = fs.lstat(path);
    if (stat === undefined || (age !== undefined && age.now - stat.mtimeMs < age.olderThanMs)) continue;
    ignoreFailure(() => fs.unlink(path), "it does no harm, and the next holder of the lock tries again");
  }
}

/** Removes a file of the store; false when it was not there. */
export function unlinkIfThere(fs: FileSystem, path: string): boolean {
  try {
    fs.unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return false;
  }
}

/** Names in a folder of the store; none when it does not exist. */
export function namesIn(fs: FileSystem, folder: string): string[] {
  try {
    return fs.readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/**
 * Creates a folder and its parents, private to the owner, and makes their names durable: what is published in a folder
 * that a power cut takes is gone with it.
 */
export function makeFolders(fs: FileSystem, folder: string): void {
  if (fs.lstat(folder) !== undefined) return;
  const parent = folder.slice(0, Math.max(folder.lastIndexOf("/"), folder.lastIndexOf("\\")));
  if (parent !== "" && parent !== folder) makeFolders(fs, parent);
  try {
    fs.mkdir(folder, FOLDER_MODE);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  if (parent !== "") syncFolder(fs, parent);
}
