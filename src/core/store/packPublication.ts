/**
 * How a written pack gets its name: `.idx` first, then the `.dat`, or its parts and then their manifest. A pack exists
 * once its `.dat` or manifest does, so whoever sees a pack sees its index.
 */
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import type { FileSystem } from "../fs/fileSystem";
import { publishFile, publishOpenFile, syncFolder, unlinkIfThere } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { PackData } from "./packData";
import { datName, indexName, manifestName, type PackId } from "./packFiles";
import { publishParts } from "./splitPack";

export interface PublishedPack {
  /** First 16 hex digits of `hash`; names the files. */
  readonly id: PackId;
  /** 32 hex digits. */
  readonly hash: string;
  readonly entries: number;
  /** Size of the `.dat`, all parts together. */
  readonly bytes: number;
  /** The `.idx`. */
  readonly index: Buffer;
  /** False: an equal pack was there already, and others may rely on it. */
  readonly created: boolean;
}

interface PackPublication {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly folder: string;
  readonly nonce: string;
  readonly pack: Omit<PublishedPack, "created">;
  /** > 0: a larger pack is cut into parts of this size. */
  readonly chunkBytes: number;
  /** The temp file that holds the `.dat`, open for reading and writing; closed here in any case. */
  readonly fd: number;
  readonly temp: string;
}

/**
 * Publishes a pack; false when an equal one was there already. After an error it does not exist, and neither temp file
 * nor lone index stays.
 */
export function publishPack(publication: PackPublication): boolean {
  const { fs, codecs, folder, nonce, pack, chunkBytes, fd, temp } = publication;
  let isOpen = true;
  try {
    // The folder is synced once, when the pack's last name is there: nothing relies on either before that.
    publishFile(fs, folder, indexName(pack.id), pack.index, `${nonce}-index`, "content");
    if (existsIntact(fs, codecs, folder, pack)) {
      syncFolder(fs, folder);
      return false;
    }
    if (chunkBytes > 0 && pack.bytes > chunkBytes) {
      publishParts({ ...publication, id: pack.id, hash: pack.hash, bytes: pack.bytes });
      unlinkIfThere(fs, `${folder}/${datName(pack.id)}`);
    } else {
      isOpen = false; // publishOpenFile closes it, also on error
      publishOpenFile(fs, fd, temp, folder, datName(pack.id), pack.bytes);
    }
    return true;
  } catch (error) {
    ignoreFailure(() => removeLoneIndex(fs, folder, pack.id), "an index without its pack is swept as garbage");
    throw error;
  } finally {
    if (isOpen) ignoreFailure(() => fs.close(fd), "nothing in this file is needed any more");
    ignoreFailure(() => unlinkIfThere(fs, temp), "a temp file that stays is swept under the next lock");
  }
}

/**
 * Whether the same pack is there already, with the bytes that its name promises: a damaged one is replaced. (Rare:
 * content that is in the store is not written again, so this reads nothing in a usual save.)
 */
function existsIntact(fs: FileSystem, codecs: Codecs, folder: string, pack: Omit<PublishedPack, "created">): boolean {
  let data: PackData;
  try {
    data = PackData.find(fs, folder, pack.id);
  } catch (error) {
    if (CheckpointError.is(error, "damaged")) return false;
    throw error;
  }
  try {
    return data.bytes === pack.bytes && data.ownHash(codecs) === pack.hash;
  } finally {
    data.close();
  }
}

function removeLoneIndex(fs: FileSystem, folder: string, id: PackId): void {
  const exists = [datName(id), manifestName(id)].some((name) => fs.lstat(`${folder}/${name}`) !== undefined);
  if (!exists) fs.unlink(`${folder}/${indexName(id)}`);
}
