/**
 * Asks the disk about every folder of the index before the scan, on several threads: the scan then looks only at
 * folders in which something differs. Worth it because a stat in the scan's order waits for the one before.
 */
import type { ByteString } from "../../shared/pathText";
import type { FileSystem } from "../fs/fileSystem";
import { type CheckTask, checkedCounts, createCheckWork, runCheckTask } from "../pipeline/checkTask";
import type { LanePool } from "../pipeline/lanes";
import { WorkQueue } from "../pipeline/workQueue";
import type { DirectoryRecord } from "../scan/directoryRecord";
import { recordedBytes } from "../scan/fileIndex";
import type { EntryCounts } from "../scan/scannedFolder";
import type { StoreLayout } from "../store/storeLayout";
import type { Operation, Store } from "./context";
import { recordCheck } from "./recordCheck";

/** Below this many bytes of records (some 4,000 files) this thread has done before another one has begun. */
const LANE_MIN_RECORD_BYTES = 400_000;
/** How often the answers of other threads are looked for, once this one has nothing left to do. */
const WAIT_MS = 1;
const PROGRESS_EVERY = 256;

interface CheckedFolders {
  /** What lies in every folder that is still as recorded. */
  readonly settled: ReadonlyMap<ByteString, EntryCounts>;
  /** The others of the index. */
  readonly unsettled: readonly ByteString[];
}

/** Settles nothing where the file system does not tell changes of listings. Rejects with `cancelled`. */
export async function checkFolders(store: Store, maxFileBytes: number, operation: Operation): Promise<CheckedFolders> {
  const { fs, root, index } = store;
  const settled = new Map<ByteString, EntryCounts>();
  const unsettled: ByteString[] = [];
  const note = ({ path }: DirectoryRecord, counts: EntryCounts | undefined): void => {
    if (counts === undefined) unsettled.push(path);
    else settled.set(path, counts);
  };
  const found = fs.lstat(root.os(""));
  if (index.isEmpty || found === undefined || fs.tellsListingChanges?.(root.os("")) !== true)
    return { settled, unsettled: index.paths() };

  const shared: DirectoryRecord[] = [];
  const offsets: number[] = [];
  const own: DirectoryRecord[] = [];
  for (const record of index.all()) {
    // The scan looks at the root itself: from its ignore files all other rules follow.
    if (record.path === "") continue;
    const offset = index.sharedOffset(record);
    if (offset === undefined) own.push(record);
    else {
      shared.push(record);
      offsets.push(offset);
    }
  }
  const work = createCheckWork(index.sharedRecords, offsets);
  const task: CheckTask = { kind: "check", root: store.layout.workspace, device: found.dev, maxFileBytes, work };
  const check = recordCheck(fs, task);
  const queue = new WorkQueue(work);
  const others = startLanes(store, task);
  const total = shared.length + own.length;
  let ticks = 0;
  const tick = (): void => {
    if (ticks++ % PROGRESS_EVERY !== 0) return;
    operation.report({ phase: "scan", done: queue.done, total });
    if (operation.isCancelled()) queue.cancel();
  };
  for (const record of own) {
    tick();
    if (queue.isCancelled) break;
    note(record, check(record.bytes));
  }
  runCheckTask(check, task, tick);
  while (queue.done < work.count && !queue.isCancelled && !others.isOver) await store.sleep(WAIT_MS);
  operation.throwIfCancelled();
  const counts = new Float64Array(work.counts);
  shared.forEach((record, i) => {
    note(record, checkedCounts(counts, i));
  });
  return { settled, unsettled };
}

/**
 * The other threads' share. One that has not even started when all is done is not waited for, and one that dies leaves
 * its folder unanswered: it is looked at.
 */
function startLanes(store: Store, task: CheckTask): { readonly isOver: boolean } {
  const { lanes, layout } = store;
  const state = { isOver: false };
  const end = (): void => {
    state.isOver = true;
  };
  if (lanes === undefined || task.work.records.byteLength < LANE_MIN_RECORD_BYTES) end();
  else lanes.run(layout.packs, new Array(helpersOf(lanes)).fill(task)).then(end, end);
  return state;
}

/** This thread checks too. */
function helpersOf(lanes: LanePool): number {
  return Math.max(1, lanes.size - 1);
}

/** Starts the threads that a scan of a large workspace will want (all, if everything is still to be read). */
export function warmUpForScan(fs: FileSystem, layout: StoreLayout, lanes: LanePool | undefined): void {
  const bytes = recordedBytes(fs, layout.index);
  if (bytes === 0) lanes?.warmUp();
  else if (lanes !== undefined && bytes >= LANE_MIN_RECORD_BYTES) lanes.warmUp(helpersOf(lanes));
}
