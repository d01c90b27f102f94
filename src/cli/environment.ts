/**
 * Everything the command line touches outside itself. `main.ts` hands in the real process; tests hand in a fake one.
 */
import type { EngineApi, OperationControl, StoreAddress } from "../shared/api";

/** The part of a writable stream that is used. */
export interface Output {
  /** `done` is called once the chunk has been handed on, or cannot be. */
  write(chunk: string | Uint8Array, done?: () => void): unknown;
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal in characters. */
  readonly columns?: number | undefined;
}

/** An open engine: the operations, and how to watch and close it. */
export interface CliEngine extends EngineApi {
  /** The same operations, reporting to `control`. */
  observed(control: OperationControl): EngineApi;
  /** Ends the engine's threads. Nothing may be called afterwards. */
  close(): Promise<void>;
}

interface OpenCliEngineOptions {
  readonly lockTimeoutMs: number;
  /** The command looks at the whole workspace first of all. */
  readonly scansSoon: boolean;
}

type OpenCliEngine = (address: StoreAddress, options: OpenCliEngineOptions) => Promise<CliEngine>;

export interface CliEnvironment {
  readonly openEngine: OpenCliEngine;
  /** The first of `folders` (absolute) that has a store under `storeRoot`. */
  readonly nearestStore: (folders: readonly string[], storeRoot: string) => Promise<string | undefined>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
  /** True from the moment the user pressed Ctrl+C. */
  readonly isCancelled: () => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
