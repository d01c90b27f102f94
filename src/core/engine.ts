/** The façade of the core: one open store, all operations on it. Runs in the worker, in the command line and in tests. */
import type { EngineApi, OperationControl, StoreAddress } from "../shared/api";
import type { CheckpointDetail, DiffResult, EntryState, FileVersion, Side, TreeEntry } from "../shared/changes";
import type { Checkpoint, Ref } from "../shared/checkpoints";
import type { Coverage } from "../shared/coverage";
import { CheckpointError } from "../shared/errors";
import type { PurgePlan, PurgeResult } from "../shared/purge";
import type {
  InterruptedRestore,
  RecoveryKind,
  RestoreRequest,
  RestoreResult,
  ReversalOptions,
  UndoState,
} from "../shared/restores";
import type { PrunePlan, PruneRequest, PruneResult, StoreSummary, StoreUsage } from "../shared/retention";
import type { Measure, SaveRequest, SaveResult, ScanOptions } from "../shared/saves";
import type { SearchRequest, SearchResult } from "../shared/searches";
import type { DeletePlan, GcResult, StoreStats, VerifyResult } from "../shared/upkeep";
import { openStore, type StoreOptions } from "./openStore";
import { Operation, type Store } from "./ops/context";
import { coverage } from "./ops/coverage";
import { savedWithRoom } from "./ops/freeDisk";
import * as collecting from "./ops/gc";
import { Housekeeping, type HousekeepingOptions } from "./ops/housekeeping";
import { measure } from "./ops/measure";
import { planPrune, prune } from "./ops/prune";
import * as purging from "./ops/purge";
import * as queries from "./ops/queries";
import { resolveRef } from "./ops/refs";
import { repair } from "./ops/repair";
import * as restoring from "./ops/restore";
import { interruptedRestore, recoverRestore } from "./ops/restoreRecovery";
import { undoState } from "./ops/restoreStack";
import { save } from "./ops/save";
import { search } from "./ops/search";
import { deleteStore, listStores } from "./ops/storeFolders";
import { measureUsage } from "./ops/usage";
import { verify } from "./ops/verify";
import { takeInChanges, withLock, writeDownDamageIfFree } from "./ops/withLock";

export interface EngineOptions extends StoreOptions {
  readonly housekeeping?: HousekeepingOptions;
}

const SHOWN_CHANGES = 1_000;
const SHOWN_VERSIONS = 200;
const SHOWN_LEFT_OUT = 100;

/**
 * Opens the store of a workspace folder. Creates nothing: a store comes into being with the first save; that of a
 * folder that was renamed is given its new name. Rejects with a CheckpointError: `workspace-missing`, `newer-format`,
 * `damaged`, `locked`, or what the file system said.
 */
export async function openEngine(address: StoreAddress, options: EngineOptions): Promise<Engine> {
  const store = await openStore(address, options).catch((error: unknown) => {
    throw CheckpointError.from(error);
  });
  const turn = { last: Promise.resolve(), questions: new Set<Promise<unknown>>() };
  const housekeeping = new Housekeeping(store, options.housekeeping ?? {}, (body) => takeTurn(turn, body));
  return new Engine(store, turn, housekeeping);
}

/** What is under way in one engine. */
interface Turn {
  /** The last of the operations that change something. */
  last: Promise<unknown>;
  readonly questions: Set<Promise<unknown>>;
}

/** Operations of one process on one store come one after another; the project lock only keeps processes apart. */
function takeTurn<T>(turn: Turn, body: () => Promise<T> | T): Promise<T> {
  const mine = turn.last
    .catch(() => {}) // its own caller hears of it
    .then(body);
  turn.last = mine;
  return mine;
}

export class Engine implements EngineApi {
  private readonly operation: Operation;

  constructor(
    private readonly store: Store,
    private readonly turn: Turn,
    private readonly housekeeping: Housekeeping,
    control: OperationControl = {},
  ) {
    this.operation = new Operation(control.onProgress ?? (() => {}), control.isCancelled ?? (() => false));
  }

  /** The same engine, with the operations called on the answer observed and stopped by `control`. */
  observed(control: OperationControl): Engine {
    return new Engine(this.store, this.turn, this.housekeeping, control);
  }

  save(request: SaveRequest): Promise<SaveResult> {
    return this.run(() => savedWithRoom(this.store, request, () => save(this.store, request, this.operation)), {
      changes: ({ noChange }) => !noChange,
      chunkBytes: request.packChunkBytes,
    });
  }

  measure(scan: ScanOptions, { withinMs }: { withinMs: number }): Promise<Measure> {
    return this.read(() => measure(this.store, scan, withinMs, this.operation));
  }

  list(options: { limit?: number } = {}): Promise<readonly Checkpoint[]> {
    return this.read(() => this.store.catalog.checkpoints.slice(0, options.limit));
  }

  scanOptions(): Promise<ScanOptions | null> {
    return this.read(() => queries.newestScanOptions(this.store));
  }

  resolve(ref: Ref): Promise<Checkpoint> {
    return this.read(() => resolveRef(this.store.catalog.checkpoints, ref));
  }

  show(ref: Ref, options: { limit?: number } = {}): Promise<CheckpointDetail> {
    return this.read(() => queries.show(this.store, ref, options.limit ?? SHOWN_CHANGES));
  }

  diff(from: Side, to: Side, options: { paths?: readonly string[] } = {}): Promise<DiffResult> {
    return this.read(() => queries.diff(this.store, from, to, options.paths, this.operation));
  }

  stat(ref: Ref, path: string): Promise<EntryState> {
    return this.read(() => queries.stat(this.store, ref, path));
  }

  readDirectory(ref: Ref, path: string): Promise<readonly TreeEntry[]> {
    return this.read(() => queries.readDirectory(this.store, ref, path));
  }

  readFile(ref: Ref, path: string): Promise<Uint8Array> {
    return this.read(() => queries.readFile(this.store, ref, path));
  }

  restore(request: RestoreRequest): Promise<RestoreResult> {
    return request.dryRun === true
      ? this.read(() => restoring.previewRestore(this.store, request, this.operation))
      : this.run(() => restoring.restore(this.store, request, this.operation));
  }

  undo(scan: ScanOptions, { dryRun = false, unsaved = [] }: ReversalOptions = {}): Promise<RestoreResult> {
    return dryRun
      ? this.read(() => restoring.previewReversal(this.store, "undo", scan, this.operation))
      : this.run(() => restoring.undo(this.store, scan, unsaved, this.operation));
  }

  redo(scan: ScanOptions, { dryRun = false, unsaved = [] }: ReversalOptions = {}): Promise<RestoreResult> {
    return dryRun
      ? this.read(() => restoring.previewReversal(this.store, "redo", scan, this.operation))
      : this.run(() => restoring.redo(this.store, scan, unsaved, this.operation));
  }

  undoState(): Promise<UndoState> {
    return this.read(() => undoState(this.store));
  }

  interrupted(): Promise<InterruptedRestore | null> {
    return this.read(() => interruptedRestore(this.store, this.operation));
  }

  recover(
    how: RecoveryKind,
    scan: ScanOptions,
    { dryRun = false, unsaved = [] }: ReversalOptions = {},
  ): Promise<RestoreResult> {
    return dryRun
      ? this.read(() => restoring.previewRecovery(this.store, how, scan, this.operation))
      : this.run(() => recoverRestore(this.store, how, scan, unsaved, this.operation));
  }

  rename(ref: Ref, name: string | null): Promise<Checkpoint> {
    return this.update(ref, { name });
  }

  setNote(ref: Ref, note: string | null): Promise<Checkpoint> {
    return this.update(ref, { note });
  }

  pin(ref: Ref, pinned: boolean): Promise<Checkpoint> {
    return this.update(ref, { pinned });
  }

  planDelete(refs: readonly Ref[]): Promise<DeletePlan> {
    return this.read(() => collecting.planDelete(this.store, refs, this.operation));
  }

  delete(refs: readonly Ref[]): Promise<GcResult> {
    return this.run(() => collecting.deleteCheckpoints(this.store, refs, this.operation));
  }

  gc(): Promise<GcResult> {
    return this.run(() => collecting.gc(this.store, this.operation));
  }

  planPrune(request: PruneRequest): Promise<PrunePlan> {
    return this.read(() => planPrune(this.store, request, this.operation));
  }

  prune(request: PruneRequest): Promise<PruneResult> {
    return this.run(() => prune(this.store, request, this.operation), { changes: ({ gone }) => gone.length > 0 });
  }

  usage(options: { limit: number }): Promise<StoreUsage> {
    return this.read(() => measureUsage(this.store, options.limit, this.operation));
  }

  stores(): Promise<readonly StoreSummary[]> {
    return this.read(() => listStores(this.store, this.operation));
  }

  deleteStore(id: string): Promise<number> {
    return this.run(() => deleteStore(this.store, id, this.operation), { changes: () => false });
  }

  purge(paths: readonly string[]): Promise<PurgeResult> {
    return this.run(() => purging.purge(this.store, paths, this.operation));
  }

  planPurge(paths: readonly string[]): Promise<PurgePlan> {
    return this.read(() => purging.previewPurge(this.store, paths, this.operation));
  }

  coverage(scan: ScanOptions, options: { limit?: number } = {}): Promise<Coverage> {
    return this.read(() => coverage(this.store, scan, options.limit ?? SHOWN_LEFT_OUT, this.operation));
  }

  verify(options: { full: boolean }): Promise<VerifyResult> {
    return this.question(async () => {
      const found = verify(this.store, options.full, this.operation);
      await writeDownDamageIfFree(this.store);
      return found;
    });
  }

  repair(): Promise<VerifyResult> {
    return this.run(() => repair(this.store, this.operation));
  }

  stats(): Promise<StoreStats> {
    return this.read(() => queries.stats(this.store));
  }

  history(path: string, options: { limit?: number; before?: number } = {}): Promise<readonly FileVersion[]> {
    return this.read(() => queries.history(this.store, path, options.limit ?? SHOWN_VERSIONS, options.before));
  }

  search(request: SearchRequest): Promise<SearchResult> {
    return this.read(() => search(this.store, request, this.operation));
  }

  /**
   * Gives threads and files back once what runs has ended, also when it rejects: with what went wrong on the way there.
   * The engine is not usable afterwards.
   */
  async close(): Promise<void> {
    try {
      await this.housekeeping.pause();
      // Their own callers hear how they end.
      await Promise.allSettled([this.turn.last, ...this.turn.questions]);
      await this.housekeeping.close();
    } finally {
      await this.giveBack();
    }
  }

  private async giveBack(): Promise<void> {
    try {
      await this.store.lanes?.dispose();
      await writeDownDamageIfFree(this.store);
    } finally {
      this.store.blobs.close();
      this.store.treePacks.close();
      this.store.catalog.close();
    }
  }

  private update(
    ref: Ref,
    fields: { name?: string | null; note?: string | null; pinned?: boolean },
  ): Promise<Checkpoint> {
    return this.run(() =>
      withLock(this.store, this.operation, () => {
        const { id } = resolveRef(this.store.catalog.checkpoints, ref);
        this.store.catalog.update(id, fields);
        this.store.catalog.commit();
        return resolveRef(this.store.catalog.checkpoints, id);
      }),
    );
  }

  /** Takes its turn among the changing operations of this process, and turns every failure into one of ours. */
  private run<T>(
    body: () => Promise<T> | T,
    { changes = () => true, chunkBytes }: { changes?: (answer: T) => boolean; chunkBytes?: number | undefined } = {},
  ): Promise<T> {
    return this.housekeeping.during(async () => {
      try {
        const answer = await takeTurn(this.turn, body);
        if (changes(answer)) this.housekeeping.noteChange(chunkBytes);
        return answer;
      } catch (error) {
        throw CheckpointError.from(error);
      }
    });
  }

  /**
   * A question: sees what others committed, and waits for nobody. It may run while a save waits for its lanes: catalog
   * and packs change only in steps that do not yield, so between any two of them they are whole.
   */
  private read<T>(body: () => Promise<T> | T): Promise<T> {
    return this.question(() => {
      takeInChanges(this.store);
      return body();
    });
  }

  /** As `read`, without a look at the catalog: it may be what is damaged. */
  private question<T>(body: () => Promise<T> | T): Promise<T> {
    const answer = async (): Promise<T> => {
      try {
        return await body();
      } catch (error) {
        throw CheckpointError.from(error);
      }
    };
    const question = this.housekeeping.during(answer);
    this.turn.questions.add(question);
    const settle = (): boolean => this.turn.questions.delete(question);
    question.then(settle, settle);
    return question;
  }
}
