/**
 * Merging small packs. Every save that changes something publishes a blob pack and a tree pack; without this, a thousand
 * saves leave two thousand packs, and every process that opens the store reads as many indexes.
 *
 * Which: packs are sorted into tiers by size, each eight times as high as the one before. When one tier has more than
 * TIER_PACKS of them, they and all smaller ones become one pack. That lies at least a tier higher, so a byte is copied at
 * most once a tier: the cost of a save grows by a constant factor, and packs from SMALL_PACK_BYTES on are never copied.
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
import { damaged } from "../store/damage";
import { PackData } from "../store/packData";
import type { PackId } from "../store/packFiles";
import type { PackSet } from "../store/packSet";
import { PackWriter } from "../store/packWriter";
import type { Operation, Store } from "./context";
import { retirePacks } from "./retirePacks";
import { withLock } from "./withLock";

/** Upper bounds of the tiers in bytes, eight times the one before. A save of five files makes packs of 5 to 50 KB. */
const TIERS: readonly number[] = [16 << 10, 128 << 10, 1 << 20, 8 << 20];
/** Packs of this size are left alone for ever: with them, what a pack costs is nothing beside what it holds. */
const SMALL_PACK_BYTES = 8 << 20;
/** A tier with more packs than this is merged. Opening a pack takes about 30 µs, so four full tiers take 4 ms. */
const TIER_PACKS = 32;
/** With this many, merging does not wait for quiet any longer: it costs some 50 ms, less than they do in ten saves. */
export const OVERDUE_PACKS = 4 * TIER_PACKS;
/** Read and written by one merge at most: 0.2 s of work, and as much of free disk. */
const MERGE_BYTES = 64 << 20;

/** Packs that are to become one. Plain data. */
export interface PackMerge {
  readonly kind: "blobs" | "trees";
  /** Smallest first, at least two. */
  readonly packs: readonly PackId[];
  /** Of all of them. */
  readonly bytes: number;
}

export interface DamagedPack {
  readonly id: PackId;
  readonly message: string;
}

export interface Consolidation {
  /** Packs that are part of others now. */
  readonly mergedPacks: number;
  readonly newPacks: number;
  readonly bytes: number;
  /** Left as they are. */
  readonly damaged: readonly DamagedPack[];
}

/** The next merges to make, at most one of blob packs and one of tree packs; costs no reading. */
export function planConsolidation(
  store: Store,
  leftAlone: ReadonlySet<PackId> = new Set(),
  tierPacks = TIER_PACKS,
): PackMerge[] {
  return (["blobs", "trees"] as const).flatMap((kind) => {
    const packs = packsOf(store, kind);
    const sizes = packs.ids().map((id) => ({ id, bytes: packs.sizeOf(id) }));
    const merge = chooseMerge(
      sizes.filter(({ id }) => !leftAlone.has(id)),
      tierPacks,
    );
    return merge === undefined ? [] : [{ kind, ...merge }];
  });
}

/** Which of these packs are to become one; undefined while no tier is too full. */
export function chooseMerge(
  packs: readonly { readonly id: PackId; readonly bytes: number }[],
  tierPacks = TIER_PACKS,
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
    if (tierOf(bytes) > fullest || total + bytes > MERGE_BYTES) break;
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
  /** No further merge is begun after this many bytes. */
  readonly maxBytes: number;
}

/** What background work may take in one go. */
export const BACKGROUND_BYTES = MERGE_BYTES;

const NOTHING: Consolidation = { mergedPacks: 0, newPacks: 0, bytes: 0, damaged: [] };

/**
 * Consolidates if that is due and nobody holds the lock; otherwise nothing happens. For times when nobody waits: stops
 * before the next pack once `operation` is cancelled, with everything as it was or merged.
 */
export async function consolidateInBackground(
  store: Store,
  options: ConsolidateOptions,
  operation: Operation,
): Promise<Consolidation> {
  if (planConsolidation(store, options.leftAlone).length === 0) return NOTHING;
  try {
    return await withLock({ ...store, lockTimeoutMs: 0 }, operation, () => consolidate(store, options, operation));
  } catch (error) {
    // Whoever has it works on the store; there will be another time.
    if (CheckpointError.is(error, "locked") || CheckpointError.is(error, "cancelled")) return NOTHING;
    throw error;
  }
}

/** Merges until no tier is too full, `maxBytes` is reached or `operation` is cancelled. The caller holds the lock. */
export async function consolidate(
  store: Store,
  { leftAlone, chunkBytes, maxBytes }: ConsolidateOptions,
  operation: Operation,
): Promise<Consolidation> {
  const leftDamaged: DamagedPack[] = [];
  let result = NOTHING;
  while (result.bytes < maxBytes && !operation.isCancelled()) {
    const [merge] = planConsolidation(store, leftAlone);
    if (merge === undefined) break;
    const outcome = await executeConsolidation(store, merge, operation, chunkBytes);
    if (outcome === undefined) break;
    if ("damaged" in outcome) {
      leftDamaged.push(outcome.damaged);
      leftAlone.add(outcome.damaged.id);
      continue;
    }
    result = {
      mergedPacks: result.mergedPacks + outcome.mergedPacks,
      newPacks: result.newPacks + 1,
      bytes: result.bytes + merge.bytes,
      damaged: leftDamaged,
    };
  }
  return { ...result, damaged: leftDamaged };
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
  const { fs, codecs, layout } = store;
  const packs = packsOf(store, merge.kind);
  const folder = merge.kind === "blobs" ? layout.packs : layout.trees;
  const writer = new PackWriter({ fs, codecs, folder, nonce: store.nonce() });
  try {
    for (const [i, id] of merge.packs.entries()) {
      // Calls that came in meanwhile are heard of.
      await nextTurn();
      if (operation.isCancelled()) return undefined;
      operation.report({ phase: "gc", done: i, total: merge.packs.length });
      const fault = copyPack(packs, id, writer);
      if (fault !== undefined) return { damaged: { id, message: fault } };
    }
    const pack = writer.finish({ chunkBytes: chunkBytes ?? packs.partBytes });
    if (pack !== undefined) {
      const written = PackData.find(fs, folder, pack.id);
      try {
        if (written.ownHash(codecs) !== pack.hash)
          throw new CheckpointError("io", `${folder}/pack-${pack.id} was not written as it should be. Check the disk.`);
      } finally {
        written.close();
      }
      packs.add(pack);
    }
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
  let begun = false;
  const pack = packs.pack(id);
  if (pack === undefined) return damaged(`Pack ${id}`, "its entries cannot be told apart").message;
  try {
    for (const { hash } of pack.index.entriesByOffset()) {
      begun = false;
      pack.copyFrame(hash, (length, pieces) => {
        begun = true;
        if (!writer.has(hash)) writer.addFrame(hash, length, pieces);
      });
    }
    return undefined;
  } catch (error) {
    // A pack that fails while it is being copied has just been read without fault: that is not its content.
    if (begun || !CheckpointError.is(error, "damaged")) throw error;
    return error.message;
  } finally {
    pack.close();
  }
}

const packsOf = (store: Store, kind: PackMerge["kind"]): PackSet => (kind === "blobs" ? store.blobs : store.treePacks);
