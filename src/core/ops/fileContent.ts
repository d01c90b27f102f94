/** Whether what lies at a path is certain content: by its bytes, for when no stat proves it. */
import { constants } from "node:fs";
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import { errnoOf, type FileStat, isFile, isSymlink } from "../fs/fileSystem";
import { readFully } from "../fs/publishFile";
import type { Hash } from "../store/hash";
import type { Store } from "./context";

const READ_BYTES = 1024 * 1024;
/** Of what has become a pipe meanwhile nothing is waited for. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `stat`: what was just found there. False for what is no file or link, and for what cannot be read. */
export function holdsContent(
  store: Store,
  path: ByteString,
  stat: FileStat,
  content: { readonly size: number; readonly hash: Hash },
): boolean {
  const { fs, root, codecs } = store;
  if (!(isFile(stat) || isSymlink(stat)) || stat.size !== content.size) return false;
  try {
    const hash = isSymlink(stat) ? codecs.hash(fs.readlink(root.os(path))) : hashFile(store, path, content.size);
    return hash === content.hash;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false; // unreadable: cannot be compared, so it stays
  }
}

/** A file that turns out longer is not read to its end: it may be growing for ever. */
function hashFile({ fs, root, codecs }: Store, path: ByteString, size: number): Hash | undefined {
  const fd = fs.open(root.os(path), OPEN_FLAGS);
  try {
    const hasher = codecs.createHasher();
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let done = 0; done <= size; ) {
      const read = fs.read(fd, buffer, 0, buffer.length, null);
      if (read === 0) return hasher.digest();
      hasher.update(buffer.subarray(0, read));
      done += read;
    }
    return undefined;
  } finally {
    fs.close(fd);
  }
}

/**
 * Whether the file at `path` holds the beginning of certain content and nothing else. False, too, when one of the two
 * cannot be read.
 */
export function beginsContent(store: Store, path: ByteString, hash: Hash): boolean {
  const { fs, root, blobs } = store;
  try {
    const fd = fs.open(root.os(path), OPEN_FLAGS);
    try {
      const { size } = fs.fstat(fd);
      let compared = 0;
      let same = true;
      const isKnown = blobs.readTo(hash, (block) => {
        const length = Math.min(block.length, size - compared);
        if (!same || length <= 0) return;
        const found = readFully(fs, fd, length, compared);
        same = found !== undefined && Buffer.compare(found, block.subarray(0, length)) === 0;
        compared += length;
      });
      return isKnown && same && compared === size;
    } finally {
      fs.close(fd);
    }
  } catch (error) {
    if (errnoOf(error) === undefined && !CheckpointError.is(error, "damaged")) throw error;
    return false;
  }
}
