/** One list of files that lanes, or this thread, read: what is under way, and where each file's results are. */
import { CheckpointError } from "../../shared/errors";
import { pathToText } from "../../shared/pathText";
import { type SharedWork, WorkView } from "../pipeline/sharedWork";
import { runStoreTask, STORED, type StoreTask, type StoreTaskResult } from "../pipeline/storeTask";
import type { ScannedFile } from "../scan/scannedFolder";
import type { Operation, Store } from "./context";
import { FileNumbers } from "./fileNumbers";
import { runLaneWork } from "./laneWork";

export interface ReadOptions {
  /** Write new content into packs. */
  readonly store: boolean;
  readonly chunkBytes: number;
}

export class ReadingRound {
  readonly view: WorkView;
  private readonly numbers = new FileNumbers();
  private running: Promise<StoreTaskResult[]> | undefined;
  private isOver = false;

  constructor(
    private readonly store: Store,
    private readonly work: SharedWork,
    private readonly options: ReadOptions,
  ) {
    this.view = new WorkView(work);
  }

  /** Notes the file that was appended to the list. */
  take(file: ScannedFile): void {
    this.numbers.add(file);
  }

  /** In the order of the list. */
  get files(): readonly ScannedFile[] {
    return this.numbers.files;
  }

  /** The item of a file in the list, if it was read. */
  stored(file: ScannedFile): number | undefined {
    const item = this.numbers.numberOf(file);
    return item !== undefined && this.view.states[item] === STORED ? item : undefined;
  }

  /** Starts reading; on this thread, unless it `isBig` and there are lanes, all is done when this returns. */
  start(isBig: boolean, operation: Operation): void {
    const { store, view } = this;
    const { fs, codecs, blobs } = store;
    const here = (tick: (cost?: number) => void): StoreTaskResult =>
      runStoreTask({ fs, codecs, isKnown: (hash) => blobs.has(hash), tick }, this.task());
    const work = { view, phase: "store", isBig, task: () => this.task(), here } as const;
    this.running = runLaneWork(store, work, operation);
    const end = (): void => {
      this.isOver = true;
    };
    this.running.then(end, end);
  }

  /** What every lane did, once all have come to rest. */
  get results(): Promise<readonly StoreTaskResult[]> {
    return this.running ?? Promise.resolve([]);
  }

  /** Resolves when every file of the list, which has ended, is read, or the work is over for another reason. */
  async whenRead(pollMs: number): Promise<void> {
    while (!this.isOver && this.view.done < this.view.total) await this.store.sleep(pollMs);
    if (this.isOver) await this.results;
  }

  /** Every hash a tree will name must be somewhere; checked before a commit relies on it. */
  expectStored(): void {
    const { view, store } = this;
    const count = this.files.length;
    for (let item = 0; item < count; item++) {
      if (view.states[item] !== STORED || store.blobs.has(view.hash(item))) continue;
      // A lane may have known it from a pack that somebody published after this set was opened.
      store.blobs.refresh();
      if (!store.blobs.has(view.hash(item)))
        throw new CheckpointError(
          "internal",
          `${pathToText(view.path(item))} was read but not stored. Nothing was saved; please report it.`,
        );
    }
  }

  private task(): StoreTask {
    const { store, options, work } = this;
    const target = { folder: store.layout.packs, nonce: store.nonce(), chunkBytes: options.chunkBytes };
    return { kind: "store", root: store.layout.workspace, work, ...(options.store ? { target } : {}) };
  }
}
