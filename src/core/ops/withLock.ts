/**
 * How a process becomes the one that changes a store, and what it makes sure of before it does.
 *
 *   workspace → folders → lock → store.json read → swept, listed → catalog → store.json → body → store.json → release
 *
 * Nothing that was known before the lock counts under it: whoever held it may have changed everything. So under it each
 * thing is looked at, once:
 *  1. What store.json says is read, and refused if it is not for this version or its catalog is lost, before anything
 *     else is touched.
 *  2. Each folder of the store is listed, once for two purposes. Unfinished files come into being only under this lock,
 *     so any that exist now are left over from a crash and go. And which packs there are is taken in, also when the
 *     catalog is the same: a process that died in the middle may have published packs, and what is in them must be
 *     known here, or it would be neither used nor (with an equal pack in the way) stored again.
 *  3. The catalog is compared by its content. One that cannot be used ends it here.
 *  4. store.json is written if it is not what is true now; after the body only if that committed the first catalog.
 */
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { sweepTempFiles } from "../fs/publishFile";
import { acquireLock } from "../store/lock";
import { describeStore, prepareStore, recordStore } from "../store/storeLayout";
import { Operation, type Store } from "./context";
import { writeDownDamage } from "./damageNotes";

/**
 * Runs `body` as the one process that changes this store. Creates the store if there is none, takes in what others have
 * committed since, and forgets uncommitted catalog changes when `body` fails.
 */
export async function withLock<T>(store: Store, operation: Operation, body: () => Promise<T> | T): Promise<T> {
  const { fs, layout } = store;
  return underLock(store, operation, async () => {
    const found = describeStore(fs, layout);
    sweepUnfinished(store);
    store.catalog.reloadExactly();
    const recorded = recordStore(fs, layout, found, store.nonce());
    writeDownDamage(store);
    try {
      const answer = await body();
      if (!recorded.hasCatalog)
        ignoreFailure(
          // Should this fail, the next holder of the lock does it.
          () => recordStore(fs, layout, recorded, store.nonce()),
          "what the body did is committed and stays done",
        );
      return answer;
    } finally {
      writeDownDamage(store);
    }
  });
}

/**
 * The lock alone: `body` makes sure of everything else itself. Creates the folders of the store, and forgets uncommitted
 * catalog changes when `body` fails.
 */
export async function underLock<T>(store: Store, operation: Operation, body: () => Promise<T>): Promise<T> {
  const { fs, layout } = store;
  prepareStore(fs, layout);
  const lock = await acquireLock({
    fs,
    folder: layout.locks,
    identity: store.identity,
    now: store.now,
    nonce: store.nonce,
    sleep: store.sleep,
    timeoutMs: store.lockTimeoutMs,
    isCancelled: operation.isCancelled,
    onWait: (holder) =>
      operation.report({ phase: "lock", done: 0, total: 0, message: `process ${holder.pid} on ${holder.host}` }),
  });
  try {
    return await body();
  } catch (error) {
    ignoreFailure(() => store.catalog.rollback(), "the error that led here says more; the next use loads it again");
    throw error;
  } finally {
    ignoreFailure(() => lock.release(), "what was done is done; a lock that stays is taken over when this thread ends");
  }
}

/** Removes what interrupted programs left, and takes in which packs there are. The caller holds the lock. */
export function sweepUnfinished({ fs, layout, blobs, treePacks }: Store): void {
  for (const folder of [layout.folder, layout.index, layout.journal, layout.damaged]) sweepTempFiles(fs, folder);
  for (const packs of [blobs, treePacks]) packs.sweepAndRefresh(layout.damaged);
}

/**
 * Writes down what was found damaged (see damageNotes) for those who do not hold the lock: if it is free. Otherwise, or
 * where nothing can be written, it stays in memory, and whoever holds the lock in this process next does it.
 */
export async function writeDownDamageIfFree(store: Store): Promise<void> {
  if (![store.blobs, store.treePacks].some((each) => each.hasUnwrittenDamage)) return;
  const operation = new Operation(
    () => {},
    () => false,
  );
  try {
    // Getting the lock is all it takes.
    await withLock({ ...store, lockTimeoutMs: 0 }, operation, () => {});
  } catch (error) {
    if (CheckpointError.from(error).code === "internal") throw error;
  }
}

/** Makes visible what other processes committed; needs no lock. */
export function takeInChanges(store: Store): void {
  if (!store.catalog.reload()) return;
  store.blobs.refresh();
  store.treePacks.refresh();
}
