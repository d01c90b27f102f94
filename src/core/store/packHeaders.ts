/**
 * What stands before other things in a `.dat`: the pack's header ("CHKL" | u32 LE entry count), and before each frame
 * its entry's (hash 16 | u64 LE frame length).
 */
import { HASH_BYTES, type Hash, writeHash } from "./hash";
import { readUInt64, writeUInt64 } from "./uint64";

const PACK_MAGIC = "CHKL";
/** "CHKL" and the entry count. */
export const PACK_HEADER_BYTES = 8;
/** Before each frame: its hash and length. */
export const ENTRY_HEADER_BYTES = 24;

/** The header of a pack of so many entries. */
export function packHeader(entries: number): Buffer {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  header.write(PACK_MAGIC, "latin1");
  header.writeUInt32LE(entries, 4);
  return header;
}

/** How many entries a pack's header announces. */
export function entriesIn(header: Buffer): number {
  return header.readUInt32LE(4);
}

/** What is wrong with the header of a pack of so many entries, or undefined. */
export function packHeaderFault(header: Buffer, entries: number): string | undefined {
  if (header.toString("latin1", 0, 4) !== PACK_MAGIC) return "it does not begin like a pack";
  const stated = entriesIn(header);
  return stated === entries ? undefined : `it says ${stated} entries, but there are ${entries}`;
}

/** The header of an entry whose frame has `length` bytes. */
export function entryHeader(hash: Hash, length: number): Buffer {
  const header = Buffer.allocUnsafe(ENTRY_HEADER_BYTES);
  writeEntryHeader(header, 0, hash, length);
  return header;
}

/** As `entryHeader`, into a buffer. */
export function writeEntryHeader(into: Buffer, offset: number, hash: Hash, length: number): void {
  writeHash(hash, into, offset);
  writeUInt64(into, length, offset + HASH_BYTES);
}

/** The length of the frame that an entry's header announces. */
export function frameBytesIn(header: Buffer): number {
  return readUInt64(header, HASH_BYTES);
}
