/**
 * What the engine offers: the contract between the core and everybody who uses it (extension host through the worker,
 * command line, tests). What goes in and comes out is plain data, by topic in the files beside this one: checkpoints,
 * saves, changes, restores, searches, upkeep. No vscode, no node.
 *
 * Paths are relative to the workspace folder, with "/" and no leading "/", as text. Names whose bytes are no valid
 * UTF-8 are written with \xHH escapes (see `shared/pathText.ts`); an empty folder ends with "/".
 */
import type { CheckpointDetail, DiffResult, EntryState, FileVersion, Side, TreeEntry } from "./changes";
import type { Checkpoint, Ref } from "./checkpoints";
import type { Coverage } from "./coverage";
import type { PurgePlan, PurgeResult } from "./purge";
import type {
  InterruptedRestore,
  RecoveryKind,
  RestoreRequest,
  RestoreResult,
  ReversalOptions,
  UndoState,
} from "./restores";
import type { PrunePlan, PruneRequest, PruneResult, StoreSummary, StoreUsage } from "./retention";
import type { Measure, SaveRequest, SaveResult, ScanOptions } from "./saves";
import type { SearchRequest, SearchResult } from "./searches";
import type { DeletePlan, GcResult, StoreStats, VerifyResult } from "./upkeep";

export interface Progress {
  readonly phase: "lock" | "scan" | "store" | "commit" | "plan" | "restore" | "verify" | "gc" | "search";
  readonly done: number;
  /** 0 = unknown. */
  readonly total: number;
  /** For "lock": who holds it, to be put into a sentence ("process 12 on host"). */
  readonly message?: string;
}

/** Which store an operation is about. The engine for it is opened on first use. */
export interface StoreAddress {
  /** Absolute path of the workspace folder. */
  readonly folder: string;
  /** The folder that holds `stores/`. */
  readonly storeRoot: string;
}

/** Every operation of the engine. All reject with a CheckpointError. */
export interface EngineApi {
  save(request: SaveRequest): Promise<SaveResult>;
  /** Counts what a first save would take in, for at most that long. */
  measure(scan: ScanOptions, options: { withinMs: number }): Promise<Measure>;
  /** Newest first. */
  list(options?: { limit?: number }): Promise<readonly Checkpoint[]>;
  /** What the newest checkpoint was scanned with; null when none says. */
  scanOptions(): Promise<ScanOptions | null>;
  resolve(ref: Ref): Promise<Checkpoint>;
  show(ref: Ref, options?: { limit?: number }): Promise<CheckpointDetail>;
  diff(from: Side, to: Side, options?: { paths?: readonly string[] }): Promise<DiffResult>;
  /** State of one path in a checkpoint; rejects with `not-found`. The root is "". */
  stat(ref: Ref, path: string): Promise<EntryState>;
  readDirectory(ref: Ref, path: string): Promise<readonly TreeEntry[]>;
  /** Verified content; a symlink's is its target. */
  readFile(ref: Ref, path: string): Promise<Uint8Array>;
  restore(request: RestoreRequest): Promise<RestoreResult>;
  undo(scan: ScanOptions, options?: ReversalOptions): Promise<RestoreResult>;
  redo(scan: ScanOptions, options?: ReversalOptions): Promise<RestoreResult>;
  undoState(): Promise<UndoState>;
  /** Null, too, while a restore is running. */
  interrupted(): Promise<InterruptedRestore | null>;
  /** Rejects with `nothing-to-recover` when no restore was interrupted. */
  recover(how: RecoveryKind, scan: ScanOptions, options?: ReversalOptions): Promise<RestoreResult>;
  rename(ref: Ref, name: string | null): Promise<Checkpoint>;
  setNote(ref: Ref, note: string | null): Promise<Checkpoint>;
  pin(ref: Ref, pinned: boolean): Promise<Checkpoint>;
  planDelete(refs: readonly Ref[]): Promise<DeletePlan>;
  /** Removes checkpoints, then frees what only they used. */
  delete(refs: readonly Ref[]): Promise<GcResult>;
  gc(): Promise<GcResult>;
  planPrune(request: PruneRequest): Promise<PrunePlan>;
  /** Deletes what the policy no longer keeps, as planned anew in that moment. */
  prune(request: PruneRequest): Promise<PruneResult>;
  /** Which paths take most of the store. Reads all trees, so it may take seconds. */
  usage(options: { limit: number }): Promise<StoreUsage>;
  /** All stores below the storage root, largest first. */
  stores(): Promise<readonly StoreSummary[]>;
  /** Removes a store whose workspace is gone, and answers how many bytes it took. */
  deleteStore(id: string): Promise<number>;
  /** Takes files, or folders with all that is in them, out of all checkpoints, pinned ones included. */
  purge(paths: readonly string[]): Promise<PurgeResult>;
  planPurge(paths: readonly string[]): Promise<PurgePlan>;
  /** What a save takes in and leaves out, and why; of each group the first `limit` (100) by name. */
  coverage(scan: ScanOptions, options?: { limit?: number }): Promise<Coverage>;
  verify(options: { full: boolean }): Promise<VerifyResult>;
  /** Checks every byte and makes whole what can be made whole; answers what is still damaged then. */
  repair(): Promise<VerifyResult>;
  stats(): Promise<StoreStats>;
  /** Versions of a file or folder that differ from the one before, newest first. */
  history(path: string, options?: { limit?: number; before?: number }): Promise<readonly FileVersion[]>;
  /** Searches the files of all checkpoints. */
  search(request: SearchRequest): Promise<SearchResult>;
}

export type EngineMethod = keyof EngineApi;

/** Observes and stops one operation. */
export interface OperationControl {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Polled; may be backed by shared memory so that synchronous work notices it. */
  readonly isCancelled?: (() => boolean) | undefined;
}
