/** Writes records and patches as recordLayout has them. */
import { HASH_BYTES, writeHash } from "../store/hash";
import {
  COUNT_AT,
  ENTRIES_AT,
  FACTS_BYTES,
  FOLDER,
  type IndexedEntry,
  LISTING_AT,
  RACY,
  REMOVED,
  type RecordHead,
  RULES_ID_BYTES,
  WHOLE,
} from "./recordLayout";

/** Encodes a record. Entries must be in order of name bytes. */
export function encodeRecord(head: RecordHead, entries: readonly IndexedEntry[]): Buffer {
  return encode(head, entries, [], WHOLE);
}

/** Encodes a patch that puts these entries, in order of name bytes, and takes out those of the `removed` names. */
export function encodePatchEntries(head: RecordHead, put: readonly IndexedEntry[], removed: readonly string[]): Buffer {
  return encode(head, put, removed, 0);
}

function encode(
  head: RecordHead,
  entries: readonly IndexedEntry[],
  removed: readonly string[],
  whole: typeof WHOLE | 0,
): Buffer {
  let length = 6 + head.path.length + ENTRIES_AT;
  for (const entry of entries) length += 3 + entry.name.length + (entry.type === FOLDER ? 0 : FACTS_BYTES);
  for (const name of removed) length += 3 + name.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt16LE(head.path.length, 4);
  let at = 6 + bytes.write(head.path, 6, "latin1");
  bytes.writeUInt32LE(head.mode, at);
  writeHash(head.treeHash, bytes, at + 4);
  bytes.write(head.rulesId.padEnd(RULES_ID_BYTES).slice(0, RULES_ID_BYTES), at + 4 + HASH_BYTES, "latin1");
  bytes.writeDoubleLE(head.listing?.mtimeMs ?? Number.NaN, at + LISTING_AT);
  bytes.writeDoubleLE(head.listing?.ctimeMs ?? 0, at + LISTING_AT + 8);
  bytes.writeDoubleLE(head.listing?.ino ?? 0, at + LISTING_AT + 16);
  bytes.writeUInt32LE(whole + entries.length + removed.length, at + COUNT_AT);
  at += ENTRIES_AT;
  for (const entry of entries) {
    at = writeName(bytes, at, entry.name, entry.type | (entry.racy ? RACY : 0));
    if (entry.type === FOLDER) continue;
    bytes.writeUInt32LE(entry.mode, at);
    bytes.writeDoubleLE(entry.size, at + 4);
    bytes.writeDoubleLE(entry.mtimeMs, at + 12);
    bytes.writeDoubleLE(entry.ctimeMs, at + 20);
    bytes.writeDoubleLE(entry.ino, at + 28);
    if (entry.hash !== undefined) writeHash(entry.hash, bytes, at + 36);
    at += FACTS_BYTES;
  }
  for (const name of removed) at = writeName(bytes, at, name, REMOVED);
  return bytes;
}

function writeName(bytes: Buffer, at: number, name: string, flags: number): number {
  bytes.writeUInt16LE(name.length, at);
  bytes.write(name, at + 2, "latin1");
  bytes.writeUInt8(flags, at + 2 + name.length);
  return at + 3 + name.length;
}
