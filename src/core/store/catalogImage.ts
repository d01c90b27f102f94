/** The catalog's file as SQLite lays it out: what can be told of it without opening the database. */
import { constants } from "node:fs";
import { errnoOf, type FileSystem } from "../fs/fileSystem";
import { readFully } from "../fs/publishFile";
import type { Codecs } from "./codecs";

/** An SQLite file's header; a commit puts the generation into it. */
const HEADER_BYTES = 100;
/**
 * In the header, big endian: SQLite's "application id", which says nothing to SQLite. It holds the image's seal: XXH32 of
 * all of it, with zeros in this place. SQLite itself would not notice a bit that is flipped in a row. 0: there is none.
 */
const SEAL_OFFSET = 68;
/** In the header, big endian: the size of a page (1 = 65,536), and how many there are. */
const PAGE_SIZE_OFFSET = 16;
const PAGE_COUNT_OFFSET = 28;

/** Tells a file from the one that another commit puts in its place; "" for none. */
export function imageSignature(fs: FileSystem, codecs: Codecs, path: string): string {
  let fd: number;
  try {
    fd = fs.open(path, constants.O_RDONLY);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
  try {
    const { ino, size, mtimeMs } = fs.fstat(fd);
    const header = readFully(fs, fd, Math.min(HEADER_BYTES, size), 0) ?? new Uint8Array();
    return `${ino}:${size}:${mtimeMs}:${codecs.xxh64(header)}`;
  } finally {
    fs.close(fd);
  }
}

/** Whether an image has the size that its header speaks of. */
export function isWholeImage(image: Buffer): boolean {
  return statedBytes(image) === image.length;
}

/** Puts the seal into an image. */
export function sealImage(codecs: Pick<Codecs, "xxh32">, image: Buffer): void {
  image.writeUInt32BE(sealOf(codecs, image), SEAL_OFFSET);
}

/** False: it is not as it was sealed. True, too, for one without a seal, which some other program wrote. */
export function hasIntactSeal(codecs: Pick<Codecs, "xxh32">, image: Buffer): boolean {
  const seal = image.readUInt32BE(SEAL_OFFSET);
  return seal === 0 || seal === sealOf(codecs, image);
}

function sealOf(codecs: Pick<Codecs, "xxh32">, image: Buffer): number {
  const stands = image.readUInt32BE(SEAL_OFFSET);
  image.writeUInt32BE(0, SEAL_OFFSET);
  const seal = codecs.xxh32(image);
  image.writeUInt32BE(stands, SEAL_OFFSET);
  return seal === 0 ? 1 : seal;
}

function statedBytes(image: Buffer): number {
  if (image.length < HEADER_BYTES) return 0;
  const pageSize = image.readUInt16BE(PAGE_SIZE_OFFSET);
  return (pageSize === 1 ? 65_536 : pageSize) * image.readUInt32BE(PAGE_COUNT_OFFSET);
}
