/** Content moves to another pack: what merging packs and freeing garbage have in common. */
import { CheckpointError } from "../../shared/errors";
import type { Hash } from "../store/hash";
import { PackData } from "../store/packData";
import { removePackFiles } from "../store/packFolder";
import type { PublishedPack } from "../store/packPublication";
import type { PackReader } from "../store/packReader";
import type { PackSet } from "../store/packSet";
import { PackWriter } from "../store/packWriter";
import type { Store } from "./context";

export type PackKind = "blobs" | "trees";

export const packsOf = (store: Store, kind: PackKind): PackSet => (kind === "blobs" ? store.blobs : store.treePacks);

/** For packs of one kind. The caller calls `abort` in any case. */
export function newPackWriter(store: Store, kind: PackKind): PackWriter {
  const { fs, codecs, layout } = store;
  return new PackWriter({ fs, codecs, folder: folderOf(layout, kind), nonce: store.nonce() });
}

/**
 * Copies the frame of one entry, decoded and compared with its hash before; `writer` keeps what it has already. Answers
 * what is wrong with the entry in `pack`, if anything: then nothing was copied.
 */
export function copyEntry(pack: PackReader, hash: Hash, writer: PackWriter): string | undefined {
  let begun = false;
  try {
    const isThere = pack.copyFrame(hash, (length, pieces) => {
      begun = true;
      if (!writer.has(hash)) writer.addFrame(hash, length, pieces);
    });
    return isThere ? undefined : `Pack ${pack.id} does not hold it.`;
  } catch (error) {
    // A pack that fails while it is being copied has just been read without fault: that is not its content.
    if (begun || !CheckpointError.is(error, "damaged")) throw error;
    return error.message;
  }
}

/**
 * Publishes what was copied and reads it back, because what it was copied from is going to be removed; then the store
 * knows it. `chunkBytes` > 0: larger packs are cut into parts. Undefined when nothing was copied. Throws `io` when the
 * disk does not give back what was written: the new pack is gone then, and everything as before.
 */
export function publishRewritten(
  store: Store,
  kind: PackKind,
  writer: PackWriter,
  chunkBytes: number,
): PublishedPack | undefined {
  const pack = writer.finish({ chunkBytes });
  if (pack === undefined) return undefined;
  // One that was there already was read just before.
  if (pack.created) readBack(store, folderOf(store.layout, kind), pack);
  packsOf(store, kind).add(pack);
  return pack;
}

function readBack({ fs, codecs }: Store, folder: string, { id, hash }: PublishedPack): void {
  const written = PackData.find(fs, folder, id);
  try {
    if (written.ownHash(codecs) === hash) return;
  } finally {
    written.close();
  }
  removePackFiles(fs, folder, id);
  throw new CheckpointError(
    "io",
    `${folder}/pack-${id} was not written as it should be, so it was removed again. Check the disk.`,
  );
}

/** Where packs of a kind lie. */
export const folderOf = (layout: Store["layout"], kind: PackKind): string =>
  kind === "blobs" ? layout.packs : layout.trees;
