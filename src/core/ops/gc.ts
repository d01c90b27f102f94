/**
 * Freeing what no checkpoint uses any more.
 *
 *   mark (from the trees of all checkpoints) → plan → drop dead content from the index → remove packs that are all
 *   garbage → for each pack with some: write what is used of it into a new one, read that back → remove the old one
 *
 * Until its removal every object in use exists in an old pack or in both; a crash leaves at most superfluous packs,
 * which the next run finds unused. Other processes that have a removed pack open find it missing when they read, and
 * list the folder anew. Marking reads every tree: a tree that is damaged stops it before anything is removed, because
 * what it names could not be told from garbage.
 */
import type { Checkpoint, Ref } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { DamagedPack, DeletePlan, GcResult } from "../../shared/upkeep";
import { damaged as damagedError } from "../store/damage";
import type { Hash } from "../store/hash";
import type { PackId } from "../store/packFiles";
import type { PackSet } from "../store/packSet";
import type { PackWriter } from "../store/packWriter";
import { readIntent } from "../store/restoreJournal";
import type { RestoreRow } from "../store/restoreRows";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { describeChanges } from "./changes";
import { consolidate, WHEN_IDLE } from "./consolidate";
import { journalOf, type Operation, type Store } from "./context";
import { copyEntry, newPackWriter, type PackKind, packsOf, publishRewritten } from "./packRewrite";
import { resolveRef } from "./refs";
import { stackTop } from "./restoreStack";
import { retirePacks } from "./retirePacks";
import { withLock } from "./withLock";

/** A pack with at least this share of garbage is written anew: 95 % of all dead bytes come free at any rate. */
const GARBAGE_SHARE = 0.05;

const NOTHING_FREED: GcResult = { deadObjects: 0, freedBytes: 0, removedPacks: 0, rewrittenPacks: 0, damaged: [] };

const KINDS = ["blobs", "trees"] as const;

/** Content in use. */
interface Marks {
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

/** What these states use. Throws `damaged` for a tree that cannot be read, unless `read` knows better. */
function markUsed(
  store: Store,
  roots: readonly Hash[],
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
  roots.forEach((root, i) => {
    operation.throwIfCancelled();
    operation.report({ phase: "gc", done: i, total: roots.length });
    visit(root);
  });
  operation.throwIfCancelled();
  return marks;
}

/** What stays when the checkpoints in `gone` go: the others, and both ends of a restore that was interrupted. */
function usedRoots(store: Store, gone: ReadonlySet<string> = new Set()): Hash[] {
  const row = readIntent(journalOf(store))?.row;
  const kept = store.catalog.checkpoints.filter((each) => !gone.has(each.id));
  return [...kept.map(rootOf), ...(row === undefined ? [] : [row.baseRoot, row.resultRoot])];
}

const rootOf = ({ rootTree }: Checkpoint): Hash => rootTree as Hash;

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
  const checkpoints = resolveAll(store, refs);
  const gone = new Set(checkpoints.map((each) => each.id));
  const kept = markUsed(store, usedRoots(store, gone), operation);
  // Deleting is the way out for a damaged one.
  const mine = markUsed(store, checkpoints.map(rootOf), operation, (tree) => readableEntries(store, tree));
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
    const marks = markUsed(store, usedRoots(store, ids), operation);
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
  if (store.fs.lstat(store.layout.folder) === undefined) return NOTHING_FREED;
  return withLock(store, operation, async () => {
    const swept = sweep(store, markUsed(store, usedRoots(store), operation));
    // What has just been found damaged is not read once more.
    const leftAlone = new Set(swept.damaged.map(({ id }) => id));
    const options = { leftAlone, limits: WHEN_IDLE, maxMerges: Number.POSITIVE_INFINITY };
    const merged = await consolidate(store, options, operation);
    return {
      ...swept,
      rewrittenPacks: swept.rewrittenPacks + merged.mergedPacks,
      damaged: [...swept.damaged, ...merged.damaged],
    };
  });
}

function sweep(store: Store, marks: Marks): GcResult {
  markRestored(store, marks.trees);
  const plans = KINDS.map((kind) => ({ kind, ...planSweep(packsOf(store, kind), marks[kind]) }));
  if (plans.every(({ remove, rewrite }) => remove.length + rewrite.length === 0)) return NOTHING_FREED;
  store.index.retain((hash) => marks.blobs.has(hash) || marks.trees.has(hash));
  const gone: PackPlan[] = [];
  const damaged: DamagedPack[] = [];
  const remove = (kind: PackKind, going: readonly PackPlan[]): void => {
    if (going.length > 0) retirePacks(store, packsOf(store, kind), new Set(going.map((each) => each.id)));
    gone.push(...going);
  };
  for (const plan of plans) remove(plan.kind, plan.remove);
  const removedPacks = gone.length;
  // One after the other: a full disk needs room for one pack only.
  for (const { kind, rewrite } of plans)
    for (const each of rewrite) {
      const fault = rewritePack(store, kind, each);
      if (fault === undefined) remove(kind, [each]);
      else damaged.push({ id: each.id, message: fault });
    }
  return {
    deadObjects: sum(gone, (each) => each.deadObjects),
    freedBytes: sum(gone, (each) => each.deadBytes),
    removedPacks,
    rewrittenPacks: gone.length - removedPacks,
    damaged,
  };
}

const sum = <T>(all: readonly T[], of: (each: T) => number): number => all.reduce((total, each) => total + of(each), 0);

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
 * Writes what is used of a pack into a new one. Answers what is wrong with an entry in use of which no intact copy
 * exists: the old pack has to stay as it is, so that nothing is lost that could still be healed.
 */
function rewritePack(store: Store, kind: PackKind, { id, live }: PackPlan): string | undefined {
  const packs = packsOf(store, kind);
  const writer = newPackWriter(store, kind);
  try {
    for (const hash of live) {
      const fault = copyIntact(packs, id, hash, writer);
      if (fault !== undefined) return fault;
    }
    publishRewritten(store, kind, writer, packs.partBytes);
    return undefined;
  } finally {
    writer.abort();
  }
}

/** Copies an entry from `id` or, should it be damaged there, from another pack. Answers what is wrong with it in `id`. */
function copyIntact(packs: PackSet, id: PackId, hash: Hash, writer: PackWriter): string | undefined {
  let fault: string | undefined;
  for (const from of [id, ...packs.list().filter((each) => each !== id)]) {
    const pack = packs.pack(from);
    if (pack?.locate(hash) === undefined) continue;
    const found = copyEntry(pack, hash, writer);
    if (found === undefined) return undefined;
    fault ??= found;
  }
  return fault ?? damagedError(`Pack ${id}`, "an entry of it cannot be found").message;
}

function resolveAll(store: Store, refs: readonly Ref[]): Checkpoint[] {
  return [...new Set(refs.map((ref) => resolveRef(store.catalog.checkpoints, ref)))];
}
