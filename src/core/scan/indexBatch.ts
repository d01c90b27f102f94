/**
 * One change of the index as it stands in `files.log`: u32 length of the rest, u64 its checksum (XXH64); u32 number of
 * dropped folders, each u16 length and path; then the patches one after another.
 */
import type { ByteString } from "../../shared/pathText";
import type { Codecs } from "../store/codecs";

/** length, checksum */
export const BATCH_HEAD = 4 + 8;

export interface IndexUpdate {
  /** Encoded patches, see recordLayout. */
  readonly patches: readonly Buffer[];
  /** Folders that are gone; what lay in them is named too. */
  readonly dropped: readonly ByteString[];
}

/** The size of what `encodeBatch` makes. */
export function batchBytes({ patches, dropped }: IndexUpdate): number {
  const names = dropped.reduce((sum, path) => sum + 2 + path.length, 4);
  return patches.reduce((sum, patch) => sum + patch.length, BATCH_HEAD + names);
}

export function encodeBatch(codecs: Codecs, update: IndexUpdate): Buffer {
  const batch = Buffer.allocUnsafe(batchBytes(update));
  batch.writeUInt32LE(update.dropped.length, BATCH_HEAD);
  let at = BATCH_HEAD + 4;
  for (const path of update.dropped) {
    batch.writeUInt16LE(path.length, at);
    at += 2 + batch.write(path, at + 2, "latin1");
  }
  for (const patch of update.patches) at += patch.copy(batch, at);
  batch.writeUInt32LE(batch.length - BATCH_HEAD, 0);
  batch.writeBigUInt64LE(codecs.xxh64(batch.subarray(BATCH_HEAD)), 4);
  return batch;
}

/** Throws a RangeError for what `encodeBatch` would not have written. */
export function decodeBatch(payload: Buffer): IndexUpdate {
  const dropped: ByteString[] = [];
  const patches: Buffer[] = [];
  let at = 4;
  for (let i = payload.readUInt32LE(0); i > 0; i--) {
    const length = payload.readUInt16LE(at);
    dropped.push(payload.toString("latin1", at + 2, at + 2 + length) as ByteString);
    at += 2 + length;
  }
  while (at < payload.length) {
    const length = payload.readUInt32LE(at);
    if (length === 0) throw new RangeError("A patch of no length.");
    patches.push(payload.subarray(at, at + length));
    at += length;
  }
  return { dropped, patches };
}
