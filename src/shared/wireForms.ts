/**
 * What is long in requests and answers crosses the worker boundary in compact form: lists of changes as a
 * `ChangeTable`, selected paths as `ChosenPaths`. The extension host sees `HostEngine`, the engine its own `EngineApi`.
 */
import type { EngineApi, EngineMethod } from "./api";
import type { Change, CheckpointDetail, DiffResult } from "./changes";
import { buffersOf, ChangeTable, type ChosenPaths, chosenPaths, type PackedChanges, packChanges } from "./changeTable";
import type { RestoreRequest, RestoreResult } from "./restores";
import type { SaveRequest, SaveResult, Skipped } from "./saves";

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

type Replaced = "save" | "show" | "diff" | "restore" | "undo" | "redo" | "recover";

/** The engine as the extension host sees it. */
export interface HostEngine extends Omit<EngineApi, Replaced> {
  save(request: SaveRequest): Promise<HostSaveResult>;
  show(...args: Parameters<EngineApi["show"]>): Promise<WithTable<CheckpointDetail>>;
  diff(...args: Parameters<EngineApi["diff"]>): Promise<WithTable<DiffResult>>;
  restore(request: HostRestoreRequest): Promise<HostRestoreResult>;
  undo(...args: Parameters<EngineApi["undo"]>): Promise<HostRestoreResult>;
  redo(...args: Parameters<EngineApi["redo"]>): Promise<HostRestoreResult>;
  recover(...args: Parameters<EngineApi["recover"]>): Promise<HostRestoreResult>;
}

/** More than anybody reads; the count says how many there are. */
const MAX_NAMED = 1_000;

/** What crosses, and which of its buffers are handed over instead of being copied. */
interface Packed {
  readonly value: unknown;
  readonly transfer: ArrayBuffer[];
}

interface WireForm<Method extends EngineMethod> {
  /** In the worker: what the engine understands. */
  readonly unpackArguments?: (...args: Parameters<HostEngine[Method]>) => Parameters<EngineApi[Method]>;
  /** In the worker. */
  readonly pack: (answer: Awaited<ReturnType<EngineApi[Method]>>) => Packed;
  /** In the extension host; left out where what crosses is the answer. */
  readonly unpack?: (value: { readonly changes: PackedChanges }) => unknown;
}

const RESTORED = {
  // The paths are in the changes.
  pack: ({ changes, paths: _, kept, ...rest }: RestoreResult) =>
    withTable(changes, { ...rest, kept: kept.slice(0, MAX_NAMED), keptCount: kept.length }),
  unpack: openTable,
};

/** Methods whose requests or answers can be long. All others cross as they are. */
const FORMS: { readonly [Method in EngineMethod]?: WireForm<Method> } = {
  save: {
    pack: (result) => ({ value: { ...result, ...shortened(result) }, transfer: [] }),
  },
  show: {
    pack: ({ changes, ...rest }) => withTable(changes, { ...rest, ...shortened(rest) }),
    unpack: openTable,
  },
  diff: {
    pack: ({ changes, ...rest }) => withTable(changes, { ...rest, ...shortened(rest) }),
    unpack: openTable,
  },
  readFile: {
    pack: (content) => {
      // Copied: what the engine hands out may be a part of a larger buffer.
      const copy = Uint8Array.from(content);
      return { value: copy, transfer: [copy.buffer] };
    },
  },
  restore: {
    ...RESTORED,
    unpackArguments: ({ paths, ...request }) => [
      paths === undefined ? request : { ...request, paths: "chosen" in paths ? chosenPaths(paths) : paths },
    ],
  },
  undo: RESTORED,
  redo: RESTORED,
  recover: RESTORED,
};

/** In the worker: arguments as the engine understands them. */
export function unpackArguments(method: EngineMethod, args: readonly unknown[]): unknown[] {
  const unpack = formOf(method)?.unpackArguments as ((...args: readonly unknown[]) => unknown[]) | undefined;
  return unpack ? unpack(...args) : [...args];
}

/** In the worker: an answer, and which of its buffers to hand over. */
export function packAnswer(method: EngineMethod, answer: unknown): Packed {
  const pack = formOf(method)?.pack as ((answer: unknown) => Packed) | undefined;
  return pack ? pack(answer) : { value: answer, transfer: [] };
}

/** In the extension host. */
export function unpackAnswer(method: EngineMethod, value: unknown): unknown {
  const unpack = formOf(method)?.unpack as ((value: unknown) => unknown) | undefined;
  return unpack ? unpack(value) : value;
}

/** Which method it is of is known to its caller alone. */
function formOf(method: EngineMethod): Partial<Record<keyof WireForm<EngineMethod>, unknown>> | undefined {
  return FORMS[method];
}

function withTable(changes: readonly Change[], rest: object): Packed {
  const packed = packChanges(changes);
  return { value: { ...rest, changes: packed }, transfer: buffersOf(packed) };
}

function openTable<Value extends { readonly changes: PackedChanges }>(value: Value): WithTable<Value> {
  return { ...value, changes: new ChangeTable(value.changes) };
}

function shortened({ skipped }: { readonly skipped: readonly Skipped[] }) {
  return { skipped: skipped.slice(0, MAX_NAMED), skippedCount: skipped.length };
}
