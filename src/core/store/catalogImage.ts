/** The catalog's file as SQLite lays it out: what can be told of it without opening the database. */
import { constants } from "node:fs";
import { errnoOf, type FileSystem } from "../fs/fileSystem";
import { readFully } from "../fs/publishFile";
import type { Codecs } from "./codecs";

/** An SQLite file's header; a commit puts the generation into it. */
const HEADER_BYTES = 100;
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

function statedBytes(image: Buffer): number {
  if (image.length < HEADER_BYTES) return 0;
  const pageSize = image.readUInt16BE(PAGE_SIZE_OFFSET);
  return (pageSize === 1 ? 65_536 : pageSize) * image.readUInt32BE(PAGE_COUNT_OFFSET);
}
