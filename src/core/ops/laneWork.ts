/** A shared list of work, done on lane threads when it is big and on this thread when it is not. */
import type { Progress } from "../../shared/api";
import type { LaneTask, LaneTaskResult } from "../pipeline/lanes";
import type { WorkView } from "../pipeline/sharedWork";
import type { Operation, Store } from "./context";

export interface LaneWork<T extends LaneTask["task"]> {
  readonly view: WorkView;
  readonly phase: Progress["phase"];
  readonly isBig: boolean;
  /** One lane's share; all lanes take from the same list. */
  readonly task: () => T;
  /**
   * The same on this thread; `tick` is to be called for each item and for each piece of a large one, it reports
   * progress and notices cancellation. A cost of 1 is that of a small item.
   */
  readonly here: (tick: (cost?: number) => void) => LaneTaskResult<T>;
}

/** Starting two threads takes 80 ms; in that time one core reads about as many small files, or compresses so much. */
const LANE_MIN_ITEMS = 1_500;
const LANE_MIN_BYTES = 24 * 1024 * 1024;
const PROGRESS_MS = 100;
/** Cost of what is done between two looks at the cancel flag, on this thread. */
const TICKS = 64;

/** Whether threads save more than starting them costs, for work as long as reading so many files and bytes takes. */
export function isWorthLanes(items: number, bytes: number): boolean {
  return items >= LANE_MIN_ITEMS || bytes >= LANE_MIN_BYTES;
}

/** Resolves when the list is empty or cancelled; rejects with the first error once every lane has come to rest. */
export async function runLaneWork<T extends LaneTask["task"]>(
  store: Store,
  work: LaneWork<T>,
  operation: Operation,
): Promise<LaneTaskResult<T>[]> {
  const report = (): void => {
    operation.report({ phase: work.phase, done: work.view.done, total: work.view.total });
    if (operation.isCancelled()) work.view.cancel();
  };
  const { lanes } = store;
  if (lanes === undefined || !work.isBig) {
    let ticks = TICKS;
    const tick = (cost = 1): void => {
      ticks += cost;
      if (ticks < TICKS) return;
      ticks = 0;
      report();
    };
    return [work.here(tick)];
  }
  const timer = setInterval(report, PROGRESS_MS);
  try {
    return await lanes.run(store.layout.packs, Array.from({ length: lanes.size }, work.task));
  } finally {
    clearInterval(timer);
  }
}
