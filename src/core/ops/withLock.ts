import { ignoreFailure } from "../../shared/errors";
import { sweepTempFiles } from "../fs/publishFile";
import { acquireLock } from "../store/lock";
import { prepareStore, recordStore } from "../store/storeLayout";
import type { Operation, Store } from "./context";

/**
 * Runs `body` as the one process that changes this store. Creates the store if there is none, takes in what others have
 * committed since, and forgets uncommitted catalog changes when `body` fails.
 */
export async function withLock<T>(store: Store, operation: Operation, body: () => Promise<T> | T): Promise<T> {
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
    sweepUnfinished(store);
    store.catalog.reloadExactly();
    // Also when the catalog is the same: a process that died in the middle may have published packs, and what is in
    // them must be known here, or it would be neither used nor (with an equal pack in the way) stored again.
    store.blobs.refresh();
    store.treePacks.refresh();
    recordStore(fs, layout, store.nonce());
    const answer = await body();
    // Should this fail, the next holder of the lock does it.
    ignoreFailure(() => recordStore(fs, layout, store.nonce()), "what the body did is committed and stays done");
    return answer;
  } catch (error) {
    ignoreFailure(() => store.catalog.rollback(), "the error that led here says more; the next use loads it again");
    throw error;
  } finally {
    ignoreFailure(() => lock.release(), "what was done is done; a lock that stays is taken over when this thread ends");
  }
}

/** Makes visible what other processes committed; needs no lock. */
export function takeInChanges(store: Store): void {
  if (!store.catalog.reload()) return;
  store.blobs.refresh();
  store.treePacks.refresh();
}

/** Unfinished files are only made under this lock, so any that exist now are left over from a crash. */
function sweepUnfinished({ fs, layout, blobs, treePacks }: Store): void {
  for (const packs of [blobs, treePacks]) packs.sweepTemps();
  for (const folder of [layout.folder, layout.index]) sweepTempFiles(fs, folder);
}
