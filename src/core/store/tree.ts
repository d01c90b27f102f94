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
/**
 * Folders in one another. No path on Linux or macOS has more than 4,096 bytes, so no workspace more than 2,048 of them;
 * a forged tree could have a million, and would only be noticed by the stack that its walk needs.
 */
export const MAX_FOLDER_DEPTH = 2_100;
const MAX_MODE = 0o7777;
/** Of a safe integer: 8 groups of 7 bits. */
const MAX_VARINT_BYTES = 8;
/** Type, mode, size, hash, name length and a name of one byte. */
const MIN_ENTRY_BYTES = 5 + HASH_BYTES;
const DOT = 0x2e;
const SLASH = 0x2f;

/** The bytes of a tree. `entries` are sorted by name; throws "internal" when they are not, or hold an illegal name or number. */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  let capacity = 1 + MAX_VARINT_BYTES;
  for (const entry of entries) capacity += 1 + 3 * MAX_VARINT_BYTES + HASH_BYTES + entry.name.length;
  const bytes = Buffer.allocUnsafe(capacity);
  bytes[0] = TREE_VERSION;
  let end = writeVarint(bytes, 1, entries.length);
  let previous = "";
  for (const entry of entries) {
    const fault = nameFault(entry.name, previous) ?? factsFault(entry.type, entry.mode, entry.size);
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

/** The tree of a folder with nothing in it. */
export const EMPTY_TREE: Uint8Array = encodeTree([]);

/** The entries of a tree. Throws "damaged" for invalid bytes and "newer-format" for a later version's. */
export function decodeTree(bytes: Uint8Array): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const cursor = new TreeCursor(bytes); cursor.isAtEntry; cursor.next()) entries.push(cursor.entry());
  return entries;
}

const EMPTY_NAME = "a name is empty";
const RELATIVE_NAME = "a name is a relative path";
const NAME_WITH_SLASH = "a name holds a slash or a zero byte";
const UNSORTED_NAMES = "its names are not in strictly ascending order";

/** What is wrong with a name that follows the name `previous` ("" = none), or undefined. */
function nameFault(name: ByteString, previous: string): string | undefined {
  if (name.length === 0) return EMPTY_NAME;
  if (name.length > MAX_NAME_BYTES) return "a name is too long";
  if (name === "." || name === "..") return RELATIVE_NAME;
  if (name.includes("/") || name.includes("\0")) return NAME_WITH_SLASH;
  // Byte strings compare by their char codes, which are the bytes.
  return name <= previous ? UNSORTED_NAMES : undefined;
}

function factsFault(type: TreeEntryType, mode: number, size: number): string | undefined {
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

/**
 * Looks at a tree's entries one after the other, in its bytes: what differs between two trees is often one entry in a
 * hundred, and only for that one objects are worth their while. Each step checks the next entry in full; the one that
 * would lead beyond the last also checks that nothing follows. Throws as `decodeTree`; after that it is of no use.
 */
export class TreeCursor {
  /** Entries of the tree. */
  readonly count: number;
  /** Of the entry, as the next ones; without meaning beyond the last. */
  type: TreeEntryType = TREE_FILE;
  mode = 0;
  size = 0;
  private readonly bytes: Buffer;
  private position = 0;
  private visited = 0;
  private start = 0;
  private hashAt = 0;
  private nameAt = 0;
  private nameLength = 0;

  /** `isKnown`: a cursor has been through these bytes before, so their names need no check. */
  constructor(
    bytes: Uint8Array,
    private readonly isKnown = false,
  ) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const version = this.byte();
    if (version > TREE_VERSION)
      throw new CheckpointError(
        "newer-format",
        `A folder was recorded by a newer version of Checkpoint (format ${version}). Update Checkpoint; nothing was changed.`,
      );
    if (version !== TREE_VERSION) throw badTree("it has no known version");
    this.count = this.varint();
    if (this.count * MIN_ENTRY_BYTES > this.left) throw badTree("it claims more entries than it can hold");
    this.read();
  }

  /** False beyond the last entry. */
  get isAtEntry(): boolean {
    return this.visited < this.count;
  }

  next(): void {
    this.visited++;
    this.read();
  }

  get hash(): Hash {
    return hashFromBytes(this.bytes, this.hashAt);
  }

  get name(): ByteString {
    return this.bytes.toString("latin1", this.nameAt, this.nameAt + this.nameLength) as ByteString;
  }

  entry(): TreeEntry {
    const { type, mode, size, hash, name } = this;
    return { type, mode, size, hash, name };
  }

  /** Nothing at all differs. */
  equals(other: TreeCursor): boolean {
    const length = this.position - this.start;
    return (
      other.position - other.start === length && equalBytes(this.bytes, this.start, other.bytes, other.start, length)
    );
  }

  hasHashOf(other: TreeCursor): boolean {
    return equalBytes(this.bytes, this.hashAt, other.bytes, other.hashAt, HASH_BYTES);
  }

  /** `name` is a byte string, or what nothing can have as its name. */
  isNamed(name: string): boolean {
    if (name.length !== this.nameLength) return false;
    for (let i = 0; i < name.length; i++) if (this.bytes[this.nameAt + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** Below zero: its name comes first. */
  compareName(other: TreeCursor): number {
    const shared = Math.min(this.nameLength, other.nameLength);
    for (let i = 0; i < shared; i++) {
      const difference = this.bytes[this.nameAt + i]! - other.bytes[other.nameAt + i]!;
      if (difference !== 0) return difference;
    }
    return this.nameLength - other.nameLength;
  }

  private read(): void {
    if (!this.isAtEntry) {
      if (this.left > 0) throw badTree("bytes follow its end");
      return;
    }
    this.start = this.position;
    this.type = this.byte() as TreeEntryType;
    this.mode = this.varint();
    this.size = this.varint();
    this.hashAt = this.position;
    this.position += HASH_BYTES;
    const length = this.varint();
    if (length > MAX_NAME_BYTES) throw badTree("a name is too long");
    if (this.left < length) throw badTree("it ends early");
    const fault = this.isKnown
      ? undefined
      : (this.nameFault(this.position, length) ?? factsFault(this.type, this.mode, this.size));
    if (fault !== undefined) throw badTree(fault);
    this.nameAt = this.position;
    this.nameLength = length;
    this.position += length;
  }

  /** As `nameFault`, of the name at `at`, which follows the one read before. */
  private nameFault(at: number, length: number): string | undefined {
    const { bytes, nameAt, nameLength } = this;
    const isDot = bytes[at] === DOT && (length === 1 || (length === 2 && bytes[at + 1] === DOT));
    if (length === 0) return EMPTY_NAME;
    if (isDot) return RELATIVE_NAME;
    let order = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[at + i]!;
      if (byte === SLASH || byte === 0) return NAME_WITH_SLASH;
      if (order === 0) order = i < nameLength ? byte - bytes[nameAt + i]! : 1;
    }
    return order > 0 ? undefined : UNSORTED_NAMES;
  }

  private get left(): number {
    return this.bytes.length - this.position;
  }

  private byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) throw badTree("it ends early");
    this.position++;
    return value;
  }

  private varint(): number {
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
}

function equalBytes(a: Buffer, i: number, b: Buffer, j: number, length: number): boolean {
  for (let k = 0; k < length; k++) if (a[i + k] !== b[j + k]) return false;
  return true;
}

/** Of a folder so deep in others that nothing can have been there. */
export const tooDeep = (): CheckpointError => badTree("it lies deeper than any file system allows");

const badTree = (fault: string): CheckpointError => damaged("A recorded folder", fault);
