/**
 * A shared list that lanes work on while it is still being written: the scan finds files, lanes read them already.
 *
 * Its room is set aside at the start (pages that are never written cost no memory), so that no view of it ever changes.
 * Items become visible in batches, by one word: twice their number, plus one when there will be no more. A lane that is
 * ahead of the list waits for that word to change, so whoever makes a list ends it, whatever happens.
 */
import type { ByteString } from "../../shared/pathText";
import { allocateWork, type SharedWork, type WorkFacts, WorkView } from "./sharedWork";

export interface WorkRoom {
  readonly items: number;
  readonly pathBytes: number;
}

export class GrowingWork {
  readonly work: SharedWork;
  readonly view: WorkView;
  private readonly arrivals: Int32Array;
  private count = 0;
  private pathBytes = 0;

  constructor(private readonly room: WorkRoom) {
    const arrivals = new SharedArrayBuffer(4);
    this.arrivals = new Int32Array(arrivals);
    this.work = { ...allocateWork(room.items, room.pathBytes), arrivals };
    this.view = new WorkView(this.work);
  }

  /** Appends an item, which nobody sees before `publish`. False: there is no room for it. */
  add(path: ByteString, facts: WorkFacts, state: number): boolean {
    if (this.count === this.room.items || this.pathBytes + path.length > this.room.pathBytes) return false;
    this.view.setPath(this.count, path);
    this.view.setFacts(this.count, facts);
    this.view.states[this.count] = state;
    this.count++;
    this.pathBytes += path.length;
    return true;
  }

  publish(): void {
    this.tell(2 * this.count);
  }

  /** No more items will come. */
  end(): void {
    this.tell(2 * this.count + 1);
  }

  private tell(word: number): void {
    Atomics.store(this.arrivals, 0, word);
    Atomics.notify(this.arrivals, 0);
  }
}
