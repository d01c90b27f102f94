/**
 * The state that a restore captured, to be held against what is on disk when a path's turn comes: only what is still as
 * it was captured, and so in the store, may be overwritten or removed.
 */
import type { ByteString } from "../../shared/pathText";
import { type FileStat, isSymlink, lookAt, permissions } from "../fs/fileSystem";
import { baseName, parentPath } from "../fs/osPath";
import { type IndexedEntry, SYMLINK } from "../scan/recordLayout";
import type { Hash } from "../store/hash";
import type { Store } from "./context";
import { holdsContent } from "./fileContent";

/** A file or link that was looked at besides the scan. */
export interface CapturedFile {
  readonly stat: FileStat;
  readonly hash: Hash;
  /** Changed so shortly before that an equal stat proves nothing. */
  readonly racy: boolean;
}

type Facts = Pick<IndexedEntry, "mode" | "size" | "mtimeMs" | "ctimeMs" | "ino" | "hash" | "racy"> & {
  readonly isLink: boolean;
};

export class CapturedState {
  private folder: { path: ByteString; entries: ReadonlyMap<string, IndexedEntry> } | undefined;
  /** Files with several names, one of which this restore took or changed: that alone changed their ctime and mode. */
  private readonly shared = new Set<number>();

  /** The index has just taken in the captured state; `unseen` is what was looked at besides. */
  constructor(
    private readonly store: Store,
    private readonly unseen: ReadonlyMap<ByteString, CapturedFile>,
  ) {}

  /** Whether what is at `path` now is what was captured. */
  holds(path: ByteString, found: FileStat | undefined): boolean {
    const known = this.factsOf(path);
    if (found === undefined || known === undefined) return false;
    const same =
      isSymlink(found) === known.isLink &&
      found.size === known.size &&
      found.mtimeMs === known.mtimeMs &&
      found.ino === known.ino;
    if (!same) return false;
    // Only its bytes tell whether it was edited within the tick of the clock in which it was captured.
    if (known.racy && !(this.isContent(path, found, known) && this.isStill(path, found))) return false;
    return this.shared.has(found.ino) || (permissions(found) === known.mode && found.ctimeMs === known.ctimeMs);
  }

  /** To be called before the restore itself removes, replaces or changes what it found. */
  aboutToChange(found: FileStat): void {
    if (found.nlink > 1) this.shared.add(found.ino);
  }

  private isContent(path: ByteString, found: FileStat, { size, hash }: Facts): boolean {
    return hash !== undefined && holdsContent(this.store, path, found, { size, hash });
  }

  /** Reading takes a while, in which another file may have taken the name of what was read. */
  private isStill(path: ByteString, found: FileStat): boolean {
    const now = lookAt(this.store.fs, this.store.root.os(path));
    return (
      now !== undefined &&
      now.ino === found.ino &&
      now.size === found.size &&
      now.mtimeMs === found.mtimeMs &&
      now.ctimeMs === found.ctimeMs
    );
  }

  private factsOf(path: ByteString): Facts | undefined {
    const unseen = this.unseen.get(path);
    if (unseen !== undefined) {
      const { stat, hash, racy } = unseen;
      return { ...stat, mode: permissions(stat), isLink: isSymlink(stat), hash, racy };
    }
    const entry = this.entriesOf(parentPath(path)).get(baseName(path));
    return entry && { ...entry, isLink: entry.type === SYMLINK };
  }

  /** Paths come folder by folder, so one folder is remembered. */
  private entriesOf(path: ByteString): ReadonlyMap<string, IndexedEntry> {
    if (this.folder?.path !== path) {
      const entries = this.store.index.record(path)?.entries() ?? [];
      this.folder = { path, entries: new Map(entries.map((entry) => [entry.name, entry])) };
    }
    return this.folder.entries;
  }
}
