/** Entry of the engine worker: opens engines on demand and wires them to the messages of `shared/rpc`. */
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import type { EngineApi, Progress, StoreAddress } from "../shared/api";
import { CheckpointError } from "../shared/errors";
import { type FromWorker, isEngineMethod, type ToWorker } from "../shared/rpc";
import { packAnswer, unpackArguments } from "../shared/wireForms";
import { type Engine, openEngine } from "./engine";

/** Progress more often than this only floods the editor's thread. */
const PROGRESS_MS = 50;

const engines = new Map<string, Promise<Engine>>();

const keyOf = (address: StoreAddress): string => `${address.storeRoot}\n${address.folder}`;

const post = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer as ArrayBuffer[]);

const notice = (message: string): void => post({ type: "notice", message });

function engineFor(address: StoreAddress): Promise<Engine> {
  const key = keyOf(address);
  let engine = engines.get(key);
  if (engine === undefined) {
    engine = openEngine(address, {
      laneScript: join(__dirname, "lane.js"),
      sqlWasmPath: join(__dirname, "sql-wasm.wasm"),
      housekeeping: {
        onDone: ({ damaged }) => {
          for (const { message } of damaged) notice(message);
        },
        onFailure: ({ message }) => notice(`Small packs could not be merged: ${message}`),
      },
    });
    engines.set(key, engine);
    // A failure to open is answered, and tried anew by the next call.
    engine.catch(() => engines.delete(key));
  }
  return engine;
}

async function answer(message: Extract<ToWorker, { type: "call" }>): Promise<void> {
  const { id } = message;
  try {
    if (!isEngineMethod(message.method))
      throw new CheckpointError(
        "internal",
        `The engine knows no operation "${String(message.method)}". Please report it.`,
      );
    const cancel = new Int32Array(message.cancel);
    const engine = (await engineFor(message.address)).observed({
      onProgress: throttled((progress) => post({ type: "progress", id, progress })),
      isCancelled: () => Atomics.load(cancel, 0) !== 0,
    });
    const method = engine[message.method] as (...args: readonly unknown[]) => ReturnType<EngineApi[keyof EngineApi]>;
    const { value, transfer } = packAnswer(
      message.method,
      await method.apply(engine, unpackArguments(message.method, message.args)),
    );
    post({ type: "result", id, value }, transfer);
  } catch (error) {
    post({ type: "error", id, error: CheckpointError.serialize(error) });
  }
}

/** Passes on the first report of a phase and then one every PROGRESS_MS. */
function throttled(report: (progress: Progress) => void): (progress: Progress) => void {
  let phase = "";
  let last = 0;
  return (progress) => {
    const now = Date.now();
    if (progress.phase === phase && now - last < PROGRESS_MS) return;
    phase = progress.phase;
    last = now;
    report(progress);
  };
}

async function close(address: StoreAddress): Promise<void> {
  const key = keyOf(address);
  const engine = engines.get(key);
  engines.delete(key);
  // One that never opened has nothing to close, and whoever wanted it was told.
  const open = await engine?.catch(() => undefined);
  try {
    await open?.close();
  } catch (error) {
    notice(`Closing the store of ${address.folder} failed: ${CheckpointError.from(error).message}`);
  }
}

parentPort?.on("message", (message: ToWorker) => {
  void (message.type === "call" ? answer(message) : close(message.address));
});
