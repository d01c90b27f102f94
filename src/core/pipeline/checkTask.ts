/**
 * One thread's share of checking the records of the index against the disk: they lie in shared memory, are handed out
 * one at a time, and the answers are written back in place. What a record is, and how it is checked, is the caller's.
 */
import { CONTROL_BYTES, type QueuedWork, WorkQueue } from "./workQueue";

export interface CheckWork extends QueuedWork {
  readonly records: SharedArrayBuffer;
  /** Where each record begins; its length is its first word. */
  readonly offsets: SharedArrayBuffer;
  /** COUNTS numbers a record; those of a folder that must be looked at stay NaN. */
  readonly counts: SharedArrayBuffer;
}

export interface CheckTask {
  readonly kind: "check";
  readonly root: string;
  readonly device: number;
  readonly maxFileBytes: number;
  readonly work: CheckWork;
}

/** What lies in a folder that is as recorded. */
export interface CheckedCounts {
  readonly files: number;
  readonly symlinks: number;
  readonly folders: number;
  readonly bytes: number;
}

/** Undefined: the folder must be looked at. Never throws. */
export type RecordCheck = (record: Buffer) => CheckedCounts | undefined;

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

/** Runs until no record is left or the work is cancelled; `tick` is called for each. Never throws. */
export function runCheckTask(check: RecordCheck, { work }: CheckTask, tick: () => void = () => {}): undefined {
  const queue = new WorkQueue(work);
  const records = Buffer.from(work.records);
  const offsets = new Uint32Array(work.offsets);
  const counts = new Float64Array(work.counts);
  for (let item = queue.take(); item !== undefined; item = queue.take()) {
    const at = offsets[item] as number;
    const found = check(records.subarray(at, at + records.readUInt32LE(at)));
    if (found !== undefined) counts.set([found.files, found.symlinks, found.folders, found.bytes], item * COUNTS);
    queue.finished();
    tick();
  }
}

/** The answer for one record; undefined: its folder must be looked at, or was not checked. */
export function checkedCounts(counts: Float64Array, item: number): CheckedCounts | undefined {
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
