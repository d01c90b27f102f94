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
  /** The same on this thread; `tick` is to be called now and then, it reports progress and notices cancellation. */
  readonly here: (tick: () => void) => LaneTaskResult<T>;
}

const PROGRESS_MS = 100;
/** Items between two looks at the cancel flag, on this thread. */
const TICKS = 64;

/** Resolves when the list is empty or cancelled; rejects with the first error once every lane has come to rest. */
export async function runLaneWork<T extends LaneTask["task"]>(
  store: Store,
  work: LaneWork<T>,
  operation: Operation,
): Promise<LaneTaskResult<T>[]> {
  const report = (): void => {
    operation.report({ phase: work.phase, done: work.view.done, total: work.view.count });
    if (operation.isCancelled()) work.view.cancel();
  };
  const { lanes } = store;
  if (lanes === undefined || !work.isBig) {
    let ticks = 0;
    const tick = (): void => {
      if (ticks++ % TICKS === 0) report();
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
