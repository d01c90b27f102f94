/**
 * What an engine does for its store without being asked: merging small packs. While nobody waits for anything; or, for
 * somebody who leaves no quiet, a little of it after a change, which the next operation may have to wait for.
 */

import { CheckpointError, ignoreFailure } from "../../shared/errors";
import type { PackId } from "../store/packFiles";
import { type Consolidation, consolidateInBackground, planConsolidation, WHEN_IDLE, WHEN_OVERDUE } from "./consolidate";
import { Operation, type Store } from "./context";
import { IdleWork } from "./idleWork";

export interface HousekeepingOptions {
  /** How long nothing was asked of the engine before it begins, in milliseconds; 0 = it never does. */
  readonly idleMs?: number;
  /** Also when the engine is closed after it changed something: for programs that do not live long. */
  readonly onClose?: boolean;
  /** Hears what was done, and which packs turned out to be damaged. What it throws is ignored. */
  readonly onDone?: (result: Consolidation) => void;
  /** Hears why it could not be done; the store is as good as before. What it throws is ignored. */
  readonly onFailure?: (error: CheckpointError) => void;
}

/** A user who saves, looks, and saves again should never meet it; a window left alone is done before it is closed. */
const IDLE_MS = 20_000;
/** One of blob packs and one of tree packs. What is still due then is done after the next quiet time. */
const IDLE_MERGES = 2;

export class Housekeeping {
  private readonly idle: IdleWork;
  private readonly leftAlone = new Set<PackId>();
  private hasChanged = false;
  private chunkBytes: number | undefined;

  /** `inTurn` runs something as one of the engine's changing operations, which come one after another. */
  constructor(
    private readonly store: Store,
    private readonly options: HousekeepingOptions,
    inTurn: (body: () => Promise<void>) => Promise<void>,
  ) {
    this.idle = new IdleWork(options.idleMs ?? IDLE_MS, async (isCancelled, isUrgent) => {
      await inTurn(() => this.tidy(isCancelled, isUrgent));
      return this.isDue(WHEN_IDLE);
    });
  }

  /** Somebody waits for `answer`: nothing is begun, and what was begun without need stops at its next step. */
  during<T>(answer: () => Promise<T>): Promise<T> {
    return this.idle.during(answer);
  }

  /** The store was changed. `chunkBytes`: packs were to be cut to this size. */
  noteChange(chunkBytes?: number): void {
    this.hasChanged = true;
    this.chunkBytes = chunkBytes ?? this.chunkBytes;
    if (this.isDue(WHEN_IDLE)) this.idle.want();
    if (this.isDue(WHEN_OVERDUE)) this.idle.hurry();
  }

  /** From now on nothing is begun; resolves when what runs has stopped. */
  pause(): Promise<void> {
    return this.idle.close();
  }

  /** What there is to do before the store is closed. Nothing else may be under way. */
  async close(): Promise<void> {
    await this.pause();
    if (this.options.onClose === true && this.hasChanged) await this.tidy(() => false, false);
  }

  private isDue(limits: typeof WHEN_IDLE): boolean {
    try {
      return planConsolidation(this.store, this.leftAlone, limits).length > 0;
    } catch {
      return false; // a folder that cannot be looked at is named by whoever needs it
    }
  }

  private async tidy(isCancelled: () => boolean, isUrgent: boolean): Promise<void> {
    const { leftAlone, chunkBytes } = this;
    const amount = isUrgent ? { limits: WHEN_OVERDUE, maxMerges: 1 } : { limits: WHEN_IDLE, maxMerges: IDLE_MERGES };
    let tell: () => void;
    try {
      const operation = new Operation(() => {}, isCancelled);
      const result = await consolidateInBackground(this.store, { leftAlone, chunkBytes, ...amount }, operation);
      tell = () => this.options.onDone?.(result);
    } catch (error) {
      // Tried again after the next change.
      tell = () => this.options.onFailure?.(CheckpointError.from(error));
    }
    ignoreFailure(tell, "what was merged stays merged, whether or not it can be told");
  }
}
