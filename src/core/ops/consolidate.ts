/**
 * Merging small packs. Every save that changes something publishes a blob pack and a tree pack; without this, a thousand
 * saves leave two thousand packs, and every process that opens the store reads as many indexes.
 *
 * Which: packs are sorted into tiers by size, each eight times as high as the one before. When one tier has more than
 * TIER_PACKS of them, the smallest packs of the store, that tier's included, become one, as many as `maxBytes` allows.
 * What was merged is mostly a tier higher then, so a byte is copied about once a tier (simulated: 5,000 saves, less than
 * four times), and packs from SMALL_PACK_BYTES on are never copied.
 *
 *   1. frames are copied as they are into one temp file, each decoded and compared with its hash before
 *   2. the new pack is published (temp → length check → fsync → rename → fsync of the folder) and read back
 *   3. the index is told that it relies on the new pack instead of the old ones
 *   4. the old packs are removed
 *
 * Killed before 2: a temp file, swept under the next lock. Killed after it: objects that lie in two packs, which the
 * next merge of their tier makes one. At every moment every object is in a published pack. Steps 2 to 4 do not yield, so
 * other operations of this process see the old packs or the new one. Other processes that have the old ones open find them
 * missing when they read, and list the folder anew (see `PackSet`): the new pack was there before the old ones went.
 *
 * A pack with a damaged entry stays as it is: `verify` goes on naming it, and nothing that could be healed is lost.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { CheckpointError } from "../../shared/errors";
import type { DamagedPack } from "../../shared/upkeep";
import { damaged } from "../store/damage";
import type { PackId } from "../store/packFiles";
import type { PackSet } from "../store/packSet";
import type { PackWriter } from "../store/packWriter";
import type { Operation, Store } from "./context";
import { copyEntry, newPackWriter, type PackKind, packsOf, publishRewritten } from "./packRewrite";
import { retirePacks } from "./retirePacks";
import { withLock } from "./withLock";

/** Upper bounds of the tiers in bytes, eight times the one before. A save of five files makes packs of 5 to 50 KB. */
const TIERS: readonly number[] = [16 << 10, 128 << 10, 1 << 20, 8 << 20];
/** Packs of this size are left alone for ever: with them, what a pack costs is nothing beside what it holds. */
const SMALL_PACK_BYTES = 8 << 20;
/** A tier with more packs than this is merged. Opening a pack takes about 30 µs, so four full tiers take 4 ms. */
const TIER_PACKS = 32;
/** With this many, merging does not wait for quiet any longer. */
const OVERDUE_PACKS = 4 * TIER_PACKS;
/** One merge while nobody waits: 0.2 s of work, and as much of free disk. */
const IDLE_BYTES = 64 << 20;
/** One merge that somebody's next save may wait for: some 30 ms, less than that many packs cost in ten saves. */
const OVERDUE_BYTES = 8 << 20;

/** How full a tier may be, and how much is merged at a time. Two packs are, whatever they take. */
export interface MergeLimits {
  readonly tierPacks: number;
  /** Read and written by one merge at most. */
  readonly maxBytes: number;
}

export const WHEN_IDLE: MergeLimits = { tierPacks: TIER_PACKS, maxBytes: IDLE_BYTES };
export const WHEN_OVERDUE: MergeLimits = { tierPacks: OVERDUE_PACKS, maxBytes: OVERDUE_BYTES };

/** Packs that are to become one. Plain data. */
export interface PackMerge {
  readonly kind: PackKind;
  /** Smallest first, at least two. */
  readonly packs: readonly PackId[];
  /** Of all of them. */
  readonly bytes: number;
}

export interface Consolidation {
  /** Packs that are part of others now. */
  readonly mergedPacks: number;
  readonly bytes: number;
  /** Left as they are. */
  readonly damaged: readonly DamagedPack[];
}

/** The next merges to make, at most one of blob packs and one of tree packs; costs no reading. */
export function planConsolidation(
  store: Store,
  leftAlone: ReadonlySet<PackId> = new Set(),
  limits = WHEN_IDLE,
): PackMerge[] {
  return (["blobs", "trees"] as const).flatMap((kind) => {
    const packs = packsOf(store, kind);
    const sizes = packs.ids().map((id) => ({ id, bytes: packs.sizeOf(id) }));
    const merge = chooseMerge(
      sizes.filter(({ id }) => !leftAlone.has(id)),
      limits,
    );
    return merge === undefined ? [] : [{ kind, ...merge }];
  });
}

/** Which of these packs are to become one; undefined while no tier is too full. */
export function chooseMerge(
  packs: readonly { readonly id: PackId; readonly bytes: number }[],
  { tierPacks, maxBytes } = WHEN_IDLE,
): Omit<PackMerge, "kind"> | undefined {
  // A size of 0 means that nothing can be told about the pack.
  const small = packs.filter(({ bytes }) => bytes > 0 && bytes < SMALL_PACK_BYTES);
  const counts = TIERS.map(() => 0);
  for (const { bytes } of small) counts[tierOf(bytes)]!++;
  const fullest = counts.findLastIndex((count) => count > tierPacks);
  if (fullest < 0) return undefined;
  const chosen: PackId[] = [];
  let total = 0;
  for (const { id, bytes } of small.sort((a, b) => a.bytes - b.bytes || (a.id < b.id ? -1 : 1))) {
    if (tierOf(bytes) > fullest || (chosen.length >= 2 && total + bytes > maxBytes)) break;
    chosen.push(id);
    total += bytes;
  }
  return { packs: chosen, bytes: total };
}

const tierOf = (bytes: number): number => TIERS.findIndex((bound) => bytes < bound);

export interface ConsolidateOptions {
  /** Packs known to be damaged; those found are added. */
  readonly leftAlone: Set<PackId>;
  /** > 0: packs larger than this are cut into parts. Absent: as the store's other packs are. */
  readonly chunkBytes?: number | undefined;
  readonly limits: MergeLimits;
  /** No further merge is begun after this many. */
  readonly maxMerges: number;
}

const NOTHING: Consolidation = { mergedPacks: 0, bytes: 0, damaged: [] };

/**
 * Consolidates if that is due and nobody holds the lock; otherwise nothing happens. Stops before the next pack once
 * `operation` is cancelled, with everything as it was or merged.
 */
export async function consolidateInBackground(
  store: Store,
  options: ConsolidateOptions,
  operation: Operation,
): Promise<Consolidation> {
  if (planConsolidation(store, options.leftAlone, options.limits).length === 0) return NOTHING;
  try {
    return await withLock({ ...store, lockTimeoutMs: 0 }, operation, () => consolidate(store, options, operation));
  } catch (error) {
    // Whoever has it works on the store; there will be another time.
    if (CheckpointError.is(error, "locked") || CheckpointError.is(error, "cancelled")) return NOTHING;
    throw error;
  }
}

/** Merges until no tier is too full, `maxMerges` is reached or `operation` is cancelled. The caller holds the lock. */
export async function consolidate(
  store: Store,
  { leftAlone, chunkBytes, limits, maxMerges }: ConsolidateOptions,
  operation: Operation,
): Promise<Consolidation> {
  const leftDamaged: DamagedPack[] = [];
  let mergedPacks = 0;
  let bytes = 0;
  for (let merges = 0; merges < maxMerges && !operation.isCancelled(); ) {
    const [merge] = planConsolidation(store, leftAlone, limits);
    if (merge === undefined) break;
    const outcome = await executeConsolidation(store, merge, operation, chunkBytes);
    if (outcome === undefined) break;
    if ("damaged" in outcome) {
      leftDamaged.push(outcome.damaged);
      leftAlone.add(outcome.damaged.id);
      continue;
    }
    merges++;
    mergedPacks += outcome.mergedPacks;
    bytes += merge.bytes;
  }
  return { mergedPacks, bytes, damaged: leftDamaged };
}

/**
 * Makes one merge. Undefined: cancelled, and all is as before. `damaged`: nothing was merged because one of the packs is
 * not whole; the merge has to be planned without it. The caller holds the lock.
 */
export async function executeConsolidation(
  store: Store,
  merge: PackMerge,
  operation: Operation,
  chunkBytes?: number,
): Promise<{ readonly mergedPacks: number } | { readonly damaged: DamagedPack } | undefined> {
  const packs = packsOf(store, merge.kind);
  const writer = newPackWriter(store, merge.kind);
  try {
    for (const [i, id] of merge.packs.entries()) {
      // Calls that came in meanwhile are heard of.
      await nextTurn();
      if (operation.isCancelled()) return undefined;
      operation.report({ phase: "gc", done: i, total: merge.packs.length });
      const fault = copyPack(packs, id, writer);
      if (fault !== undefined) return { damaged: { id, message: fault } };
    }
    const pack = publishRewritten(store, merge.kind, writer, chunkBytes ?? packs.partBytes);
    // One of them may hold all that the others do, and be the same as what was just written.
    const going = new Set(merge.packs.filter((id) => id !== pack?.id));
    retirePacks(store, packs, going);
    return { mergedPacks: going.size };
  } finally {
    writer.abort();
  }
}

/** Copies what `writer` does not have yet, but checks every entry. Answers what is wrong with the pack, if anything. */
function copyPack(packs: PackSet, id: PackId, writer: PackWriter): string | undefined {
  const pack = packs.pack(id);
  if (pack === undefined) return damaged(`Pack ${id}`, "its entries cannot be told apart").message;
  try {
    for (const { hash } of pack.index.entriesByOffset()) {
      const fault = copyEntry(pack, hash, writer);
      if (fault !== undefined) return fault;
    }
    return undefined;
  } finally {
    pack.close();
  }
}
