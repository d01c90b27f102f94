/** What an engine does for its store without being asked: merging small packs, while nobody waits for anything. */

import { ignoreFailure } from "../../shared/errors";
import type { PackId } from "../store/packFiles";
import {
  BACKGROUND_BYTES,
  type Consolidation,
  consolidateInBackground,
  OVERDUE_PACKS,
  planConsolidation,
} from "./consolidate";
import { Operation, type Store } from "./context";
import { IdleWork } from "./idleWork";

export interface HousekeepingOptions {
  /** How long nothing was asked of the engine before it begins, in milliseconds; 0 = it never does. */
  readonly idleMs?: number;
  /** Also when the engine is closed after it changed something: for programs that do not live long. */
  readonly onClose?: boolean;
  /** Hears what was done, and which packs turned out to be damaged. What it throws is ignored. */
  readonly onDone?: (result: Consolidation) => void;
}

/** A user who saves, looks, and saves again should never meet it; a window left alone is done before it is closed. */
const IDLE_MS = 20_000;

export class Housekeeping {
  private readonly idle: IdleWork;
  private readonly leftAlone = new Set<PackId>();
  private hasChanged = false;
  private chunkBytes: number | undefined;

  /** `inTurn` runs something as one of the engine's changing operations, which come one after another. */
  constructor(
    private readonly store: Store,
    private readonly options: HousekeepingOptions,
    private readonly inTurn: (body: () => Promise<void>) => Promise<void>,
  ) {
    this.idle = new IdleWork(options.idleMs ?? IDLE_MS, async (isCancelled) => {
      await inTurn(() => this.tidy(isCancelled));
      return this.isDue();
    });
  }

  /** Somebody waits for `answer`: nothing is begun, and what was begun stops at its next step. */
  during<T>(answer: () => Promise<T>): Promise<T> {
    return this.idle.during(answer);
  }

  /** The store was changed. `chunkBytes`: packs were to be cut to this size. */
  noteChange(chunkBytes?: number): void {
    this.hasChanged = true;
    this.chunkBytes = chunkBytes ?? this.chunkBytes;
    if (!this.isDue()) return;
    this.idle.want();
    // Somebody who saves all the time leaves no quiet; the next change comes after it.
    if (this.idle.isOn && this.isDue(OVERDUE_PACKS)) void this.inTurn(() => this.tidy(() => false));
  }

  /** From now on nothing is begun; resolves when what runs has stopped. */
  pause(): Promise<void> {
    return this.idle.close();
  }

  /** What there is to do before the store is closed. Nothing else may be under way. */
  async close(): Promise<void> {
    await this.pause();
    if (this.options.onClose === true && this.hasChanged) await this.tidy(() => false);
  }

  private isDue(tierPacks?: number): boolean {
    try {
      return planConsolidation(this.store, this.leftAlone, tierPacks).length > 0;
    } catch {
      return false; // a folder that cannot be looked at is named by whoever needs it
    }
  }

  private async tidy(isCancelled: () => boolean): Promise<void> {
    const { leftAlone, chunkBytes } = this;
    const operation = new Operation(() => {}, isCancelled);
    let result: Consolidation;
    try {
      result = await consolidateInBackground(
        this.store,
        { leftAlone, chunkBytes, maxBytes: BACKGROUND_BYTES },
        operation,
      );
    } catch {
      return; // nobody asked for it, and the store is as good as before: it is tried again after the next change
    }
    ignoreFailure(() => this.options.onDone?.(result), "what was merged stays merged, whether or not it can be told");
  }
}
