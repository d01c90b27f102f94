import { acquireLock } from "../store/lock";
import { prepareStore } from "../store/storeLayout";
import type { Operation, Store } from "./context";

/**
 * Runs `body` as the one process that changes this store. Creates the store if there is none, takes in what others have
 * committed since, and forgets uncommitted catalog changes when `body` fails.
 */
export async function withLock<T>(store: Store, operation: Operation, body: () => Promise<T> | T): Promise<T> {
  const { fs, layout } = store;
  prepareStore(fs, layout, store.nonce());
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
    takeInChanges(store);
    // Unfinished files are only made under this lock, so any that exist now are left over from a crash.
    for (const packs of [store.blobs, store.treePacks]) packs.sweepTemps();
    return await body();
  } catch (error) {
    store.catalog.rollback();
    throw error;
  } finally {
    lock.release();
  }
}

/** Makes visible what other processes committed; needs no lock. */
export function takeInChanges(store: Store): void {
  if (!store.catalog.reload()) return;
  store.blobs.refresh();
  store.treePacks.refresh();
}
