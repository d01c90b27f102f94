/**
 * What the index remembers of one folder, in its stored form. The scan walks a record beside the sorted names of the
 * folder and compares in place: for a folder in which nothing changed, no object is made per file.
 *
 * Layout (little endian): u32 length of the whole record; u16 length of the path, path; u32 mode; tree hash (16);
 * id of the rules (16 ASCII); the folder's own f64 mtime (NaN: its listing is not settled), f64 ctime, f64 inode; u32
 * number of entries, with WHOLE unless this is a patch; then per entry, in order of name bytes: u16 length of the name, name; u8 flags (bits 0-1 type, RACY,
 * REMOVED); and, unless it is a folder or removed: u32 mode, f64 size, f64 mtime, f64 ctime, f64 inode, hash (16).
 *
 * A *patch* has the same layout; its entries are the ones to put, or, with REMOVED, to take out. It means something only on
 * top of the record that it was made from.
 */
import type { ByteString } from "../../shared/pathText";
import type { FileStat } from "../fs/fileSystem";
import { HASH_BYTES, type Hash, hashFromBytes, writeHash } from "../store/hash";

export const FILE = 0;
export const FOLDER = 1;
export const SYMLINK = 2;
export type EntryTypeCode = typeof FILE | typeof FOLDER | typeof SYMLINK;

const TYPE_BITS = 3;
const RACY = 4;
const REMOVED = 8;

/** mode, size, mtime, ctime, inode, hash */
const FACTS_BYTES = 4 + 8 * 4 + HASH_BYTES;
const RULES_ID_BYTES = 16;
const LISTING_AT = 4 + HASH_BYTES + RULES_ID_BYTES;
const COUNT_AT = LISTING_AT + 8 * 3;
const ENTRIES_AT = COUNT_AT + 4;
/** In the number of entries: these are all. */
const WHOLE = 2 ** 31;

export interface IndexedEntry {
  readonly name: string;
  readonly type: EntryTypeCode;
  readonly mode: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  /** Folders have none here: their tree hash is in their own record. */
  readonly hash: Hash | undefined;
  /** Written so shortly before it was read that an equal stat proves nothing. */
  readonly racy: boolean;
}

/**
 * The folder's own times and inode before its names were read. While they are the same, so are its names: creating,
 * deleting and renaming an entry sets them (on the file systems that `tellsListingChanges`).
 */
export type Listing = Pick<FileStat, "mtimeMs" | "ctimeMs" | "ino">;

export interface RecordHead {
  readonly path: ByteString;
  readonly mode: number;
  readonly treeHash: Hash;
  readonly rulesId: string;
  /**
   * Undefined: not settled, the names must be read again. It was changed so shortly before that an equal time proves
   * nothing, or something in it was left out of the record and has to be reported each time.
   */
  readonly listing: Listing | undefined;
}

export class DirectoryRecord implements RecordHead {
  readonly path: ByteString;
  /** Behind the path. The other facts are read when asked for: loading an index must not cost per folder. */
  private readonly factsAt: number;

  /** `bytes` is exactly one record. */
  constructor(readonly bytes: Buffer) {
    const pathLength = bytes.readUInt16LE(4);
    this.factsAt = 6 + pathLength;
    this.path = bytes.toString("latin1", 6, this.factsAt) as ByteString;
  }

  get mode(): number {
    return this.bytes.readUInt32LE(this.factsAt);
  }

  get treeHash(): Hash {
    return hashFromBytes(this.bytes, this.factsAt + 4);
  }

  get rulesId(): string {
    const at = this.factsAt + 4 + HASH_BYTES;
    return this.bytes.toString("latin1", at, at + RULES_ID_BYTES);
  }

  get listing(): Listing | undefined {
    const at = this.factsAt + LISTING_AT;
    const mtimeMs = this.bytes.readDoubleLE(at);
    if (Number.isNaN(mtimeMs)) return undefined;
    return { mtimeMs, ctimeMs: this.bytes.readDoubleLE(at + 8), ino: this.bytes.readDoubleLE(at + 16) };
  }

  /** Whether the folder, found like this, still has the recorded names. */
  isListedAs(found: Listing | undefined): boolean {
    const at = this.factsAt + LISTING_AT;
    return (
      found !== undefined &&
      this.bytes.readDoubleLE(at) === found.mtimeMs &&
      this.bytes.readDoubleLE(at + 8) === found.ctimeMs &&
      this.bytes.readDoubleLE(at + 16) === found.ino
    );
  }

  get count(): number {
    return this.bytes.readUInt32LE(this.factsAt + COUNT_AT) % WHOLE;
  }

  /** False: a patch. */
  get isWhole(): boolean {
    return this.bytes.readUInt32LE(this.factsAt + COUNT_AT) >= WHOLE;
  }

  cursor(): EntryCursor {
    return new EntryCursor(this.bytes, this.factsAt + ENTRIES_AT, this.count);
  }

  /** This folder's entries under the head of a patch that has none. */
  withHeadOf(patch: DirectoryRecord): DirectoryRecord {
    const bytes = Buffer.concat([
      patch.bytes.subarray(0, patch.factsAt + COUNT_AT),
      this.bytes.subarray(this.factsAt + COUNT_AT),
    ]);
    bytes.writeUInt32LE(bytes.length, 0);
    return new DirectoryRecord(bytes);
  }

  /** Names of the subfolders; those of files are not even decoded. */
  folderNames(): string[] {
    const names: string[] = [];
    const { bytes } = this;
    let at = this.factsAt + ENTRIES_AT;
    for (let left = this.count; left > 0; left--) {
      const flagsAt = at + 2 + bytes.readUInt16LE(at);
      const flags = bytes[flagsAt] as number;
      const isFolder = (flags & TYPE_BITS) === FOLDER;
      if (isFolder && (flags & REMOVED) === 0) names.push(bytes.toString("latin1", at + 2, flagsAt));
      at = flagsAt + 1 + (isFolder || (flags & REMOVED) !== 0 ? 0 : FACTS_BYTES);
    }
    return names;
  }

  /** All entries as objects. */
  entries(): IndexedEntry[] {
    const entries: IndexedEntry[] = [];
    for (const cursor = this.cursor(); cursor.name !== undefined; cursor.next()) entries.push(cursor.entry());
    return entries;
  }
}

/** Stands on one entry of a record at a time. */
export class EntryCursor {
  /** Undefined behind the last entry. */
  name: string | undefined;
  type: EntryTypeCode = FILE;
  racy = false;
  removed = false;
  private factsAt = 0;
  private readonly view: DataView;
  /** The whole record as text, a character a byte: one decoding for all names, which are parts of it. */
  private readonly text: string;

  constructor(
    private readonly bytes: Buffer,
    private at: number,
    private left: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.text = bytes.toString("latin1");
    this.next();
  }

  next(): void {
    if (this.left === 0) {
      this.name = undefined;
      return;
    }
    this.left--;
    const { text, at } = this;
    const flagsAt = at + 2 + text.charCodeAt(at) + 256 * text.charCodeAt(at + 1);
    this.name = text.substring(at + 2, flagsAt);
    const flags = text.charCodeAt(flagsAt);
    this.type = (flags & TYPE_BITS) as EntryTypeCode;
    this.racy = (flags & RACY) !== 0;
    this.removed = (flags & REMOVED) !== 0;
    this.factsAt = flagsAt + 1;
    this.at = this.type === FOLDER || this.removed ? this.factsAt : this.factsAt + FACTS_BYTES;
  }

  /** Whether the recorded facts of this file or symlink are exactly these. */
  matches(stat: FileStat, mode: number): boolean {
    const { view, factsAt } = this;
    return (
      view.getFloat64(factsAt + 12, true) === stat.mtimeMs &&
      view.getFloat64(factsAt + 20, true) === stat.ctimeMs &&
      view.getFloat64(factsAt + 4, true) === stat.size &&
      view.getFloat64(factsAt + 28, true) === stat.ino &&
      view.getUint32(factsAt, true) === mode
    );
  }

  get hash(): Hash {
    return hashFromBytes(this.bytes, this.factsAt + 36);
  }

  entry(): IndexedEntry {
    const { view, factsAt } = this;
    const plain = this.type === FOLDER || this.removed;
    return {
      name: this.name ?? "",
      type: this.type,
      mode: plain ? 0 : view.getUint32(factsAt, true),
      size: plain ? 0 : view.getFloat64(factsAt + 4, true),
      mtimeMs: plain ? 0 : view.getFloat64(factsAt + 12, true),
      ctimeMs: plain ? 0 : view.getFloat64(factsAt + 20, true),
      ino: plain ? 0 : view.getFloat64(factsAt + 28, true),
      hash: plain ? undefined : this.hash,
      racy: this.racy,
    };
  }
}

/** Encodes a record. Entries must be in order of name bytes. */
export function encodeRecord(head: RecordHead, entries: readonly IndexedEntry[]): Buffer {
  return encode(head, entries, [], WHOLE);
}

/** A patch that changes nothing but the head. */
export function encodeHeadPatch(head: RecordHead): Buffer {
  return encode(head, [], [], 0);
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

/**
 * What `base` (if any) becomes by these patches, oldest first; a whole record among them replaces what was before it.
 * Throws a RangeError for a patch of nothing: it was made from a record that is not here.
 */
export function applyPatches(base: DirectoryRecord | undefined, patches: readonly DirectoryRecord[]): DirectoryRecord {
  const from = patches.findLastIndex((patch) => patch.isWhole);
  return from < 0 ? patched(base, patches) : patched(patches[from], patches.slice(from + 1));
}

function patched(base: DirectoryRecord | undefined, patches: readonly DirectoryRecord[]): DirectoryRecord {
  const last = patches.at(-1);
  if (base === undefined) throw new RangeError("A patch without the record it was made from.");
  if (last === undefined) return base;
  if (patches.every((patch) => patch.count === 0)) return base.withHeadOf(last);
  const entries = new Map<string, IndexedEntry>();
  for (const record of [base, ...patches])
    for (const cursor = record.cursor(); cursor.name !== undefined; cursor.next()) {
      if (cursor.removed) entries.delete(cursor.name);
      else entries.set(cursor.name, cursor.entry());
    }
  const sorted = [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new DirectoryRecord(encodeRecord(last, sorted));
}

/** The patch that turns `before` into these entries (both in order of name bytes). */
export function encodePatch(
  head: RecordHead,
  before: DirectoryRecord | undefined,
  entries: readonly IndexedEntry[],
): Buffer {
  if (before === undefined) return encodeRecord(head, entries);
  const old = new Map(before.entries().map((entry) => [entry.name, entry]));
  const put = entries.filter((entry) => {
    const known = old.get(entry.name);
    old.delete(entry.name);
    return known === undefined || !sameEntry(known, entry);
  });
  return encode(head, put, [...old.keys()], 0);
}

function sameEntry(a: IndexedEntry, b: IndexedEntry): boolean {
  return (
    a.type === b.type &&
    (a.type === FOLDER ||
      (a.hash === b.hash &&
        a.mode === b.mode &&
        a.size === b.size &&
        a.mtimeMs === b.mtimeMs &&
        a.ctimeMs === b.ctimeMs &&
        a.ino === b.ino &&
        a.racy === b.racy))
  );
}
