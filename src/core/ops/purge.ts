/**
 * Taking paths out of all checkpoints: what should never have been saved (a key, a customer's file) is to be gone, not
 * only from view. Pinned checkpoints are no exception: whoever purges names the path.
 *
 *   1. trees without the paths are published (garbage until a row names them)
 *   2. the index is erased: it names every file of the workspace. So is what a repair took out of use
 *   3. catalog, one commit: every checkpoint names its new tree; counts, lists of changes and of what was skipped, undo
 *      rows; all of it without the paths. The file is written without the free pages in which they would still stand. It
 *      also says that a thorough sweep is owed
 *      also says that a thorough sweep is owed; so does `checkpoints.log`, which names the trees before as no
 *      checkpoints, so that a catalog made anew does not take them for some
 *   4. that sweep: every pack with anything in it that nobody uses is written anew without it, however little it is; and
 *      what a repair took out of use since 2 goes as well
 *
 * Killed before 3: nothing has changed. Killed after it: the paths are in no checkpoint; their content may still lie in
 * packs, and the next `gc`, deletion or purge does what is owed. So it is where a damaged pack cannot be written anew:
 * a repair keeps no old packs while a sweep is owed. Checkpoints keep number, id, name and time.
 *
 * What stays of the path is its hash in the rules of the checkpoints that held it (`ScanRecord.purged`): without it a
 * restore of one would take the file, should it be in the workspace, for new since then, and remove it.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import type { PurgePlan, PurgeResult } from "../../shared/purge";
import type { Hash } from "../store/hash";
import type { SkippedList } from "../store/skippedList";
import { describeChanges } from "./changes";
import type { Operation, Store } from "./context";
import { removeDamaged } from "./damagedFolder";
import { NOTHING_FREED, sweepUnused } from "./gc";
import { purgedMark } from "./purgedMark";
import { type PlannedPurge, planPurge } from "./purgePlan";
import { liesIn } from "./purgeTrees";
import { storeTrees } from "./save";
import { scanRecordOf } from "./scanRecord";
import { withLock } from "./withLock";

/** What `purge` would do now. Rejects as it does. */
export function previewPurge(store: Store, texts: readonly string[], operation: Operation): PurgePlan {
  return planPurge(store, texts, operation).answer;
}

/**
 * Purges the paths (as typed). Paths that no checkpoint holds are named in the answer and cost nothing, but for a sweep
 * that an earlier purge still owes.
 */
export async function purge(store: Store, texts: readonly string[], operation: Operation): Promise<PurgeResult> {
  // Locking would make an empty store of a mistyped folder.
  if (store.fs.lstat(store.layout.folder) === undefined)
    return { ...previewPurge(store, texts, operation), freed: NOTHING_FREED };
  return withLock(store, operation, () => {
    const plan = planPurge(store, texts, operation);
    if (plan.paths.length > 0) {
      operation.throwIfCancelled();
      operation.report({ phase: "commit", done: 0, total: 0 });
      storeTrees(store, plan);
      store.lastScan.forget();
      store.index.erase();
      removeDamaged(store);
      rewriteCatalog(store, plan);
    }
    const isOwed = store.catalog.owesSweep;
    return { ...plan.answer, freed: isOwed ? sweepUnused(store, operation, "complete") : NOTHING_FREED };
  });
}

function rewriteCatalog(store: Store, plan: PlannedPurge): void {
  const { catalog } = store;
  const before = new Map(catalog.checkpoints.map((each) => [each.id, each]));
  const rootOf = ({ id, rootTree }: Checkpoint): Hash => plan.roots.get(id)?.tree ?? (rootTree as Hash);
  for (const checkpoint of before.values()) {
    const parent = checkpoint.parentId === null ? undefined : before.get(checkpoint.parentId);
    rewriteNotes(store, plan, checkpoint);
    const stripped = plan.roots.get(checkpoint.id);
    const isSame = rootOf(checkpoint) === checkpoint.rootTree;
    if (stripped === undefined || (isSame && (parent === undefined || rootOf(parent) === parent.rootTree))) continue;
    const files = checkpoint.files - stripped.files;
    catalog.retell(checkpoint.id, {
      rootTree: stripped.tree,
      files,
      bytes: checkpoint.bytes - stripped.bytes,
      differences: describeChanges(plan.trees, parent && rootOf(parent), stripped.tree, files),
    });
  }
  for (const { row, states } of plan.restores)
    if (states === undefined) catalog.removeRestore(row.id);
    else catalog.amendRestore(row.id, states);
  catalog.owesSweep = true;
  catalog.dropFreePages();
  catalog.commit();
}

/** What was said of the scan besides its tree: folders left out as caches, and what could not be taken in. */
function rewriteNotes(
  { catalog, codecs }: Store,
  plan: PlannedPurge,
  { id, number, rootTree, skipped }: Checkpoint,
): void {
  const isPurged = liesIn(plan.paths);
  const rules = scanRecordOf({ catalog }, { id, number });
  const caches = rules.caches?.filter(
    (path) => !plan.paths.some((each) => path === each || path.startsWith(`${each}/`)),
  );
  const isHeld = plan.roots.get(id)?.tree !== rootTree;
  const purged = isHeld
    ? [...(rules.purged ?? []), ...plan.paths.map((path) => purgedMark(codecs, path))]
    : rules.purged;
  const list = catalog.skippedOf(id);
  const kept: SkippedList = {
    listed: list.listed.filter(({ path }) => !isPurged(path)),
    folders: list.folders.filter((path) => !isPurged(path)),
  };
  const dropped = list.listed.length - kept.listed.length;
  const isNoted =
    isHeld || dropped > 0 || kept.folders.length < list.folders.length || caches?.length !== rules.caches?.length;
  if (!isNoted) return;
  const changed = { ...rules, ...(caches && { caches }), ...(purged && { purged: [...new Set(purged)] }) };
  catalog.renote(id, { rules: JSON.stringify(changed), skipped: kept, skippedTotal: skipped - dropped });
}
