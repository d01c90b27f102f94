/**
 * One thread's share of checking every folder of the index against the disk (see scan/folderCheck): the records lie in
 * shared memory, folders are handed out one at a time, and the answers are written back in place.
 */
import type { FileSystem } from "../fs/fileSystem";
import { PathRoot } from "../fs/osPath";
import { DirectoryRecord } from "../scan/directoryRecord";
import { checkFolder } from "../scan/folderCheck";
import type { EntryCounts } from "../scan/scannedFolder";
import { CONTROL_BYTES, type QueuedWork, WorkQueue } from "./workQueue";

export interface CheckWork extends QueuedWork {
  readonly records: SharedArrayBuffer;
  /** Where each record begins. */
  readonly offsets: SharedArrayBuffer;
  /** COUNTS numbers a folder; those of one that must be looked at stay NaN. */
  readonly counts: SharedArrayBuffer;
}

export interface CheckTask {
  readonly kind: "check";
  readonly root: string;
  readonly device: number;
  readonly maxFileBytes: number;
  readonly work: CheckWork;
}

/** files, symlinks, folders, bytes */
const COUNTS = 4;

export function createCheckWork(records: SharedArrayBuffer, offsets: readonly number[]): CheckWork {
  const count = offsets.length;
  const work: CheckWork = {
    count,
    control: new SharedArrayBuffer(CONTROL_BYTES),
    records,
    offsets: new SharedArrayBuffer(4 * count),
    counts: new SharedArrayBuffer(8 * COUNTS * count),
  };
  new Uint32Array(work.offsets).set(offsets);
  new Float64Array(work.counts).fill(Number.NaN);
  return work;
}

/** Runs until no folder is left or the work is cancelled; `tick` is called for each. Never throws. */
export function runCheckTask(fs: FileSystem, task: CheckTask, tick: () => void = () => {}): undefined {
  const queue = new WorkQueue(task.work);
  const deps = { fs, root: new PathRoot(task.root), device: task.device, maxFileBytes: task.maxFileBytes };
  const records = Buffer.from(task.work.records);
  const offsets = new Uint32Array(task.work.offsets);
  const counts = new Float64Array(task.work.counts);
  for (let item = queue.take(); item !== undefined; item = queue.take()) {
    const at = offsets[item] as number;
    const found = checkFolder(deps, new DirectoryRecord(records.subarray(at, at + records.readUInt32LE(at))));
    if (found !== undefined) counts.set([found.files, found.symlinks, found.folders, found.bytes], item * COUNTS);
    queue.finished();
    tick();
  }
}

/** The answer for one folder; undefined: it must be looked at, or was not checked. */
export function checkedCounts(counts: Float64Array, item: number): EntryCounts | undefined {
  const at = item * COUNTS;
  const files = counts[at] as number;
  if (Number.isNaN(files)) return undefined;
  return {
    files,
    symlinks: counts[at + 1] as number,
    folders: counts[at + 2] as number,
    bytes: counts[at + 3] as number,
  };
}
