/**
 * Freeing what no checkpoint uses any more (see usedContent.ts for how that is told).
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
import type { DamagedPack, DeletePlan, GcResult } from "../../shared/upkeep";
import { damaged as damagedError } from "../store/damage";
import type { Hash } from "../store/hash";
import type { PackId } from "../store/packFiles";
import { ENTRY_HEADER_BYTES } from "../store/packHeaders";
import type { PackSet } from "../store/packSet";
import type { PackWriter } from "../store/packWriter";
import type { RestoreRow } from "../store/restoreRows";
import { describeChanges } from "./changes";
import { consolidate, WHEN_IDLE } from "./consolidate";
import type { Operation, Store } from "./context";
import { removeDamaged } from "./damagedFolder";
import { copyEntry, newPackWriter, type PackKind, packsOf, publishRewritten } from "./packRewrite";
import { resolveRef } from "./refs";
import { stackTop } from "./restoreStack";
import { retirePacks } from "./retirePacks";
import { type Marks, markRestored, markUsed, noMarks, readableEntries, rootOf, usedRoots } from "./usedContent";
import { withLock } from "./withLock";

/** So much garbage is borne: in a pack that would have to be written anew, or of all there is (see `planSweep`). */
const GARBAGE_SHARE = 0.05;

/** From so many on the catalog is packed anew, so that its file is as small as what is left. */
const MANY_CHECKPOINTS = 20;

/** How much is done to free what can be freed: as much as is worth while, most of it, or all of it. */
export type SweepCare = "worthwhile" | "thorough" | "complete";

export const NOTHING_FREED: GcResult = {
  deadObjects: 0,
  freedBytes: 0,
  removedPacks: 0,
  rewrittenPacks: 0,
  damaged: [],
};

const KINDS = ["blobs", "trees"] as const;

interface PackPlan {
  readonly id: PackId;
  readonly kind: PackKind;
  /** Of the whole pack. */
  readonly bytes: number;
  readonly live: readonly Hash[];
  readonly deadObjects: number;
  readonly deadBytes: number;
}

/** What deleting these checkpoints would free. */
export function planDelete(store: Store, refs: readonly Ref[], operation: Operation): DeletePlan {
  const checkpoints = resolveAll(store, refs);
  const gone = new Set(checkpoints.map((each) => each.id));
  const kept = noMarks();
  markUsed(store, kept, usedRoots(store, gone), operation);
  const mine = noMarks();
  // Deleting is the way out for a damaged one.
  markUsed(store, mine, checkpoints.map(rootOf), operation, (tree) => readableEntries(store, tree));
  const dead = [...mine.blobs].filter((hash) => !kept.blobs.has(hash));
  return {
    checkpoints,
    deadObjects: dead.length,
    deadBytes: dead.reduce((sum, hash) => sum + (store.blobs.frameLength(hash) ?? 0), 0),
    endsUndo: Object.values(stackTop(store)).some((row: RestoreRow | undefined) => gone.has(row?.beforeId ?? "")),
  };
}

export function deleteCheckpoints(store: Store, refs: readonly Ref[], operation: Operation): Promise<GcResult> {
  return withLock(store, operation, () =>
    removeCheckpoints(store, new Set(resolveAll(store, refs).map((each) => each.id)), operation),
  );
}

/**
 * Removes these checkpoints from the catalog and frees what only they used. The caller holds the lock. Rejects with
 * `damaged` or `cancelled` before anything goes.
 */
export function removeCheckpoints(
  store: Store,
  ids: ReadonlySet<string>,
  operation: Operation,
  care: SweepCare = "worthwhile",
): GcResult {
  // Marked first: it takes the time, and it may be cancelled or find damage; from the commit on nothing does.
  const marks = noMarks();
  markUsed(store, marks, usedRoots(store, ids), operation);
  store.catalog.remove(ids, (child, parent) =>
    describeChanges(store.trees, parent?.rootTree as Hash | undefined, child.rootTree as Hash, child.files),
  );
  // Its file is read and written whole at each save; a thousand rows less are some 500 KB.
  if (ids.size >= MANY_CHECKPOINTS) store.catalog.dropFreePages();
  store.catalog.commit();
  return sweep(store, marks, care);
}

/** Frees what no checkpoint uses, and merges small packs; those count as rewritten. */
export async function gc(store: Store, operation: Operation): Promise<GcResult> {
  // Locking would make an empty store of a mistyped folder.
  if (store.fs.lstat(store.layout.folder) === undefined) return NOTHING_FREED;
  return withLock(store, operation, async () => {
    const swept = sweepUnused(store, operation, "thorough");
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

/** Frees what no checkpoint uses. The caller holds the lock. Rejects with `damaged` or `cancelled` before anything goes. */
export function sweepUnused(store: Store, operation: Operation, care: SweepCare): GcResult {
  const marks = noMarks();
  markUsed(store, marks, usedRoots(store), operation);
  return sweep(store, marks, care);
}

/** After a purge nothing unused stays, whatever care is asked for, nor what repairs kept; that it is so is noted. */
function sweep(store: Store, marks: Marks, care: SweepCare): GcResult {
  const { catalog } = store;
  if (!catalog.owesSweep) return sweepPacks(store, marks, care);
  const result = sweepPacks(store, marks, "complete");
  // A pack with damage in it stays as it is, and with it maybe what was purged.
  if (result.damaged.length > 0) return result;
  removeDamaged(store);
  // So does one that cannot even be opened: nobody knows what is in it until it is repaired.
  if (KINDS.some((kind) => packsOf(store, kind).list().length < packsOf(store, kind).ids().length)) return result;
  catalog.owesSweep = false;
  catalog.commit();
  return result;
}

function sweepPacks(store: Store, marks: Marks, care: SweepCare): GcResult {
  markRestored(store, marks);
  const plans = planSweep(
    KINDS.flatMap((kind) => packsWithGarbage(kind, packsOf(store, kind), marks[kind])),
    care,
  );
  if (plans.length === 0) return NOTHING_FREED;
  store.index.retain((hash) => marks.blobs.has(hash) || marks.trees.has(hash));
  const gone: PackPlan[] = [];
  const damaged: DamagedPack[] = [];
  const remove = (kind: PackKind, going: readonly PackPlan[]): void => {
    if (going.length > 0) retirePacks(store, packsOf(store, kind), new Set(going.map((each) => each.id)));
    gone.push(...going);
  };
  for (const kind of KINDS)
    remove(
      kind,
      plans.filter((each) => each.kind === kind && each.live.length === 0),
    );
  const removedPacks = gone.length;
  // One after the other: a full disk needs room for one pack only.
  for (const each of plans.filter(({ live }) => live.length > 0)) {
    const fault = rewritePack(store, each);
    if (fault === undefined) remove(each.kind, [each]);
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

function packsWithGarbage(kind: PackKind, packs: PackSet, used: ReadonlySet<Hash>): PackPlan[] {
  // Something is missing: it may be in a pack whose index calls it by another name.
  const isInDoubt = [...used].some((hash) => !packs.has(hash));
  return packs.list().flatMap((id): PackPlan[] => {
    const pack = packs.pack(id);
    if (pack === undefined) return [];
    const live: Hash[] = [];
    let deadObjects = 0;
    let deadBytes = 0;
    for (const { hash, length } of pack.entries()) {
      if (used.has(hash)) live.push(hash);
      else {
        deadObjects++;
        deadBytes += length + ENTRY_HEADER_BYTES;
      }
    }
    if (deadObjects > 0 && isInDoubt && !pack.hasTrueIndex()) return [];
    return deadObjects === 0 ? [] : [{ id, kind, bytes: pack.bytes, live, deadObjects, deadBytes }];
  });
}

/**
 * Of packs with garbage those to deal with now, the most wasteful first. A pack that is all garbage always goes.
 * "worthwhile": at most 20 bytes are read and written for one that becomes free, and what stays is less than 5 % of the
 * packs. "thorough": at most 5 % of the garbage stays, and of the packs with it only the least wasteful. "complete":
 * none stays.
 */
export function planSweep<Pack extends Pick<PackPlan, "bytes" | "deadBytes" | "live">>(
  packs: readonly Pack[],
  care: SweepCare,
): Pack[] {
  const share = ({ deadBytes, bytes, live }: Pack): number => (live.length === 0 ? 1 : deadBytes / bytes);
  const wasteful = [...packs].sort((a, b) => share(b) - share(a) || b.deadBytes - a.deadBytes);
  if (care === "complete") return wasteful;
  if (care === "worthwhile") return wasteful.filter((each) => share(each) >= GARBAGE_SHARE);
  let left = sum(packs, (each) => each.deadBytes);
  const bearable = left * GARBAGE_SHARE;
  return wasteful.filter((each) => {
    if (left <= bearable && each.live.length > 0) return false;
    left -= each.deadBytes;
    return true;
  });
}

/**
 * Writes what is used of a pack into a new one. Answers what is wrong with an entry in use of which no intact copy
 * exists: the old pack has to stay as it is, so that nothing is lost that could still be healed.
 */
function rewritePack(store: Store, { id, kind, live }: PackPlan): string | undefined {
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
