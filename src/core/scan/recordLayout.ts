/**
 * What the index remembers of one folder, in its stored form.
 *
 * Layout (little endian): u32 length of the whole record; u16 length of the path, path; u32 mode; tree hash (16);
 * id of the rules (16 ASCII); the folder's own f64 mtime (NaN: its listing is not settled), f64 ctime, f64 inode; u32
 * number of entries, with WHOLE unless this is a patch; then per entry, in order of name bytes: u16 length of the name,
 * name; u8 flags (bits 0-1 type, RACY, REMOVED); and, unless it is a folder or removed: u32 mode, f64 size, f64 mtime,
 * f64 ctime, f64 inode, hash (16).
 *
 * A *patch* has the same layout; its entries are the ones to put, or, with REMOVED, to take out. It means something
 * only on top of the record that it was made from.
 */
import type { ByteString } from "../../shared/pathText";
import type { FileStat } from "../fs/fileSystem";
import { HASH_BYTES, type Hash } from "../store/hash";

export const FILE = 0;
export const FOLDER = 1;
export const SYMLINK = 2;
export type EntryTypeCode = typeof FILE | typeof FOLDER | typeof SYMLINK;

export const TYPE_BITS = 3;
export const RACY = 4;
export const REMOVED = 8;

/** mode, size, mtime, ctime, inode, hash */
export const FACTS_BYTES = 4 + 8 * 4 + HASH_BYTES;
export const RULES_ID_BYTES = 16;
export const LISTING_AT = 4 + HASH_BYTES + RULES_ID_BYTES;
export const COUNT_AT = LISTING_AT + 8 * 3;
export const ENTRIES_AT = COUNT_AT + 4;
/** In the number of entries: these are all. */
export const WHOLE = 2 ** 31;

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
   * nothing, or something in this very folder was left out of the record and has to be reported each time.
   */
  readonly listing: Listing | undefined;
}
