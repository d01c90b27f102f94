/**
 * The index's `files.base`: magic "CKI4", checksum (XXH64) of the rest; a salt, then all records one after another. It
 * lies in shared memory, so that other threads can read records where they are.
 */
import type { Codecs } from "../store/codecs";
import { DirectoryRecord } from "./directoryRecord";

const BASE_MAGIC = "CKI4";
/** magic, checksum of the rest */
const BASE_HEAD = 4 + 8;
/** Begins the rest. */
const SALT_BYTES = 16;

export interface BaseImage {
  /** In shared memory. */
  readonly image: Buffer;
  readonly checksum: bigint;
}

/** The image of these records; `salt` makes it differ from any other of the same ones. */
export function encodeBase(codecs: Codecs, records: readonly DirectoryRecord[], salt: string): BaseImage {
  const bytes = records.reduce((sum, record) => sum + record.bytes.length, BASE_HEAD + SALT_BYTES);
  const image = sharedBuffer(bytes);
  image.write(BASE_MAGIC, 0, "latin1");
  image.fill(salt, BASE_HEAD, BASE_HEAD + SALT_BYTES, "latin1");
  let at = BASE_HEAD + SALT_BYTES;
  for (const record of records) at += record.bytes.copy(image, at);
  const checksum = codecs.xxh64(image.subarray(BASE_HEAD));
  image.writeBigUInt64LE(checksum, 4);
  return { image, checksum };
}

/** Undefined for what is no image, or is not as it was written. */
export function checkedBase(codecs: Codecs, image: Buffer): BaseImage | undefined {
  if (image.length < BASE_HEAD + SALT_BYTES || image.toString("latin1", 0, 4) !== BASE_MAGIC) return undefined;
  const checksum = image.readBigUInt64LE(4);
  return codecs.xxh64(image.subarray(BASE_HEAD)) === checksum ? { image, checksum } : undefined;
}

/** The records of a checked image, where they lie in it. Throws a RangeError for an image that no writer made. */
export function* recordsOf(image: Buffer): IterableIterator<DirectoryRecord> {
  for (let at = BASE_HEAD + SALT_BYTES; at < image.length; ) {
    const length = image.readUInt32LE(at);
    if (length === 0 || at + length > image.length) throw new RangeError("A record that ends elsewhere.");
    yield new DirectoryRecord(image.subarray(at, at + length));
    at += length;
  }
}

export function sharedBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}
