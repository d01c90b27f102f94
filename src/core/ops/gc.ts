/**
 * Freeing what no checkpoint uses any more.
 *
 *   mark (from the trees of all checkpoints) → plan → drop dead content from the index → write packs anew that hold
 *   some garbage → catalog commit (others take in the new packs) → remove old packs
 *
 * Until the removal every object exists in an old pack or in both; a crash leaves at most superfluous packs, which the
 * next run finds unused. Marking reads every tree: a tree that is damaged stops it before anything is removed, because
 * what it names could not be told from garbage.
 */
import type { Checkpoint, DeletePlan, GcResult, Ref } from "../../shared/api";
import type { Hash } from "../store/hash";
import type { PackId } from "../store/packFiles";
import type { PackSet } from "../store/packSet";
import { PackWriter } from "../store/packWriter";
import { TREE_DIRECTORY } from "../store/tree";
import type { Operation, Store } from "./context";
import { resolveRef } from "./refs";
import { takeInChanges, withLock } from "./withLock";

/** A pack with at least this share of garbage is written anew: 95 % of all dead bytes come free at any rate. */
const GARBAGE_SHARE = 0.05;

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

export function markUsed(store: Store, checkpoints: readonly Checkpoint[], operation: Operation): Marks {
  const marks: Marks = { blobs: new Set(), trees: new Set() };
  const visit = (tree: Hash): void => {
    if (marks.trees.has(tree)) return;
    marks.trees.add(tree);
    for (const entry of store.trees.read(tree)) {
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

/** Undo and redo compare with what a restore brought, which may have been deleted since: its trees stay, not its content. */
function markRestored(store: Store, trees: Set<Hash>): void {
  const visit = (tree: Hash): void => {
    if (trees.has(tree)) return;
    trees.add(tree);
    for (const entry of store.trees.read(tree)) if (entry.type === TREE_DIRECTORY) visit(entry.hash);
  };
  for (const row of store.catalog.restores()) visit(row.targetRoot as Hash);
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
  const mine = markUsed(store, checkpoints, operation);
  const dead = [...mine.blobs].filter((hash) => !kept.blobs.has(hash));
  return {
    checkpoints,
    deadObjects: dead.length,
    deadBytes: dead.reduce((sum, hash) => sum + (store.blobs.frameLength(hash) ?? 0), 0),
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
    store.catalog.remove(ids);
    store.catalog.commit();
    return sweep(store, marks);
  });
}

export function gc(store: Store, operation: Operation): Promise<GcResult> {
  return withLock(store, operation, () => sweep(store, markUsed(store, store.catalog.checkpoints, operation)));
}

function sweep(store: Store, marks: Marks): GcResult {
  markRestored(store, marks.trees);
  const blobs = planSweep(store.blobs, marks.blobs);
  const trees = planSweep(store.treePacks, marks.trees);
  const plans = [...blobs.remove, ...blobs.rewrite, ...trees.remove, ...trees.rewrite];
  const answer: GcResult = {
    deadObjects: plans.reduce((sum, each) => sum + each.deadObjects, 0),
    freedBytes: plans.reduce((sum, each) => sum + each.deadBytes, 0),
    removedPacks: blobs.remove.length + trees.remove.length,
    rewrittenPacks: blobs.rewrite.length + trees.rewrite.length,
  };
  if (plans.length === 0) return answer;
  store.index.retain((hash) => marks.blobs.has(hash) || marks.trees.has(hash));
  rewrite(store, store.blobs, store.layout.packs, blobs.rewrite);
  rewrite(store, store.treePacks, store.layout.trees, trees.rewrite);
  store.catalog.commit();
  for (const { id } of [...blobs.remove, ...blobs.rewrite]) store.blobs.remove(id);
  for (const { id } of [...trees.remove, ...trees.rewrite]) store.treePacks.remove(id);
  return answer;
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

/** One new pack for each old one, so that at most one pack's worth of extra space is unsettled at a time. */
function rewrite(store: Store, packs: PackSet, folder: string, plans: readonly PackPlan[]): void {
  const { fs, codecs } = store;
  for (const { id, live } of plans) {
    const writer = new PackWriter({ fs, codecs, folder, nonce: store.nonce() });
    try {
      for (const hash of live) {
        const frame = packs.pack(id)?.readFrame(hash, { verify: true });
        if (frame !== undefined) writer.addFrame(hash, frame);
      }
      const pack = writer.finish();
      if (pack !== undefined) packs.add(pack);
    } catch (error) {
      writer.abort();
      throw error;
    }
  }
}

function resolveAll(store: Store, refs: readonly Ref[]): Checkpoint[] {
  return [...new Set(refs.map((ref) => resolveRef(store.catalog.checkpoints, ref)))];
}
