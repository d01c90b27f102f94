/**
 * Deleting what is no longer to be kept. What that is, retention.ts decides from data; this gathers them, and deletes.
 *
 * The plan is made anew under the lock: between looking and deleting, another window may have saved, restored or pinned.
 * What somebody agreed to (`only`) can only become less by it.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import type { PrunePlan, PruneRequest, PruneResult } from "../../shared/retention";
import { readIntent } from "../store/restoreJournal";
import { journalOf, type Operation, type Store } from "./context";
import { freeDiskBytes } from "./freeDisk";
import { NOTHING_FREED, removeCheckpoints, sweepUnused } from "./gc";
import { reversalTargets } from "./restoreStack";
import { planRetention, type RetentionSizes } from "./retention";
import { markRestored, markUsed, noMarks, readableEntries, rootOf, usedRoots } from "./usedContent";
import { withLock } from "./withLock";

/** What would go now. Rejects with `damaged` when what stays cannot be told from what goes. */
export function planPrune(store: Store, { policy, only }: PruneRequest, operation: Operation): PrunePlan {
  const plan = planRetention(
    store.catalog.checkpoints,
    policy,
    {
      needed: neededCheckpoints(store),
      localOffsetMs: store.localOffsetMs,
      storeBytes: packBytes(store) + overhead(store),
      freeDiskBytes: freeDiskBytes(store),
      measure: (going, spare) => measure(store, going, spare, operation),
    },
    store.now(),
  );
  if (only === undefined) return plan;
  const agreed = new Set(only);
  const going = plan.going.filter(({ checkpoint }) => agreed.has(checkpoint.id));
  return { ...plan, going, kept: store.catalog.checkpoints.length - going.length };
}

/**
 * Deletes what the plan of this moment says; where a limit is broken, most of what nobody uses goes, too. On an error the
 * checkpoints are all there, or all of these are gone.
 */
export async function prune(store: Store, request: PruneRequest, operation: Operation): Promise<PruneResult> {
  // Locking would make an empty store of a mistyped folder.
  if (store.fs.lstat(store.layout.folder) === undefined)
    return { gone: [], kept: 0, missingBytes: 0, freed: NOTHING_FREED };
  return withLock(store, operation, () => {
    const { going, kept, missingBytes, freedBytes } = planPrune(store, request, operation);
    const answer = { gone: going, kept, missingBytes };
    const isForRoom = going.length === 0 ? missingBytes === 0 : going.some(({ reason }) => reason !== "age");
    // For a limit garbage counts like everything else, but not to the last byte: that would rewrite every pack. Where it
    // does not get the limit kept, it is no reason to do so once an hour.
    const care = request.automatic === true && !isForRoom ? "worthwhile" : "thorough";
    if (going.length === 0)
      return { ...answer, freed: freedBytes > 0 ? sweepUnused(store, operation, care) : NOTHING_FREED };
    const ids = new Set(going.map(({ checkpoint }) => checkpoint.id));
    return { ...answer, freed: removeCheckpoints(store, ids, operation, care) };
  });
}

function neededCheckpoints(store: Store): Set<string> {
  const row = readIntent(journalOf(store))?.row;
  return new Set([...reversalTargets(store), row?.beforeId ?? "", row?.targetId ?? ""]);
}

/** One walk over all trees: from what stays to what goes first, so that each step meets what goes with it. */
function measure(
  store: Store,
  going: readonly Checkpoint[],
  spare: readonly Checkpoint[],
  operation: Operation,
): RetentionSizes {
  const marks = noMarks();
  const mayGo = new Set([...going, ...spare].map(({ id }) => id));
  const kept =
    markUsed(store, marks, usedRoots(store, mayGo), operation) + markRestored(store, marks) + overhead(store);
  const own = (checkpoint: Checkpoint): number =>
    // Deleting is the way out for a damaged one.
    markUsed(store, marks, [rootOf(checkpoint)], operation, (tree) => readableEntries(store, tree));
  return { kept, spare: spare.toReversed().map(own).reverse() };
}

const packBytes = ({ blobs, treePacks }: Store): number => blobs.bytes + treePacks.bytes;

/** What does not become less by deleting, or by little. */
const overhead = ({ catalog, index }: Store): number => catalog.bytes + index.bytes;
