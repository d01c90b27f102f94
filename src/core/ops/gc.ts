/**
 * Freeing what no checkpoint uses any more.
 *
 *   mark (from the trees of all checkpoints) → plan → drop dead content from the index → remove packs that are all
 *   garbage → for each pack with some: write it anew → catalog commit (others take in the new pack) → remove the
 *   old one
 *
 * Until its removal every object in use exists in an old pack or in both; a crash leaves at most superfluous packs,
 * which the next run finds unused. Marking reads every tree: a tree that is damaged stops it before anything is
 * removed, because what it names could not be told from garbage.
 */
import type { Checkpoint, Ref } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { DeletePlan, GcResult } from "../../shared/upkeep";
import type { Hash } from "../store/hash";
import type { PackId } from "../store/packFiles";
import type { PackSet } from "../store/packSet";
import { PackWriter } from "../store/packWriter";
import type { RestoreRow } from "../store/restoreRows";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { describeChanges } from "./changes";
import { consolidate } from "./consolidate";
import type { Operation, Store } from "./context";
import { resolveRef } from "./refs";
import { stackTop } from "./restoreStack";
import { retirePacks } from "./retirePacks";
import { takeInChanges, withLock } from "./withLock";

/** A pack with at least this share of garbage is written anew: 95 % of all dead bytes come free at any rate. */
const GARBAGE_SHARE = 0.05;

const NOTHING_FREED = { deadObjects: 0, freedBytes: 0, removedPacks: 0, rewrittenPacks: 0 };

/** Content in use. */
export interface Marks {
  readonly blobs: Set<Hash>;
  readonly trees: Set<Hash>;
}

interface PackPlan {
  readonly id: PackId;
  readonly live: readonly Hash[];
  readonly deadObjects: number;
  readonly deadBytes: number;
}

interface SweepPlan {
  readonly remove: readonly PackPlan[];
  readonly rewrite: readonly PackPlan[];
}

/** What these checkpoints use. Throws `damaged` for a tree that cannot be read, unless `read` knows better. */
export function markUsed(
  store: Store,
  checkpoints: readonly Checkpoint[],
  operation: Operation,
  read: (tree: Hash) => readonly TreeEntry[] = (tree) => store.trees.read(tree),
): Marks {
  const marks: Marks = { blobs: new Set(), trees: new Set() };
  const visit = (tree: Hash): void => {
    if (marks.trees.has(tree)) return;
    marks.trees.add(tree);
    for (const entry of read(tree)) {
      if (entry.type === TREE_DIRECTORY) visit(entry.hash);
      else marks.blobs.add(entry.hash);
    }
  };
  checkpoints.forEach((checkpoint, i) => {
    operation.throwIfCancelled();
    operation.report({ phase: "gc", done: i, total: checkpoints.length });
    visit(checkpoint.rootTree as Hash);
  });
  operation.throwIfCancelled();
  return marks;
}

/** A tree's entries; none if it is damaged. Only for what may go, or is of no use without it. */
function readableEntries(store: Store, tree: Hash): readonly TreeEntry[] {
  try {
    return store.trees.read(tree);
  } catch (error) {
    if (CheckpointError.is(error, "damaged")) return [];
    throw error;
  }
}

/**
 * Undo and redo go by the trees of their rows, whatever checkpoints were deleted since: these stay, not their content.
 * A row with a damaged tree cannot be undone any more; it must not keep everything else from being freed.
 */
function markRestored(store: Store, trees: Set<Hash>): void {
  const visit = (tree: Hash): void => {
    if (trees.has(tree)) return;
    trees.add(tree);
    for (const entry of readableEntries(store, tree)) if (entry.type === TREE_DIRECTORY) visit(entry.hash);
  };
  for (const { baseRoot, resultRoot } of store.catalog.restores())
    for (const root of [baseRoot, resultRoot]) visit(root as Hash);
}

/** What deleting these checkpoints would free. */
export function planDelete(store: Store, refs: readonly Ref[], operation: Operation): DeletePlan {
  takeInChanges(store);
  const checkpoints = resolveAll(store, refs);
  const gone = new Set(checkpoints.map((each) => each.id));
  const kept = markUsed(
    store,
    store.catalog.checkpoints.filter((each) => !gone.has(each.id)),
    operation,
  );
  // Deleting is the way out for a damaged one.
  const mine = markUsed(store, checkpoints, operation, (tree) => readableEntries(store, tree));
  const dead = [...mine.blobs].filter((hash) => !kept.blobs.has(hash));
  return {
    checkpoints,
    deadObjects: dead.length,
    deadBytes: dead.reduce((sum, hash) => sum + (store.blobs.frameLength(hash) ?? 0), 0),
    endsUndo: Object.values(stackTop(store)).some((row: RestoreRow | undefined) => gone.has(row?.beforeId ?? "")),
  };
}

export function deleteCheckpoints(store: Store, refs: readonly Ref[], operation: Operation): Promise<GcResult> {
  return withLock(store, operation, () => {
    const ids = new Set(resolveAll(store, refs).map((each) => each.id));
    // Marked first: it takes the time, and it may be cancelled or find damage; from the commit on nothing does.
    const marks = markUsed(
      store,
      store.catalog.checkpoints.filter((each) => !ids.has(each.id)),
      operation,
    );
    store.catalog.remove(ids, (child, parent) =>
      describeChanges(store.trees, parent?.rootTree as Hash | undefined, child.rootTree as Hash, child.files),
    );
    store.catalog.commit();
    return sweep(store, marks);
  });
}

/** Frees what no checkpoint uses, and merges small packs; those count as rewritten. */
export async function gc(store: Store, operation: Operation): Promise<GcResult> {
  // Locking would make an empty store of a mistyped folder.
  if (store.fs.lstat(store.layout.folder) === undefined) return { ...NOTHING_FREED };
  return withLock(store, operation, async () => {
    const swept = sweep(store, markUsed(store, store.catalog.checkpoints, operation));
    const merged = await consolidate(store, { leftAlone: new Set(), maxBytes: Number.POSITIVE_INFINITY }, operation);
    return { ...swept, rewrittenPacks: swept.rewrittenPacks + merged.mergedPacks };
  });
}

function sweep(store: Store, marks: Marks): GcResult {
  markRestored(store, marks.trees);
  const sets = [
    { packs: store.blobs, folder: store.layout.packs, plan: planSweep(store.blobs, marks.blobs) },
    { packs: store.treePacks, folder: store.layout.trees, plan: planSweep(store.treePacks, marks.trees) },
  ];
  const result = { ...NOTHING_FREED };
  if (sets.every(({ plan }) => plan.remove.length + plan.rewrite.length === 0)) return result;
  store.index.retain((hash) => marks.blobs.has(hash) || marks.trees.has(hash));
  const remove = (packs: PackSet, plans: readonly PackPlan[]): void => {
    if (plans.length > 0) retirePacks(store, packs, new Set(plans.map((each) => each.id)));
    for (const each of plans) {
      result.deadObjects += each.deadObjects;
      result.freedBytes += each.deadBytes;
    }
  };
  store.catalog.commit();
  for (const { packs, plan } of sets) {
    remove(packs, plan.remove);
    result.removedPacks += plan.remove.length;
  }
  // One after the other: a full disk needs room for one pack only.
  for (const { packs, folder, plan } of sets)
    for (const each of plan.rewrite) {
      if (!rewrite(store, packs, folder, each)) continue;
      store.catalog.commit();
      remove(packs, [each]);
      result.rewrittenPacks++;
    }
  return result;
}

function planSweep(packs: PackSet, used: ReadonlySet<Hash>): SweepPlan {
  const plans = packs.list().flatMap((id): PackPlan[] => {
    const pack = packs.pack(id);
    if (pack === undefined) return [];
    const live: Hash[] = [];
    let deadObjects = 0;
    let deadBytes = 0;
    for (const { hash, length } of pack.entries()) {
      if (used.has(hash)) live.push(hash);
      else {
        deadObjects++;
        deadBytes += length;
      }
    }
    if (deadObjects === 0 || (live.length > 0 && deadBytes < pack.bytes * GARBAGE_SHARE)) return [];
    return [{ id, live, deadObjects, deadBytes }];
  });
  return {
    remove: plans.filter((each) => each.live.length === 0),
    rewrite: plans.filter((each) => each.live.length > 0),
  };
}

/**
 * Writes what is used of a pack into a new one. False: a damaged entry is in use of which no intact copy exists, so the
 * old pack has to stay as it is; nothing is lost then that could still be healed, and the rest of the store is freed.
 */
function rewrite(store: Store, packs: PackSet, folder: string, { id, live }: PackPlan): boolean {
  const { fs, codecs } = store;
  const writer = new PackWriter({ fs, codecs, folder, nonce: store.nonce() });
  try {
    for (const hash of live) if (!copyIntact(packs, id, hash, writer)) return false;
    const pack = writer.finish({ chunkBytes: packs.partBytes });
    if (pack !== undefined) packs.add(pack);
    return true;
  } finally {
    writer.abort();
  }
}

/** Copies an entry from `id` or, should it be damaged there, from another pack. False: no intact copy exists. */
function copyIntact(packs: PackSet, id: PackId, hash: Hash, writer: PackWriter): boolean {
  for (const from of [id, ...packs.list().filter((each) => each !== id)]) {
    let begun = false;
    try {
      const copied = packs.pack(from)?.copyFrame(hash, (length, pieces) => {
        begun = true;
        writer.addFrame(hash, length, pieces);
      });
      if (copied === true) return true;
    } catch (error) {
      // A pack that fails while it is being copied has just been read without fault: that is not its content.
      if (begun || !CheckpointError.is(error, "damaged")) throw error;
    }
  }
  return false;
}

function resolveAll(store: Store, refs: readonly Ref[]): Checkpoint[] {
  return [...new Set(refs.map((ref) => resolveRef(store.catalog.checkpoints, ref)))];
}
