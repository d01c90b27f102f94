/**
 * Tree objects: one folder's entries, content-addressed like a blob.
 *
 *   version 1 | varint count || per entry, in order of name bytes:
 *   type 1 | varint mode | varint size | hash 16 | varint name length | name
 *
 * Varints are LEB128, little-endian groups of 7 bits, in their shortest form: equal folders give equal bytes. Decoding
 * refuses everything that encoding would not have written, so that no name in a tree can lead out of its folder.
 */
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import { damaged } from "./damage";
import { HASH_BYTES, type Hash, hashFromBytes, writeHash } from "./hash";

export const TREE_FILE = 0;
export const TREE_DIRECTORY = 1;
export const TREE_SYMLINK = 2;
export type TreeEntryType = typeof TREE_FILE | typeof TREE_DIRECTORY | typeof TREE_SYMLINK;

export interface TreeEntry {
  readonly type: TreeEntryType;
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly mode: number;
  /** Bytes of content: of a symlink, its target; of a directory, whatever its writer puts there. */
  readonly size: number;
  /** Of the content; of a directory, its tree's. */
  readonly hash: Hash;
  readonly name: ByteString;
}

export const TREE_VERSION = 1;
/** File systems allow 255 bytes, some a few times that. */
export const MAX_NAME_BYTES = 4096;
const MAX_MODE = 0o7777;
/** Of a safe integer: 8 groups of 7 bits. */
const MAX_VARINT_BYTES = 8;
/** Type, mode, size, hash, name length and a name of one byte. */
const MIN_ENTRY_BYTES = 5 + HASH_BYTES;

/** The bytes of a tree. `entries` are sorted by name; throws "internal" when they are not, or hold an illegal name or number. */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  let capacity = 1 + MAX_VARINT_BYTES;
  for (const entry of entries) capacity += 1 + 3 * MAX_VARINT_BYTES + HASH_BYTES + entry.name.length;
  const bytes = Buffer.allocUnsafe(capacity);
  bytes[0] = TREE_VERSION;
  let end = writeVarint(bytes, 1, entries.length);
  let previous = "";
  for (const entry of entries) {
    const fault = entryFault(entry, previous);
    if (fault !== undefined)
      throw new CheckpointError(
        "internal",
        `A folder cannot be recorded: ${fault}. Nothing was saved; please report it.`,
      );
    bytes[end++] = entry.type;
    end = writeVarint(bytes, end, entry.mode);
    end = writeVarint(bytes, end, entry.size);
    writeHash(entry.hash, bytes, end);
    end = writeVarint(bytes, end + HASH_BYTES, entry.name.length);
    end += bytes.write(entry.name, end, "latin1");
    previous = entry.name;
  }
  return bytes.subarray(0, end);
}

/** The entries of a tree. Throws "damaged" for invalid bytes and "newer-format" for a later version's. */
export function decodeTree(bytes: Uint8Array): TreeEntry[] {
  const reader = new TreeBytes(bytes);
  const version = reader.byte();
  if (version > TREE_VERSION)
    throw new CheckpointError(
      "newer-format",
      `A folder was recorded by a newer version of Checkpoint (format ${version}). Update Checkpoint; nothing was changed.`,
    );
  if (version !== TREE_VERSION) throw badTree("it has no known version");
  const count = reader.varint();
  if (count * MIN_ENTRY_BYTES > reader.left) throw badTree("it claims more entries than it can hold");
  const entries: TreeEntry[] = [];
  let previous = "";
  for (let i = 0; i < count; i++) {
    const entry = reader.entry();
    const fault = entryFault(entry, previous);
    if (fault !== undefined) throw badTree(fault);
    previous = entry.name;
    entries.push(entry);
  }
  if (reader.left > 0) throw badTree("bytes follow its end");
  return entries;
}

/** What is wrong with an entry that follows the name `previous` ("" = none), or undefined. */
function entryFault(entry: TreeEntry, previous: string): string | undefined {
  const { name, type, mode, size } = entry;
  if (name.length === 0) return "a name is empty";
  if (name.length > MAX_NAME_BYTES) return "a name is too long";
  if (name === "." || name === "..") return "a name is a relative path";
  if (name.includes("/") || name.includes("\0")) return "a name holds a slash or a zero byte";
  // Byte strings compare by their char codes, which are the bytes.
  if (name <= previous) return "its names are not in strictly ascending order";
  if (type !== TREE_FILE && type !== TREE_DIRECTORY && type !== TREE_SYMLINK) return "the type of an entry is unknown";
  if (!Number.isInteger(mode) || mode < 0 || mode > MAX_MODE) return "a mode is no permission bits";
  if (!Number.isSafeInteger(size) || size < 0) return "a size is no size";
  return undefined;
}

function writeVarint(into: Buffer, offset: number, value: number): number {
  let rest = value;
  let end = offset;
  // Division, not shifts: sizes exceed 32 bits.
  while (rest > 0x7f) {
    into[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[end++] = rest;
  return end;
}

/** The bytes of a tree, consumed from the front; every step checks that they suffice. */
class TreeBytes {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) throw badTree("it ends early");
    this.position++;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        if (byte === 0 && i > 0) throw badTree("a number is not in its shortest form");
        return value;
      }
      scale *= 0x80;
    }
    throw badTree("a number is too large");
  }

  entry(): TreeEntry {
    const type = this.byte() as TreeEntryType;
    const mode = this.varint();
    const size = this.varint();
    if (this.left < HASH_BYTES) throw badTree("it ends early");
    const hash = hashFromBytes(this.bytes, this.position);
    this.position += HASH_BYTES;
    const length = this.varint();
    if (length > MAX_NAME_BYTES) throw badTree("a name is too long");
    if (this.left < length) throw badTree("it ends early");
    const name = this.bytes.toString("latin1", this.position, this.position + length) as ByteString;
    this.position += length;
    return { type, mode, size, hash, name };
  }
}

const badTree = (fault: string): CheckpointError => damaged("A recorded folder", fault);
