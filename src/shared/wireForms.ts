/**
 * What is long in requests and answers crosses the worker boundary in compact form: lists of changes as a
 * `ChangeTable`, selected paths as `ChosenPaths`. The extension host sees `HostEngine`, the engine its own `EngineApi`.
 */
import type { EngineApi } from "./api";
import type { CheckpointDetail, DiffResult } from "./changes";
import { buffersOf, ChangeTable, type ChosenPaths, chosenPaths, type PackedChanges, packChanges } from "./changeTable";
import type { RestoreRequest, RestoreResult } from "./restores";
import type { SaveRequest, SaveResult, ScanOptions } from "./saves";

type WithTable<Answer> = Omit<Answer, "changes"> & { readonly changes: ChangeTable };

/** `changes` tells the paths too. Of `kept` the first MAX_NAMED are listed. */
export interface HostRestoreResult extends WithTable<Omit<RestoreResult, "paths">> {
  readonly keptCount: number;
}

/** Of `skipped` the first MAX_NAMED are listed. */
export interface HostSaveResult extends SaveResult {
  readonly skippedCount: number;
}

export type HostRestoreRequest = Omit<RestoreRequest, "paths"> & {
  readonly paths?: readonly string[] | ChosenPaths;
};

type Replaced = "save" | "show" | "diff" | "restore" | "undo" | "redo";

/** The engine as the extension host sees it. */
export interface HostEngine extends Omit<EngineApi, Replaced> {
  save(request: SaveRequest): Promise<HostSaveResult>;
  show(...args: Parameters<EngineApi["show"]>): Promise<WithTable<CheckpointDetail>>;
  diff(...args: Parameters<EngineApi["diff"]>): Promise<WithTable<DiffResult>>;
  restore(request: HostRestoreRequest): Promise<HostRestoreResult>;
  undo(scan: ScanOptions): Promise<HostRestoreResult>;
  redo(scan: ScanOptions): Promise<HostRestoreResult>;
}

/** More than anybody reads; the count says how many there are. */
const MAX_NAMED = 1_000;

/** In the worker: what the engine understands. */
export function unpackArguments(args: readonly unknown[]): unknown[] {
  const [request] = args;
  if (!isObject(request) || !isObject(request.paths) || !("chosen" in request.paths)) return [...args];
  return [{ ...request, paths: chosenPaths(request.paths as unknown as ChosenPaths) }, ...args.slice(1)];
}

/** In the worker: an answer, and which of its buffers to hand over. */
export function packAnswer(value: unknown): { readonly value: unknown; readonly transfer: ArrayBuffer[] } {
  if (value instanceof Uint8Array) {
    // Content is copied: what the engine hands out may be a part of a larger buffer.
    const copy = Uint8Array.from(value);
    return { value: copy, transfer: [copy.buffer] };
  }
  if (!isObject(value)) return { value, transfer: [] };
  const short = { ...value, ...shortened(value, "skipped"), ...shortened(value, "kept") };
  if (!Array.isArray(value.changes)) return { value: short, transfer: [] };
  const changes = packChanges(value.changes);
  return { value: { ...short, paths: undefined, changes }, transfer: buffersOf(changes) };
}

/** In the extension host. */
export function unpackAnswer(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.changes)) return value;
  return { ...value, changes: new ChangeTable(value.changes as unknown as PackedChanges) };
}

/** The first items of a list that may be there, and how many there are. (A checkpoint's `skipped` is a number.) */
function shortened(value: Record<string, unknown>, field: "skipped" | "kept"): object {
  const list = value[field];
  return Array.isArray(list) ? { [field]: list.slice(0, MAX_NAMED), [`${field}Count`]: list.length } : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
