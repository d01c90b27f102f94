/**
 * The state that a restore captured, to be held against what is on disk when a path's turn comes: only what is still as
 * it was captured, and so in the store, may be overwritten or removed.
 */
import type { ByteString } from "../../shared/pathText";
import { type FileStat, isSymlink, permissions } from "../fs/fileSystem";
import { baseName, parentPath } from "../fs/osPath";
import { type IndexedEntry, SYMLINK } from "../scan/directoryRecord";
import type { FileIndex } from "../scan/fileIndex";

type Facts = Pick<IndexedEntry, "mode" | "size" | "mtimeMs" | "ctimeMs" | "ino"> & { readonly isLink: boolean };

export class CapturedState {
  private folder: { path: ByteString; entries: ReadonlyMap<string, IndexedEntry> } | undefined;
  /** Files with several names, one of which this restore took or changed: that alone changed their ctime and mode. */
  private readonly shared = new Set<number>();

  /** The index has just taken in the captured state; `unseen` is what was looked at besides. */
  constructor(
    private readonly index: FileIndex,
    private readonly unseen: ReadonlyMap<ByteString, FileStat>,
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
    return this.shared.has(found.ino) || (permissions(found) === known.mode && found.ctimeMs === known.ctimeMs);
  }

  /** To be called before the restore itself removes, replaces or changes what it found. */
  aboutToChange(found: FileStat): void {
    if (found.nlink > 1) this.shared.add(found.ino);
  }

  private factsOf(path: ByteString): Facts | undefined {
    const unseen = this.unseen.get(path);
    if (unseen !== undefined) return { ...unseen, mode: permissions(unseen), isLink: isSymlink(unseen) };
    const entry = this.entriesOf(parentPath(path)).get(baseName(path));
    return entry && { ...entry, isLink: entry.type === SYMLINK };
  }

  /** Paths come folder by folder, so one folder is remembered. */
  private entriesOf(path: ByteString): ReadonlyMap<string, IndexedEntry> {
    if (this.folder?.path !== path) {
      const entries = this.index.record(path)?.entries() ?? [];
      this.folder = { path, entries: new Map(entries.map((entry) => [entry.name, entry])) };
    }
    return this.folder.entries;
  }
}
