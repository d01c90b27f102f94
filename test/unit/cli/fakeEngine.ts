import type { CliEnvironment } from "../../../src/cli/environment";
import { run } from "../../../src/cli/run";
import type { EngineApi, EngineMethod, OperationControl, StoreAddress } from "../../../src/shared/api";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import type { RestoreResult } from "../../../src/shared/restores";
import { DEFAULT_SCAN_OPTIONS, type SaveResult } from "../../../src/shared/saves";

export const CREATED = Date.UTC(2026, 10, 20, 8, 30, 15, 250);

export function checkpoint(change: Partial<Checkpoint> = {}): Checkpoint {
  return {
    id: "019ab000-0000-7000-8000-00000000000c",
    number: 12,
    createdAt: CREATED,
    kind: "manual",
    trigger: "cli",
    name: "before the merge",
    note: null,
    pinned: false,
    parentId: "019ab000-0000-7000-8000-00000000000b",
    rootTree: "00112233445566778899aabbccddeeff",
    files: 7019,
    bytes: 55_937_474,
    newObjects: 8,
    newBytes: 4096,
    added: 5,
    changed: 3,
    removed: 1,
    skipped: 0,
    branch: null,
    head: null,
    groupId: null,
    ...change,
  };
}

export function saveResult(change: Partial<SaveResult> = {}): SaveResult {
  return {
    checkpoint: checkpoint(),
    noChange: false,
    skipped: [],
    scanned: "all",
    durationMs: 52,
    report: {
      files: 7019,
      directories: 384,
      symlinks: 0,
      newObjects: 8,
      deduplicated: 0,
      raw: 0,
      compressed: 8,
      bytesIn: 9000,
      bytesOut: 4096,
    },
    ...change,
  };
}

export function restoreResult(change: Partial<RestoreResult> = {}): RestoreResult {
  return {
    checkpoint: checkpoint(),
    added: 1,
    changed: 1,
    removed: 1,
    unchanged: 7016,
    kept: [{ path: "big.bin", reason: "not in the store", code: "protected" }],
    safetyId: "019ab000-0000-7000-8000-00000000000d",
    dryRun: false,
    paths: { added: ["b.ts"], changed: ["a.ts"], removed: ["c.ts"] },
    changes: [],
    ...change,
  };
}

type Answers = { [Method in EngineMethod]?: EngineApi[Method] };

export interface FakeRun {
  readonly code: number;
  readonly out: string;
  readonly outBytes: Buffer;
  readonly err: string;
  /**
   * Calls of the engine, in order: method and arguments; without what a command asks first of all: the scan options
   * (the defaults) and whether a restore was interrupted.
   */
  readonly calls: readonly [EngineMethod, ...unknown[]][];
  readonly addresses: readonly StoreAddress[];
  readonly lockTimeouts: readonly number[];
  readonly closed: number;
}

/** The command line over an engine that gives `answers` and rejects everything else. */
export async function fakeRun(
  argv: readonly string[],
  answers: Answers = {},
  change: Partial<CliEnvironment> & { stdoutColumns?: number; stderrColumns?: number; openError?: Error } = {},
): Promise<FakeRun> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const calls: [EngineMethod, ...unknown[]][] = [];
  const addresses: StoreAddress[] = [];
  const lockTimeouts: number[] = [];
  let closed = 0;
  const sink = (into: Buffer[], columns: number | undefined) => ({
    write: (chunk: string | Uint8Array, done?: () => void) => {
      into.push(Buffer.from(chunk as Uint8Array));
      done?.();
    },
    isTTY: columns !== undefined,
    columns,
  });
  const api = (control?: OperationControl): EngineApi =>
    new Proxy({} as EngineApi, {
      get: (_, method: EngineMethod | "then") => {
        // A promise that resolves to this must not take it for another promise.
        if (method === "then") return undefined;
        return async (...args: unknown[]) => {
          if (method === "scanOptions") return (await answers.scanOptions?.()) ?? null;
          if (method === "interrupted") return (await answers.interrupted?.()) ?? null;
          calls.push([method, ...args]);
          if (control?.isCancelled?.()) throw new CheckpointError("cancelled", "Cancelled. Nothing was changed.");
          control?.onProgress?.({ phase: "scan", done: 1200, total: 0 });
          const answer = answers[method] as ((...args: unknown[]) => Promise<unknown>) | undefined;
          if (answer === undefined) throw new Error(`unexpected call of ${method}`);
          return answer(...args);
        };
      },
    });
  const environment: CliEnvironment = {
    stdout: sink(out, change.stdoutColumns),
    stderr: sink(err, change.stderrColumns),
    env: {},
    cwd: "/home/me/project",
    platform: "linux",
    homeFolder: "/home/me",
    isCancelled: () => false,
    now: () => CREATED,
    nearestStore: async () => undefined,
    openEngine: async (address, { lockTimeoutMs }) => {
      addresses.push(address);
      lockTimeouts.push(lockTimeoutMs);
      if (change.openError !== undefined) throw change.openError;
      return Object.assign(Object.create(api()), {
        observed: api,
        close: async () => {
          closed++;
        },
      });
    },
    ...change,
  };
  const code = await run(argv, environment);
  const outBytes = Buffer.concat(out);
  return {
    code,
    out: outBytes.toString(),
    outBytes,
    err: Buffer.concat(err).toString(),
    calls,
    addresses,
    lockTimeouts,
    closed,
  };
}

export const SCAN = DEFAULT_SCAN_OPTIONS;
