/**
 * The conversation between the extension host and the engine worker.
 *
 * Every call carries an id and is answered by exactly one "result" or "error"; "progress" may come before that. A
 * "notice" belongs to no call.
 * Cancelling is a flag in shared memory, not a message: the worker does long synchronous work and would read a message
 * only after it. Index 0 of `cancel` is set to 1 by the caller.
 */
import type { EngineMethod, Progress, StoreAddress } from "./api";
import type { SerializedError } from "./errors";

export type ToWorker =
  | {
      readonly type: "call";
      readonly id: number;
      readonly address: StoreAddress;
      readonly method: EngineMethod;
      readonly args: readonly unknown[];
      readonly cancel: SharedArrayBuffer;
    }
  /** Forget the engine of a workspace folder that was closed. */
  | { readonly type: "close"; readonly address: StoreAddress };

export type FromWorker =
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: SerializedError }
  | { readonly type: "progress"; readonly id: number; readonly progress: Progress }
  /** For the log: something that was not asked for went wrong, or showed damage. */
  | { readonly type: "notice"; readonly message: string };

/** Every method, and whether a restarted worker may be asked again: true for those that change nothing anywhere. */
const METHODS: Readonly<Record<EngineMethod, boolean>> = {
  save: false,
  measure: true,
  list: true,
  scanOptions: true,
  resolve: true,
  show: true,
  diff: true,
  stat: true,
  readDirectory: true,
  readFile: true,
  restore: false,
  undo: false,
  redo: false,
  undoState: true,
  interrupted: true,
  recover: false,
  rename: false,
  setNote: false,
  pin: false,
  planDelete: true,
  delete: false,
  gc: false,
  planPrune: true,
  prune: false,
  usage: true,
  stores: true,
  deleteStore: false,
  purge: false,
  planPurge: true,
  coverage: true,
  verify: true,
  repair: false,
  stats: true,
  history: true,
  search: true,
};

export function isEngineMethod(name: string): name is EngineMethod {
  return Object.hasOwn(METHODS, name);
}

export function isRepeatable(method: EngineMethod): boolean {
  return METHODS[method];
}
