/**
 * What the index remembers of one folder (see recordLayout). The scan walks a record beside the sorted names of the
 * folder and compares in place: for a folder in which nothing changed, no object is made per file.
 */
import type { ByteString } from "../../shared/pathText";
import { HASH_BYTES, type Hash, hashFromBytes } from "../store/hash";
import { EntryCursor } from "./entryCursor";
import {
  COUNT_AT,
  ENTRIES_AT,
  FACTS_BYTES,
  FOLDER,
  type IndexedEntry,
  LISTING_AT,
  type Listing,
  REMOVED,
  type RecordHead,
  RULES_ID_BYTES,
  TYPE_BITS,
  WHOLE,
} from "./recordLayout";

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
    const count = this.bytes.readUInt32LE(this.factsAt + COUNT_AT) % WHOLE;
    if (count > this.bytes.length) throw new RangeError("A record of more entries than it can hold.");
    return count;
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
