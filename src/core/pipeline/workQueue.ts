/**
 * Hands out the items 0 … count-1 of some work to several threads, one at a time, by an atomic counter in shared
 * memory: no messages, and threads balance themselves.
 */
export interface QueuedWork {
  readonly count: number;
  /** CONTROL_BYTES, zero at first. */
  readonly control: SharedArrayBuffer;
}

export const CONTROL_BYTES = 12;
const NEXT = 0;
const CANCELLED = 1;
const DONE = 2;

/** A thread's view of the queue. */
export class WorkQueue {
  readonly count: number;
  private readonly control: Int32Array;

  constructor(work: QueuedWork) {
    this.count = work.count;
    this.control = new Int32Array(work.control);
  }

  /** The next item nobody has taken; undefined when there is none, or when the work was cancelled. */
  take(): number | undefined {
    if (Atomics.load(this.control, CANCELLED) !== 0) return undefined;
    const i = Atomics.add(this.control, NEXT, 1);
    return i < this.count ? i : undefined;
  }

  /** To be called once for every item taken, when its results are written. */
  finished(): void {
    Atomics.add(this.control, DONE, 1);
  }

  get done(): number {
    return Atomics.load(this.control, DONE);
  }

  cancel(): void {
    Atomics.store(this.control, CANCELLED, 1);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.control, CANCELLED) !== 0;
  }
}
