/**
 * The stores below the storage root, and removing one whose workspace is gone.
 *
 *   lock it → look again → rename its folder to a temp name → sync → remove what is in it → remove the folder
 *
 * The rename is the one step that counts. What a crash leaves behind it has a temp name and goes with the next store
 * that is removed. `store.json` goes first of what is in it: without it nobody takes the rest for a store that moved.
 */
import { CheckpointError } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import type { StoreSummary } from "../../shared/retention";
import { errnoOf, type FileSystem, isDirectory, lookAt, untilReleased } from "../fs/fileSystem";
import { makeFolders, namesIn, syncFolder, unlinkIfThere } from "../fs/publishFile";
import { acquireLock } from "../store/lock";
import { CATALOG_FILE, describeStore, STORE_FILE } from "../store/storeLayout";
import type { Operation, Store } from "./context";

const STORE_ID = /^[0-9a-f]{16}$/;

/** Largest first. A store that cannot be read is there, too. */
export function listStores(store: Store, operation: Operation): StoreSummary[] {
  const { fs, layout } = store;
  const found = namesIn(fs, layout.stores).filter((name) => STORE_ID.test(name));
  return found
    .map((id): StoreSummary => {
      operation.throwIfCancelled();
      const folder = `${layout.stores}/${id}`;
      const workspace = workspaceOf(fs, folder);
      return {
        id,
        folder,
        workspace,
        state: id === layout.id ? "open" : workspace === null ? "unknown" : isThere(fs, workspace) ? "other" : "gone",
        bytes: bytesBelow(fs, folder),
        changedAt: lookAt(fs, `${folder}/${CATALOG_FILE}`)?.mtimeMs ?? null,
      };
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/**
 * Removes the store `id` with all its checkpoints, and answers what it took. Rejects with `not-found`; with `usage` when
 * its workspace is there (again) or not known; with `locked` while another process works on it.
 */
export async function deleteStore(store: Store, id: string, operation: Operation): Promise<number> {
  const { fs, layout } = store;
  const folder = `${layout.stores}/${id}`;
  if (!STORE_ID.test(id) || lookAt(fs, folder) === undefined)
    throw new CheckpointError("not-found", "That store is not there any more. Look at the list again.");
  refuseIfInUse(store, folder);
  makeFolders(fs, `${folder}/locks`);
  const lock = await acquireLock({
    fs,
    folder: `${folder}/locks`,
    identity: store.identity,
    now: store.now,
    nonce: store.nonce,
    sleep: store.sleep,
    timeoutMs: store.lockTimeoutMs,
    isCancelled: operation.isCancelled,
  });
  const doomed = `${layout.stores}/${TEMP_PREFIX}${id}-${store.nonce()}`;
  let held = folder;
  let bytes: number;
  try {
    refuseIfInUse(store, folder);
    bytes = bytesBelow(fs, folder);
    untilReleased(fs, () => fs.rename(folder, doomed));
    held = doomed;
    syncFolder(fs, layout.stores);
  } finally {
    lock.release(`${held}/locks`);
  }
  for (const name of namesIn(fs, layout.stores))
    if (name.startsWith(TEMP_PREFIX)) {
      unlinkIfThere(fs, `${layout.stores}/${name}/${STORE_FILE}`);
      removeTree(fs, `${layout.stores}/${name}`);
    }
  return bytes;
}

function refuseIfInUse({ fs, layout }: Store, folder: string): void {
  const workspace = workspaceOf(fs, folder);
  if (workspace === null)
    throw new CheckpointError(
      "usage",
      `The store ${folder} does not say whose it is, so it was not deleted. Delete its folder yourself if you know that nobody needs it.`,
    );
  if (folder === layout.folder || isThere(fs, workspace))
    throw new CheckpointError(
      "usage",
      `The folder ${workspace} is there, so its checkpoints were not deleted. Open it to delete checkpoints.`,
    );
}

/** Null where the store does not say, or cannot be read by this version. */
function workspaceOf(fs: FileSystem, folder: string): string | null {
  try {
    const workspace = describeStore(fs, { folder })?.workspace;
    return typeof workspace === "string" && workspace !== "" ? workspace : null;
  } catch (error) {
    if (CheckpointError.is(error) || errnoOf(error) !== undefined) return null;
    throw error;
  }
}

/** A path that cannot be looked at may well be there. */
function isThere(fs: FileSystem, path: string): boolean {
  try {
    return fs.lstat(path) !== undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return true;
  }
}

/** Of all files below a folder; what vanishes or cannot be looked at meanwhile counts as nothing. */
function bytesBelow(fs: FileSystem, folder: string): number {
  let bytes = 0;
  for (const name of namesBelow(fs, folder)) {
    const path = `${folder}/${name}`;
    const stat = lookAt(fs, path);
    if (stat !== undefined) bytes += isDirectory(stat) ? bytesBelow(fs, path) : stat.size;
  }
  return bytes;
}

function namesBelow(fs: FileSystem, folder: string): string[] {
  try {
    return fs.readdir(folder);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

/** Symlinks are removed, not followed. */
function removeTree(fs: FileSystem, folder: string): void {
  for (const name of namesIn(fs, folder)) {
    const path = `${folder}/${name}`;
    const stat = fs.lstat(path);
    if (stat === undefined) continue;
    if (isDirectory(stat)) removeTree(fs, path);
    else untilReleased(fs, () => unlinkIfThere(fs, path));
  }
  fs.rmdir(folder);
}
