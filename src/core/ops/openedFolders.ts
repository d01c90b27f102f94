/**
 * Folders whose owner may not change what is in them (0555), opened for the time of a restore.
 *
 * Root and most folders need none of this. Which are opened is in the restore's journal before they are, so that a
 * crash in between leaves none of them with more permissions for good.
 */
import { ignoreFailure } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import { type FileStat, isDirectory, lookAt, permissions } from "../fs/fileSystem";
import type { OpenedFolder } from "../store/restoreJournal";
import type { Store } from "./context";
import { RealFolders } from "./realFolders";

/** What it takes to change a folder's entries, and what is given to its owner for it. */
const NEEDED = 0o300;
const OPEN = 0o700;

export class OpenedFolders {
  private readonly opened = new Map<ByteString, OpenedFolder & { readonly ino: number }>();

  constructor(private readonly store: Store) {}

  /**
   * Opens those of the folders that need it. `announce` is called with all of them before any is opened, and again
   * when more are seen behind those; at least once. `isReal`: no link is on the way to the folder.
   */
  open(
    folders: readonly ByteString[],
    isReal: (path: ByteString) => boolean,
    announce: (opened: readonly OpenedFolder[]) => void,
  ): void {
    // Outer ones first: an inner one may not be reachable before.
    const waiting = new Set([...folders].sort());
    const announced: OpenedFolder[] = [];
    for (;;) {
      const found = [...waiting].flatMap((path) => (isReal(path) ? this.toOpen(path) : []));
      announced.push(...found.map(({ path, mode }) => ({ path, mode })));
      if (found.length > 0 || waiting.size === folders.length) announce(announced);
      if (found.length === 0) return;
      for (const folder of found) {
        waiting.delete(folder.path);
        ignoreFailure(() => {
          this.store.fs.chmod(this.store.root.os(folder.path), folder.mode | OPEN);
          this.opened.set(folder.path, folder);
        }, "somebody else's folder: what cannot be done in it is reported path by path");
      }
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
    if (before !== undefined && look(this.store, path)?.ino === before.ino)
      this.store.fs.chmod(this.store.root.os(path), before.mode);
  }

  private toOpen(path: ByteString): (OpenedFolder & { readonly ino: number })[] {
    const found = look(this.store, path);
    if (found === undefined || (found.mode & NEEDED) === NEEDED) return [];
    return [{ path, mode: permissions(found), ino: found.ino }];
  }
}

/**
 * After a crash: gives folders the modes they had, those that are still as a restore opened them. What is reached through
 * a link by now is not in the workspace, whatever it looks like.
 */
export function closeFolders(store: Store, folders: readonly OpenedFolder[]): void {
  const real = new RealFolders(store);
  // Inner ones first, as they may not be reachable afterwards.
  for (const { path, mode } of [...folders].sort((a, b) => (a.path < b.path ? 1 : -1))) {
    const found = real.has(path) ? look(store, path) : undefined;
    if (found !== undefined && permissions(found) === (mode | OPEN)) store.fs.chmod(store.root.os(path), mode);
  }
}

/** Undefined, too, where a folder cannot even be looked at: its paths are reported one by one. */
function look({ fs, root }: Store, path: ByteString): FileStat | undefined {
  const found = lookAt(fs, root.os(path));
  return found !== undefined && isDirectory(found) ? found : undefined;
}
