/**
 * An engine that stays open, asked over the process channel: what the editor's worker has when the user saves or looks
 * something up. Times are taken in here, around the call alone, so that they hold neither start-up nor the channel.
 */
import * as path from "node:path";
import { type Engine, openEngine } from "../../src/core/engine";
import { DEFAULT_SCAN_OPTIONS, type SaveResult } from "../../src/shared/saves";

type Request =
  | { readonly type: "open"; readonly folder: string; readonly storeRoot: string; readonly dist: string }
  | { readonly type: "close" }
  | { readonly type: "save"; readonly name?: string; readonly changedPaths?: readonly string[] }
  | { readonly type: "restore"; readonly id: string }
  | { readonly type: "ask"; readonly method: string; readonly args: readonly unknown[]; readonly runs: number };

interface Sample {
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** Peak memory of this process so far. */
  readonly rssKb: number;
  /** Of a save: whether it looked at everything or only at the paths it was given. */
  readonly scanned?: SaveResult["scanned"];
}

/** Which method is asked for, and with what, comes as data from the script that measures. */
type Askable = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

let engine: Engine | undefined;

process.on("message", (request: Request) => {
  answer(request).then(
    (reply) => process.send?.(reply),
    (error: Error) => process.send?.({ error: error.stack ?? error.message }),
  );
});

async function answer(request: Request): Promise<object> {
  if (request.type === "open") {
    const { folder, storeRoot, dist } = request;
    const options = { laneScript: path.join(dist, "lane.js"), sqlWasmPath: path.join(dist, "sql-wasm.wasm") };
    const { sample, result } = await timed(() => openEngine({ folder, storeRoot }, options));
    engine = result;
    return { sample };
  }
  if (request.type === "close") {
    await engine?.close();
    engine = undefined;
    return {};
  }
  if (engine === undefined) throw new Error("The engine is not open.");
  if (request.type === "restore") return restore(engine, request.id);
  return request.type === "save" ? save(engine, request) : ask(engine, request);
}

async function restore(open: Engine, id: string): Promise<object> {
  const { sample } = await timed(() => open.restore({ ref: id, scan: DEFAULT_SCAN_OPTIONS, safety: true }));
  return { sample };
}

async function save(
  open: Engine,
  { name, changedPaths }: { name?: string; changedPaths?: readonly string[] },
): Promise<object> {
  const optional = { ...(name === undefined ? {} : { name }), ...(changedPaths === undefined ? {} : { changedPaths }) };
  const { sample, result } = await timed(() =>
    open.save({ kind: "manual", trigger: "manual", scan: DEFAULT_SCAN_OPTIONS, ...optional }),
  );
  return { sample: { ...sample, scanned: result.scanned }, id: result.checkpoint?.id ?? "" };
}

/** The first answer, then `runs` more. `size`: entries or bytes of the answer; `bytes`: what a search says it went through. */
async function ask(open: Engine, { method, args, runs }: Request & { type: "ask" }): Promise<object> {
  const call = (): Promise<unknown> => (open as unknown as Askable)[method]!(...args);
  const first = await timed(call);
  const samples: Sample[] = [];
  for (let i = 0; i < runs; i++) samples.push((await timed(call)).sample);
  const { bytes } = first.result as { bytes?: number };
  return { first: first.sample, samples, size: sizeOf(first.result), ...(bytes === undefined ? {} : { bytes }) };
}

function sizeOf(result: unknown): number {
  const { length, changes, matches } = result as Partial<Record<"changes" | "matches", ArrayLike<unknown>>> & {
    length?: number;
  };
  return length ?? changes?.length ?? matches?.length ?? 1;
}

async function timed<Result>(act: () => Promise<Result>): Promise<{ sample: Sample; result: Result }> {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const result = await act();
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { sample: { wall, cpu: (user + system) / 1e6, rssKb: process.resourceUsage().maxRSS }, result };
}
