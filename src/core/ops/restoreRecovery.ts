/**
 * What becomes of a restore that was interrupted: its process was killed, or the machine went down. The journal says
 * from which state to which it went; both are in the store, and every path it is about holds the one or the other, or
 * something that somebody put there since.
 *
 * So nothing has to be known of how far it came. What it left lying around goes (temp files, files that it was writing,
 * permissions it gave to folders); then the present state is captured like before any restore, and from there the paths
 * are brought to the state it went to (*finish*) or came from (*roll back*). The journal stays until that is done, so
 * this may be interrupted as well, and then either can be chosen again.
 */
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { InterruptedRestore, RecoveryKind, RestoreResult } from "../../shared/restores";
import type { ScanOptions, UnsavedFile } from "../../shared/saves";
import { isFile, lookAt } from "../fs/fileSystem";
import { joinPath, parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { type RestoreIntent, readIntent, removeIntent, writeIntent } from "../store/restoreJournal";
import { TREE_FILE, type TreeEntry } from "../store/tree";
import { journalOf, type Operation, type Store } from "./context";
import { diffTrees, type TreeChange } from "./diffTrees";
import { beginsContent } from "./fileContent";
import { closeFolders } from "./openedFolders";
import { EVERYTHING, selectExactly } from "./pathSelection";
import { RealFolders } from "./realFolders";
import { tempPrefix } from "./restoreApply";
import type { Job } from "./restoreJob";
import { carryOut, type Ledger, type Run } from "./restoreRun";
import { storeTrees } from "./save";
import { editTree } from "./treeEdit";
import { withLock } from "./withLock";

/** The restore that waits for a decision; null when there is none, or when it is still running. */
export async function interruptedRestore(store: Store, operation: Operation): Promise<InterruptedRestore | null> {
  if (readIntent(journalOf(store)) === undefined) return null;
  try {
    return await withLock({ ...store, lockTimeoutMs: 0 }, operation, () => {
      const intent = readIntent(journalOf(store));
      if (intent === undefined) return null;
      const { kind, targetId, at, files } = intent.row;
      return { kind, checkpointId: targetId, at, files };
    });
  } catch (error) {
    // It is at work, or another command is: then there will be another occasion to ask.
    if (CheckpointError.is(error, "locked")) return null;
    throw error;
  }
}

/** Finishes an interrupted restore, or takes it back. Rejects with `nothing-to-recover` when there is none. */
export function recoverRestore(
  store: Store,
  how: RecoveryKind,
  scan: ScanOptions,
  unsaved: readonly UnsavedFile[],
  operation: Operation,
): Promise<RestoreResult> {
  return withLock(store, operation, () => {
    const intent = readIntent(journalOf(store));
    return intent === undefined ? nothingToRecover() : recover(store, intent, how, { scan, unsaved }, operation);
  });
}

export function nothingToRecover(): never {
  throw new CheckpointError("nothing-to-recover", "No restore was interrupted, so there is nothing to finish.");
}

/** As `recoverRestore` does it; undefined when no restore was interrupted. The caller holds the lock. */
export async function rollBackInterrupted(
  store: Store,
  scan: ScanOptions,
  unsaved: readonly UnsavedFile[],
  operation: Operation,
): Promise<RestoreResult | undefined> {
  const intent = readIntent(journalOf(store));
  return intent && recover(store, intent, "rollBack", { scan, unsaved }, operation);
}

/** What the end of an interrupted restore is to do; undefined when none was interrupted. */
export function recoveryOf(store: Store, how: RecoveryKind, scan: ScanOptions): Job | undefined {
  const intent = readIntent(journalOf(store));
  return intent && recoveryJob(store, intent, how, changesOf(store, intent), { scan, unsaved: [] });
}

/**
 * Another restore is wanted instead: what the interrupted one left lying around goes, and it can be undone like one that
 * ended there. Its journal stays, and is answered, until that of the other takes its place. The caller holds the lock.
 */
export function leaveInterrupted(store: Store): RestoreIntent | undefined {
  let intent: RestoreIntent | undefined;
  try {
    intent = readIntent(journalOf(store));
    if (intent === undefined) return undefined;
    clearAway(store, intent, changesOf(store, intent));
    rowOf(store, intent);
    return intent;
  } catch (error) {
    // What cannot be understood says nothing about what is there, which is going to be saved before all else.
    if (!CheckpointError.is(error, "damaged")) throw error;
    if (intent !== undefined) closeFolders(store, intent.folders);
    removeIntent(journalOf(store));
    return undefined;
  }
}

async function recover(
  store: Store,
  intent: RestoreIntent,
  how: RecoveryKind,
  request: Pick<Job, "scan" | "unsaved">,
  operation: Operation,
): Promise<RestoreResult> {
  const changes = changesOf(store, intent);
  clearAway(store, intent, changes);
  const job = recoveryJob(store, intent, how, changes, request);
  return carryOut(store, job, (run) => ledgerOf(store, intent, how, changes, run), operation);
}

function recoveryJob(
  store: Store,
  intent: RestoreIntent,
  how: RecoveryKind,
  changes: readonly TreeChange[],
  request: Pick<Job, "scan" | "unsaved">,
): Job {
  const paths = changes.map(({ path }) => path);
  const { kind, baseRoot, resultRoot, originId, targetId, beforeId } = intent.row;
  const { checkpoints } = store.catalog;
  const target =
    checkpoints.find(({ id }) => id === targetId) ?? checkpoints.find(({ id }) => id === beforeId) ?? checkpoints[0];
  if (target === undefined)
    throw new CheckpointError(
      "not-found",
      "A restore was interrupted, but all checkpoints were deleted since. Save one, then try again.",
    );
  return {
    ...request,
    kind,
    trigger: kind,
    target,
    targetRoot: how === "finish" ? resultRoot : baseRoot,
    selection: selectExactly(paths, false),
    keepNew: false,
    safety: true,
    respectPastRules: false,
    unseen: { paths, states: [resultRoot, baseRoot] },
    originId,
  };
}

/** The journal goes on; the undo stack is set right at the end. */
function ledgerOf(
  store: Store,
  intent: RestoreIntent,
  how: RecoveryKind,
  changes: readonly TreeChange[],
  { nonce }: Run,
): Ledger {
  const journal = journalOf(store);
  const nonces = [...intent.nonces, nonce];
  return {
    begin: (folders) => writeIntent(journal, { ...intent, nonces, folders }, store.nonce()),
    staged: () => {},
    takenBack: () => {},
    done: (left) => {
      const id = rowOf(store, intent);
      if (id !== undefined) {
        if (how === "rollBack") store.catalog.removeRestore(id);
        else if (left.size > 0)
          store.catalog.amendRestore(id, { ...intent.row, ...without(store, intent, changes, left) });
        store.catalog.commit();
      }
      removeIntent(journal);
    },
  };
}

/** The state that was reached when these paths stayed as they were. */
function without(
  store: Store,
  { row: { baseRoot } }: RestoreIntent,
  changes: readonly TreeChange[],
  left: ReadonlySet<ByteString>,
): { readonly resultRoot: Hash; readonly files: number } {
  const done = changes.filter(({ path }) => !left.has(path));
  const { root, newTrees } = editTree(store, store.trees, baseRoot, done);
  storeTrees(store, { newTrees });
  return { resultRoot: root, files: done.length };
}

/** The restore's row of the undo stack, made if it was killed before that; undefined when it is not to have one. */
function rowOf(store: Store, { row }: RestoreIntent): number | undefined {
  const { beforeId } = row;
  if (beforeId === null) return undefined;
  const known = store.catalog
    .restores()
    .find((each) => each.at === row.at && each.kind === row.kind && each.beforeId === beforeId);
  if (known !== undefined) return known.id;
  const id = store.catalog.addRestore({ ...row, beforeId });
  store.catalog.commit();
  return id;
}

/** What it was about. Throws `damaged` when the store has lost that. */
function changesOf(store: Store, { row }: RestoreIntent): TreeChange[] {
  try {
    return diffTrees(store.trees, row.baseRoot, row.resultRoot, EVERYTHING);
  } catch (cause) {
    if (!CheckpointError.is(cause, "damaged")) throw cause;
    throw new CheckpointError(
      "damaged",
      `A restore was interrupted, and what it was about is damaged in the store: ${cause.message} Restore any checkpoint instead: that ends it, and what is there now is saved first.`,
      { cause },
    );
  }
}

/** Removes what nobody but the interrupted restore can have made, and gives folders their modes back. */
function clearAway(store: Store, intent: RestoreIntent, changes: readonly TreeChange[]): void {
  const real = new RealFolders(store);
  const folders = new Set<ByteString>();
  for (const { path, before, after } of changes) {
    const folder = parentPath(path);
    for (let at = folder; !folders.has(at); at = parentPath(at)) folders.add(at);
    if (before === undefined && after !== undefined && real.has(folder)) removeUnfinished(store, path, after);
  }
  const prefixes = intent.nonces.map(tempPrefix);
  for (const folder of folders) if (real.has(folder)) removeTemps(store, folder, prefixes);
  closeFolders(store, intent.folders);
}

function removeTemps({ fs, root }: Store, folder: ByteString, prefixes: readonly string[]): void {
  ignoreFailure(() => {
    for (const name of fs.readdir(root.os(folder)))
      if (prefixes.some((prefix) => name.startsWith(prefix))) fs.unlink(root.os(joinPath(folder, name)));
  }, "scans leave them out by their names; they hold nothing that is not in the store");
}

/** A file that was being written when the process was killed holds the beginning of what it was to hold. */
function removeUnfinished(store: Store, path: ByteString, after: TreeEntry): void {
  const { fs, root } = store;
  if (after.type !== TREE_FILE) return;
  const found = lookAt(fs, root.os(path));
  if (found === undefined || !isFile(found) || found.size >= after.size) return;
  if (beginsContent(store, path, after.hash)) fs.unlink(root.os(path));
}
