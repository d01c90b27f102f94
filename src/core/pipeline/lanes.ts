/**
 * Where lanes run: on worker threads when the work is big, on the caller's own thread when starting threads (some 40 ms
 * each) would cost more than it saves, or when no lane script is known. Either way the same task code runs.
 *
 * Threads are started lazily and given back after IDLE_MS without work.
 */
import { Worker } from "node:worker_threads";
import { CheckpointError, cancelled, type SerializedError } from "../../shared/errors";
import type { CheckTask } from "./checkTask";
import type { ExtractTask, ExtractTaskResult } from "./extractTask";
import type { SearchTask, SearchTaskResult } from "./searchTask";
import type { StoreTask, StoreTaskResult } from "./storeTask";
import { WorkQueue } from "./workQueue";

export type LaneTask = { readonly packs: string; readonly task: StoreTask | ExtractTask | SearchTask | CheckTask };
export type LaneTaskResult<T extends LaneTask["task"]> = T extends StoreTask
  ? StoreTaskResult
  : T extends ExtractTask
    ? ExtractTaskResult
    : T extends SearchTask
      ? SearchTaskResult
      : undefined;
export type AnyResult = LaneTaskResult<LaneTask["task"]>;
export type ToLane = { readonly id: number } & LaneTask;
export type FromLane =
  | { readonly id: number; readonly result: AnyResult }
  | { readonly id: number; readonly error: SerializedError };

const IDLE_MS = 10_000;
/** A lane leaves little garbage behind; the default would let some 50 MB of it pile up in each. */
const YOUNG_GENERATION_MB = 8;

interface Pending {
  resolve(result: AnyResult): void;
  reject(error: unknown): void;
  readonly worker: Worker;
}

/** A fixed number of lane threads. A lane does one task after another; batches may overlap. */
export class LanePool {
  private workers: Worker[] = [];
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private readonly ending = new Set<Promise<number>>();
  private idle: NodeJS.Timeout | undefined;
  /** Batches under way. */
  private batches = 0;

  /** `onBulk` is called before tasks that go on for long and leave garbage in this thread, too: all but comparing stats. */
  constructor(
    private readonly script: string,
    readonly size: number,
    private readonly onBulk: () => void = () => {},
  ) {}

  /** Starts threads, all or `count`, ahead of work that is sure to come. */
  warmUp(count = this.size): void {
    clearTimeout(this.idle);
    while (this.workers.length < Math.min(count, this.size)) this.workers.push(this.start());
    // The work may not come after all (cancelled, nothing to read).
    if (this.batches === 0) this.restartIdleTimer();
  }

  /**
   * Runs one task per lane and waits for all; rejects with the first error once every lane has come to rest. One that
   * fails, or dies, makes the others stop at their next item: nothing may go on behind the caller's back.
   */
  async run<T extends LaneTask["task"]>(packs: string, tasks: readonly T[]): Promise<LaneTaskResult<T>[]> {
    if (tasks.some(({ kind }) => kind !== "check")) this.onBulk();
    // Counted first: no idle timer may run while there is work.
    this.batches++;
    try {
      this.warmUp(tasks.length);
    } catch (error) {
      this.batches--;
      throw error;
    }
    // Idle threads must not keep a finished command line alive; working ones must.
    for (const worker of this.workers) worker.ref();
    const runs = tasks.map((task, i) =>
      new Promise<AnyResult>((resolve, reject) => {
        const id = this.nextId++;
        const worker = this.workers[i % this.workers.length] as Worker;
        this.pending.set(id, { resolve, reject, worker });
        worker.postMessage({ id, packs, task } satisfies ToLane);
      }).catch((error: unknown) => {
        new WorkQueue(task.work).cancel();
        throw error;
      }),
    );
    const settled = await Promise.allSettled(runs);
    if (--this.batches === 0) {
      for (const worker of this.workers) worker.unref();
      this.restartIdleTimer();
    }
    return settled.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value as LaneTaskResult<T>;
    });
  }

  /**
   * Gives threads and their memory back, unless there is work: what follows a long task needs the memory more. Waiting
   * until they have ended would take 0.2 s after a cold save of a large tree.
   */
  release(): void {
    if (this.batches === 0) this.endThreads();
  }

  /** Ends the threads; what they were doing is rejected as cancelled. */
  async dispose(): Promise<void> {
    this.endThreads();
    await Promise.all(this.ending);
  }

  private endThreads(): void {
    clearTimeout(this.idle);
    for (const { reject } of this.pending.values()) reject(cancelled());
    this.pending.clear();
    for (const worker of this.workers.splice(0)) {
      const ended = worker.terminate().finally(() => this.ending.delete(ended));
      this.ending.add(ended);
    }
  }

  private start(): Worker {
    const worker = new Worker(this.script, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
    worker.on("message", (message: FromLane) => {
      const pending = this.pending.get(message.id);
      this.pending.delete(message.id);
      if ("error" in message) pending?.reject(CheckpointError.deserialize(message.error));
      else pending?.resolve(withBuffers(message.result));
    });
    worker.on("error", (error) => this.lost(worker, error));
    worker.on("exit", () => this.lost(worker, new Error("a lane thread ended")));
    worker.unref();
    return worker;
  }

  /** A lane died, and its tasks with it. A temp pack it leaves is swept under the next lock. */
  private lost(worker: Worker, cause: Error): void {
    if (!this.workers.includes(worker)) return;
    this.workers = this.workers.filter((each) => each !== worker);
    const error = new CheckpointError(
      "worker-gone",
      "A worker thread ended unexpectedly (out of memory?). Try again; what was saved before is whole.",
      { cause },
    );
    for (const [id, pending] of this.pending) {
      if (pending.worker !== worker) continue;
      this.pending.delete(id);
      pending.reject(error);
    }
  }

  private restartIdleTimer(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.dispose(), IDLE_MS);
    this.idle.unref();
  }
}

/** A Buffer arrives from another thread as a plain Uint8Array. */
function withBuffers<T extends AnyResult>(result: T): T {
  if (result === undefined || !("pack" in result) || result.pack === undefined) return result;
  const { buffer, byteOffset, byteLength } = result.pack.index;
  return { ...result, pack: { ...result.pack, index: Buffer.from(buffer, byteOffset, byteLength) } };
}
