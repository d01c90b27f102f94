/**
 * What the engine offers, as plain data: the contract between the core and everybody who uses it (extension host
 * through the worker, command line, tests). No vscode, no node.
 *
 * Paths are relative to the workspace folder, with "/" and no leading "/", as text. Names whose bytes are no valid
 * UTF-8 are written with \xHH escapes (see `shared/pathText.ts`); an empty folder ends with "/".
 */

export type CheckpointKind = "manual" | "auto" | "safety" | "import";

/** Why a checkpoint was made. The user interface turns it into words. */
export type Trigger = "manual" | "interval" | "restore" | "undo" | "redo" | "cli" | "import";

export interface Checkpoint {
  /** UUIDv7. */
  readonly id: string;
  /** Running number within the store, never used twice; shown as #N. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly kind: CheckpointKind;
  readonly trigger: string;
  readonly name: string | null;
  readonly note: string | null;
  readonly pinned: boolean;
  readonly parentId: string | null;
  /** Hash of the root tree object. Two checkpoints with equal roots hold the same state. */
  readonly rootTree: string;
  readonly files: number;
  readonly bytes: number;
  readonly newObjects: number;
  readonly newBytes: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly skipped: number;
  readonly branch: string | null;
  readonly head: string | null;
  readonly groupId: string | null;
}

/** A full id, a unique prefix of one (4 characters or more), `latest`, `latest~N`, a number, or a unique name. */
export type Ref = string;

export type SkipReason = "unreadable" | "changed-while-read" | "too-large" | "special-file" | "vanished";

export interface Skipped {
  readonly path: string;
  readonly reason: SkipReason;
  /** One sentence for people, e.g. "permission denied". */
  readonly message: string;
}

/** What a scan takes in. Rules of `.gitignore` and `.checkpointignore` come on top. */
export interface ScanOptions {
  readonly useGitignore: boolean;
  /** Also save node_modules, virtual environments and other downloaded dependencies. */
  readonly includeDependencies: boolean;
  /** More patterns in gitignore syntax, from settings. */
  readonly exclude: readonly string[];
  readonly maxFileBytes: number;
}

export const DEFAULT_SCAN_OPTIONS: ScanOptions = {
  useGitignore: true,
  includeDependencies: false,
  exclude: [],
  maxFileBytes: 4 * 1024 ** 3,
};

export interface SaveRequest {
  readonly kind: CheckpointKind;
  readonly trigger: Trigger;
  readonly name?: string;
  readonly note?: string;
  readonly scan: ScanOptions;
  /** > 0 cuts packs larger than this into parts. */
  readonly packChunkBytes?: number;
  readonly branch?: string;
  readonly head?: string;
  readonly groupId?: string;
  /**
   * Every path that may have changed since the last save that this caller asked for and that succeeded; a folder stands
   * for all that is in it. The save then looks at these alone, and costs what changed instead of what exists. Absent:
   * it looks at everything, as does an engine that has not looked at everything lately, or went by other rules then.
   */
  readonly changedPaths?: readonly string[];
}

export interface SaveResult {
  /** The new checkpoint; when nothing changed, the existing one that already holds this state. */
  readonly checkpoint: Checkpoint | null;
  /** True: nothing changed and no name was given, so no checkpoint was made. */
  readonly noChange: boolean;
  readonly skipped: readonly Skipped[];
  readonly durationMs: number;
  /** Whether all of the workspace was looked at, or only the `changedPaths` of the request. */
  readonly scanned: "all" | "changed";
  readonly report: SaveReport;
}

/** Counts of one save. `bytesIn` is content read, `bytesOut` what it took in packs. */
export interface SaveReport {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly newObjects: number;
  readonly deduplicated: number;
  readonly raw: number;
  readonly compressed: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export type EntryType = "file" | "directory" | "symlink";

/** One state of one path. */
export interface EntryState {
  readonly type: EntryType;
  /** Permission bits. */
  readonly mode: number;
  readonly size: number;
  /** Content hash; for a directory, its tree's. */
  readonly hash: string;
}

export type ChangeKind = "added" | "changed" | "removed" | "typeChanged";

export interface Change {
  readonly path: string;
  readonly kind: ChangeKind;
  readonly before?: EntryState;
  readonly after?: EntryState;
}

/** One side of a comparison: a checkpoint, or what is on disk now. */
export type Side = { readonly ref: Ref } | { readonly workspace: ScanOptions };

export interface DiffResult {
  /** In path order. */
  readonly changes: readonly Change[];
  /** Of a workspace side: what could not be read. */
  readonly skipped: readonly Skipped[];
}

export interface CheckpointDetail {
  readonly checkpoint: Checkpoint;
  /** Against its parent; for the first checkpoint everything is "added". Cut after `limit` entries. */
  readonly changes: readonly Change[];
  readonly totalChanges: number;
  /** The first 1,000; `checkpoint.skipped` is their total. */
  readonly skipped: readonly Skipped[];
}

export interface RestoreRequest {
  readonly ref: Ref;
  /** Files or folders; empty or absent = everything. */
  readonly paths?: readonly string[];
  /** `paths` are these and no others: a folder's does not stand for what is in it, and none = nothing. */
  readonly exact?: boolean;
  readonly scan: ScanOptions;
  /** Leave files alone that exist now but not in the checkpoint. */
  readonly keepNew?: boolean;
  readonly dryRun?: boolean;
  /** False only when the user said so: no safety checkpoint, no undo. */
  readonly safety?: boolean;
}

/**
 * Why a path was left alone: no checkpoint holds what is there, or the restored one says nothing about it (protected);
 * something that stays is in its way or in it (occupied); it changed during the restore (changed); the file system
 * refused (denied); its content in the store is damaged or missing (damaged).
 */
export type KeptCode = "protected" | "occupied" | "changed" | "denied" | "damaged";

export interface Kept {
  readonly path: string;
  /** One sentence for people. */
  readonly reason: string;
  readonly code: KeptCode;
}

export interface RestoreResult {
  readonly checkpoint: Checkpoint;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Files and links that already were as in the checkpoint. */
  readonly unchanged: number;
  /** Left alone, and why. */
  readonly kept: readonly Kept[];
  readonly safetyId: string | null;
  readonly dryRun: boolean;
  readonly paths: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  /** What the restore does or did, with both states of every path (before = now, after = restored). */
  readonly changes: readonly Change[];
}

export interface UndoState {
  /** What "Undo Last Restore" would take back, or null. */
  readonly undo: { readonly checkpointId: string; readonly at: number; readonly files: number } | null;
  readonly redo: { readonly checkpointId: string; readonly at: number; readonly files: number } | null;
}

export interface DeletePlan {
  readonly checkpoints: readonly Checkpoint[];
  /** Content only these checkpoints use. */
  readonly deadObjects: number;
  readonly deadBytes: number;
  /** One of them holds what was there before the restore that could be undone (or redone) next. */
  readonly endsUndo: boolean;
}

export interface GcResult {
  readonly deadObjects: number;
  readonly freedBytes: number;
  readonly removedPacks: number;
  readonly rewrittenPacks: number;
}

export interface VerifyProblem {
  /** The damaged part: a file of the store, or a hash. */
  readonly part: string;
  readonly message: string;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly full: boolean;
  readonly checkpoints: number;
  readonly packs: number;
  readonly objects: number;
  readonly bytesRead: number;
  readonly problems: readonly VerifyProblem[];
  /** Checkpoints that cannot be restored completely, with the paths concerned (cut after 100 each). */
  readonly damaged: readonly { readonly checkpoint: Checkpoint; readonly paths: readonly string[] }[];
}

export interface StoreStats {
  readonly folder: string;
  readonly checkpoints: number;
  readonly packs: number;
  readonly objects: number;
  readonly packBytes: number;
  readonly treeBytes: number;
  readonly indexBytes: number;
  readonly catalogBytes: number;
  readonly totalBytes: number;
  readonly oldest: number | null;
  readonly newest: number | null;
}

/** One version of a file (or state of a folder): the checkpoint in which it appeared. */
export interface FileVersion {
  readonly checkpoint: Checkpoint;
  readonly kind: ChangeKind;
  /** Absent when the checkpoint removed it. */
  readonly state?: EntryState;
}

export interface SearchRequest {
  /** What one line must hold: text, or a JavaScript regular expression (with the flag "u") if `regex` says so. */
  readonly text: string;
  readonly regex?: boolean;
  readonly matchCase?: boolean;
  /** Only files at these paths: one pattern in gitignore syntax ("*.ts", "/src/"); with "!" in front, all others. */
  readonly path?: string;
  /** Only paths at which the newest checkpoint has nothing any more. */
  readonly deleted?: boolean;
  /** Matches at most; 1,000 unless told. */
  readonly limit?: number;
}

/** The first match in one line of one version of a file. */
export interface SearchMatch {
  readonly path: string;
  /** Of the version's content. */
  readonly hash: string;
  /** The newest one that has this content at this path. */
  readonly checkpoint: Pick<Checkpoint, "id" | "number" | "createdAt" | "name">;
  /** The newest checkpoint of all has nothing at this path. */
  readonly deleted: boolean;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The line; of a long one, what is around the match. */
  readonly preview: string;
  /** Where the match is in the preview, and how long, in UTF-16 units. */
  readonly start: number;
  readonly length: number;
}

export interface SearchResult {
  /** By path, then newest version first, then line. */
  readonly matches: readonly SearchMatch[];
  /** Paths, over all checkpoints, that the search was about. */
  readonly files: number;
  /** Contents searched, each once however many checkpoints have it, and their bytes. */
  readonly contents: number;
  readonly bytes: number;
  /** Contents that are no text, and were not searched. */
  readonly binary: number;
  /** There are, or may be, more matches than were asked for. */
  readonly limitReached: boolean;
  /** Contents among the matches with more matching lines than are listed of one (100). */
  readonly cutContents: number;
  /** What is damaged, and so was not searched. A folder ends with "/". */
  readonly unreadable: readonly {
    readonly path: string;
    readonly checkpoint: SearchMatch["checkpoint"];
    readonly message: string;
  }[];
}

export interface TreeEntry extends EntryState {
  readonly name: string;
}

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
  undo(scan: ScanOptions): Promise<RestoreResult>;
  redo(scan: ScanOptions): Promise<RestoreResult>;
  undoState(): Promise<UndoState>;
  rename(ref: Ref, name: string | null): Promise<Checkpoint>;
  setNote(ref: Ref, note: string | null): Promise<Checkpoint>;
  pin(ref: Ref, pinned: boolean): Promise<Checkpoint>;
  planDelete(refs: readonly Ref[]): Promise<DeletePlan>;
  /** Removes checkpoints, then frees what only they used. */
  delete(refs: readonly Ref[]): Promise<GcResult>;
  gc(): Promise<GcResult>;
  verify(options: { full: boolean }): Promise<VerifyResult>;
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
