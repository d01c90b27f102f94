/**
 * The store of a workspace folder that was renamed or moved.
 *
 * A store is found by the path of its workspace, so a renamed folder would seem to have none. If it has none, the store
 * is taken over whose workspace was this very folder (same device, inode and birth time) and whose path is gone. A copy
 * of a folder is another folder, and as long as something is at the old path the store stays with it.
 *
 *   lock the store where it is → look again → rename its folder → store.json → release
 *
 * The rename is the one step that counts: the folder's name says whose store it is. After a crash before it, the next
 * opening does all of this again; after a crash behind it, store.json is brought up to date under the next lock, and
 * the lock, which moved along, is a dead holder's.
 */
import { errnoOf, type FileSystem, untilReleased } from "../fs/fileSystem";
import type { ProcessIdentity } from "../fs/processIdentity";
import { FOLDER_MODE, namesIn, syncFolder } from "../fs/publishFile";
import { acquireLock } from "./lock";
import { CATALOG_FILE, describeStore, recordStore, type StoreDescription, type StoreLayout } from "./storeLayout";

interface MovedStoreDeps {
  readonly fs: FileSystem;
  readonly identity: ProcessIdentity;
  readonly now: () => number;
  readonly nonce: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly lockTimeoutMs: number;
}

/**
 * Gives the workspace of `layout` the store that it had under its former path, if there is one. Does nothing where a
 * store exists already. Rejects with `locked` while another process works on the old one; nothing has changed then.
 */
export async function adoptMovedStore(deps: MovedStoreDeps, layout: StoreLayout): Promise<void> {
  const { fs } = deps;
  const from = findMovedStore(fs, layout);
  if (from === undefined) return;
  try {
    makeLockFolder(fs, from);
    const lock = await acquireLock({ ...deps, folder: `${from}/locks`, timeoutMs: deps.lockTimeoutMs });
    let held = from;
    try {
      if (findMovedStore(fs, layout) !== from) return;
      untilReleased(fs, () => fs.rename(from, layout.folder));
      held = layout.folder;
      syncFolder(fs, layout.stores);
      recordStore(fs, layout, describeStore(fs, layout), deps.nonce());
    } finally {
      lock.release(`${held}/locks`);
    }
  } catch (error) {
    // Another process was quicker: the folder of the lock has gone with the store.
    if (errnoOf(error) !== "ENOENT" || fs.lstat(layout.folder) === undefined) throw error;
  }
}

/** Not with its parents: the store may have gone since it was found. */
function makeLockFolder(fs: FileSystem, store: string): void {
  try {
    fs.mkdir(`${store}/locks`, FOLDER_MODE);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

/** The folder of the store that this workspace had under another path; undefined when it has one under its own. */
export function findMovedStore(fs: FileSystem, layout: StoreLayout): string | undefined {
  if (fs.lstat(layout.folder) !== undefined) return undefined;
  const workspace = fs.lstat(layout.workspace);
  // Without a birth time a new folder with an old one's inode would look like it.
  const born = workspace?.birthtimeMs ?? 0;
  if (workspace === undefined || born === 0) return undefined;
  const root = `${workspace.dev}:${workspace.ino}`;
  const candidates = namesIn(fs, layout.stores).flatMap((name) => {
    const folder = `${layout.stores}/${name}`;
    const description = describedOrNot(fs, folder);
    const isMine = description?.root === root && description.rootBorn === born;
    if (!isMine || fs.lstat(description.workspace) !== undefined) return [];
    return [{ folder, changedAt: fs.lstat(`${folder}/${CATALOG_FILE}`)?.mtimeMs ?? 0 }];
  });
  // More than one when the folder had been moved to where another workspace, with a store, used to be.
  return candidates.sort((a, b) => b.changedAt - a.changedAt)[0]?.folder;
}

function describedOrNot(fs: FileSystem, folder: string): StoreDescription | undefined {
  try {
    return describeStore(fs, { folder });
  } catch {
    return undefined; // damaged, newer or unreadable: left to whoever opens it under its own path
  }
}
