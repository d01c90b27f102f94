/** Walks the entries of a folder's record, see recordLayout. */
import type { FileStat } from "../fs/fileSystem";
import { type Hash, hashFromBytes } from "../store/hash";
import {
  type EntryTypeCode,
  FACTS_BYTES,
  FILE,
  FOLDER,
  type IndexedEntry,
  RACY,
  REMOVED,
  TYPE_BITS,
} from "./recordLayout";

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
    if (!(flagsAt < text.length)) throw new RangeError("A record that ends early.");
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
