/**
 * The extension host's end of the engine worker.
 *
 * The worker starts with the first call, not before. Every call is numbered and answered once. When the worker dies
 * (crash, out of memory), calls that change nothing are asked again of a new worker; the others are rejected, because
 * nobody knows how far they came: the store itself survives a death at any moment. After MAX_DEATHS within
 * DEATH_WINDOW_MS the client gives up, so that a call that always kills the worker cannot keep the machine busy.
 */
import { Worker } from "node:worker_threads";
import type { EngineMethod, Progress, StoreAddress } from "../shared/api";
import { Disposable } from "../shared/disposable";
import { CheckpointError, cancelled } from "../shared/errors";
import { type FromWorker, isEngineMethod, isRepeatable, type ToWorker } from "../shared/rpc";
import { type HostEngine, unpackAnswer } from "../shared/wireForms";

/** Observes and stops the calls made through one `engine()` proxy. */
export interface CallControl {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WorkerDeath {
  /** Deaths within the window, this one included. */
  readonly deaths: number;
  readonly givenUp: boolean;
  /** For the log: the uncaught error, or the exit code. */
  readonly reason: string;
  /** For people; calls that are not repeated reject with the same words. */
  readonly error: CheckpointError;
}

interface EngineClientOptions {
  /** Absolute path of the worker's script. */
  readonly script: string;
  readonly onDeath?: (death: WorkerDeath) => void;
  /** Hears, for the log, what went wrong in work that nobody asked for. */
  readonly onNotice?: (message: string) => void;
  readonly now?: () => number;
}

export const MAX_DEATHS = 3;
const DEATH_WINDOW_MS = 10 * 60_000;

interface PendingCall {
  readonly message: ToWorker & { readonly type: "call" };
  readonly control: CallControl;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CheckpointError) => void;
  readonly release: () => void;
}

export class EngineClient extends Disposable {
  private readonly pending = new Map<number, PendingCall>();
  private readonly deathTimes: number[] = [];
  private readonly now: () => number;
  private worker: Worker | undefined;
  private nextId = 1;
  private givenUp = false;

  constructor(private readonly options: EngineClientOptions) {
    super();
    this.now = options.now ?? Date.now;
  }

  /** True once a call has started the worker. */
  get isRunning(): boolean {
    return this.worker !== undefined;
  }

  /** The engine of one workspace folder. Making the proxy starts nothing; its methods do. */
  engine(address: StoreAddress, control: CallControl = {}): HostEngine {
    return new Proxy({} as HostEngine, {
      // Everything else stays undefined, "then" and "toJSON" above all: awaiting or logging it must not call the worker.
      get: (_, method) =>
        typeof method === "string" && isEngineMethod(method)
          ? (...args: unknown[]) => this.call(address, method, args, control)
          : undefined,
    });
  }

  /** Lets the worker forget the engine of a workspace folder that was closed. */
  close(address: StoreAddress): void {
    this.worker?.postMessage({ type: "close", address } satisfies ToWorker);
  }

  override dispose(): void {
    super.dispose();
    const worker = this.worker;
    this.worker = undefined;
    for (const call of this.takePending()) call.reject(cancelled());
    void worker?.terminate();
  }

  private call(
    address: StoreAddress,
    method: EngineMethod,
    args: readonly unknown[],
    control: CallControl,
  ): Promise<unknown> {
    if (this.isDisposed || control.signal?.aborted) return Promise.reject(cancelled());
    if (this.givenUp) return Promise.reject(gaveUp());
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      const cancel = new SharedArrayBuffer(4);
      const onAbort = () => Atomics.store(new Int32Array(cancel), 0, 1);
      control.signal?.addEventListener("abort", onAbort, { once: true });
      const call: PendingCall = {
        message: { type: "call", id, address, method, args, cancel },
        control,
        resolve,
        reject,
        release: () => control.signal?.removeEventListener("abort", onAbort),
      };
      this.pending.set(id, call);
      this.post(call);
    });
  }

  private post(call: PendingCall): void {
    try {
      this.worker ??= this.start();
      this.worker.postMessage(call.message);
    } catch (error) {
      this.settle(call.message.id)?.reject(CheckpointError.from(error));
    }
  }

  private start(): Worker {
    const worker = new Worker(this.options.script, { workerData: {} });
    let uncaught: unknown;
    worker.on("message", (message: FromWorker) => this.onMessage(message));
    worker.on("error", (error) => {
      uncaught = error;
    });
    worker.on("exit", (code) => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.onExit(uncaught instanceof Error ? (uncaught.stack ?? uncaught.message) : `exit code ${code}`);
    });
    return worker;
  }

  private onMessage(message: FromWorker): void {
    if (message.type === "progress") {
      this.pending.get(message.id)?.control.onProgress?.(message.progress);
      return;
    }
    if (message.type === "notice") {
      this.options.onNotice?.(message.message);
      return;
    }
    const call = this.settle(message.id);
    if (message.type === "result") call?.resolve(unpackAnswer(call.message.method, message.value));
    else call?.reject(CheckpointError.deserialize(message.error));
  }

  private onExit(reason: string): void {
    const now = this.now();
    this.deathTimes.push(now);
    while (now - (this.deathTimes[0] ?? now) > DEATH_WINDOW_MS) this.deathTimes.shift();
    this.givenUp = this.deathTimes.length >= MAX_DEATHS;
    const error = this.givenUp ? gaveUp() : interrupted();
    this.options.onDeath?.({ deaths: this.deathTimes.length, givenUp: this.givenUp, reason, error });
    for (const call of [...this.pending.values()]) {
      if (!this.givenUp && isRepeatable(call.message.method)) this.post(call);
      else this.settle(call.message.id)?.reject(error);
    }
  }

  private settle(id: number): PendingCall | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    call?.release();
    return call;
  }

  private takePending(): PendingCall[] {
    const calls = [...this.pending.values()];
    this.pending.clear();
    for (const call of calls) call.release();
    return calls;
  }
}

function interrupted(): CheckpointError {
  return new CheckpointError(
    "worker-gone",
    "The checkpoint engine stopped unexpectedly and was restarted. Your checkpoints are safe; please try again.",
  );
}

function gaveUp(): CheckpointError {
  return new CheckpointError(
    "worker-gone",
    "The checkpoint engine stopped several times and was switched off. Reload the window to start it again.",
  );
}
