/**
 * An engine that stays open, asked over the process channel: what the editor's worker has when the user saves. Times
 * are taken in here, around the call alone, so that they hold neither start-up nor the channel.
 */
import * as path from "node:path";
import { type Engine, openEngine } from "../../src/core/engine";
import { DEFAULT_SCAN_OPTIONS } from "../../src/shared/api";

type Request =
  | { readonly type: "open"; readonly folder: string; readonly storeRoot: string; readonly dist: string }
  | { readonly type: "close" }
  | { readonly type: "save"; readonly name?: string }
  | { readonly type: "restore"; readonly id: string };

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
    engine = await openEngine(
      { folder, storeRoot },
      { laneScript: path.join(dist, "lane.js"), sqlWasmPath: path.join(dist, "sql-wasm.wasm") },
    );
    return {};
  }
  if (request.type === "close") {
    await engine?.close();
    engine = undefined;
    return {};
  }
  const open = engine;
  if (open === undefined) throw new Error("The engine is not open.");
  if (request.type === "restore")
    return timed(
      () => open.restore({ ref: request.id, scan: DEFAULT_SCAN_OPTIONS, safety: true }),
      () => request.id,
    );
  const name = request.name === undefined ? {} : { name: request.name };
  return timed(
    () => open.save({ kind: "manual", trigger: "manual", ...name, scan: DEFAULT_SCAN_OPTIONS }),
    ({ checkpoint }) => checkpoint?.id ?? "",
  );
}

async function timed<Result>(act: () => Promise<Result>, idOf: (result: Result) => string): Promise<object> {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const result = await act();
  const wall = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const sample = { wall, cpu: (cpu.user + cpu.system) / 1e6, rssKb: process.resourceUsage().maxRSS };
  return { sample, id: idOf(result) };
}
