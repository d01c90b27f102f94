/**
 * Folders whose owner may not change what is in them (0555), opened for the time of a restore.
 *
 * Root and most folders need none of this. A crash in between leaves such a folder with more permissions for its owner;
 * the next restore sets them right.
 */
import { ignoreFailure } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import { type FileStat, isDirectory, lookAt, permissions } from "../fs/fileSystem";
import type { Store } from "./context";

/** What it takes to change a folder's entries, and what is given to its owner for it. */
const NEEDED = 0o300;
const OPEN = 0o700;

export class OpenedFolders {
  private readonly opened = new Map<ByteString, { readonly mode: number; readonly ino: number }>();

  constructor(private readonly store: Store) {}

  /** Opens those of the folders that need it. Who calls has made sure that no link is on the way to them. */
  open(folders: Iterable<ByteString>): void {
    // Outer ones first: an inner one may not be reachable before.
    for (const path of [...folders].sort()) {
      const found = this.look(path);
      if (found === undefined || (found.mode & NEEDED) === NEEDED) continue;
      ignoreFailure(() => {
        this.store.fs.chmod(this.store.root.os(path), permissions(found) | OPEN);
        this.opened.set(path, { mode: permissions(found), ino: found.ino });
      }, "somebody else's folder: what cannot be done in it is reported path by path");
    }
  }

  /** Those still to be closed. */
  paths(): ByteString[] {
    return [...this.opened.keys()];
  }

  /** Gives a folder the mode it had, if it is still that folder. */
  close(path: ByteString): void {
    const before = this.opened.get(path);
    this.opened.delete(path);
    if (before === undefined || this.look(path)?.ino !== before.ino) return;
    this.store.fs.chmod(this.store.root.os(path), before.mode);
  }

  /** Undefined, too, where a folder cannot even be looked at: its paths are reported one by one. */
  private look(path: ByteString): FileStat | undefined {
    const found = lookAt(this.store.fs, this.store.root.os(path));
    return found !== undefined && isDirectory(found) ? found : undefined;
  }
}
