/** The engine worker's entry, with an engine that cannot be closed. */
import { EventEmitter } from "node:events";
import { beforeAll, expect, it, vi } from "vitest";
import { CheckpointError } from "../../../src/shared/errors";
import type { FromWorker, ToWorker } from "../../../src/shared/rpc";

const { port } = vi.hoisted(() => ({ port: { current: undefined as unknown } }));

class Port extends EventEmitter {
  readonly posted: FromWorker[] = [];
  postMessage(message: FromWorker): void {
    this.posted.push(message);
    this.emit("posted", message);
  }
}

vi.mock("node:worker_threads", async (original) => ({
  ...(await original<typeof import("node:worker_threads")>()),
  get parentPort() {
    return port.current;
  },
}));

vi.mock("../../../src/core/engine", () => ({
  openEngine: async ({ folder }: { folder: string }) => {
    if (folder === "gone") throw new CheckpointError("workspace-missing", "The folder is gone.");
    return {
      observed: () => ({ list: async () => [] }),
      close: async () => {
        throw Object.assign(new Error("EIO: i/o error, close"), { code: "EIO" });
      },
    };
  },
}));

let worker: Port;
beforeAll(async () => {
  worker = new Port();
  port.current = worker;
  await import("../../../src/core/worker");
});

const next = (): Promise<FromWorker> => new Promise((resolve) => worker.once("posted", resolve));
const send = (message: ToWorker): void => void worker.emit("message", message);

async function list(folder: string): Promise<FromWorker> {
  const answer = next();
  const cancel = new SharedArrayBuffer(4);
  send({ type: "call", id: 1, address: { folder, storeRoot: "s" }, method: "list", args: [], cancel });
  return answer;
}

it("a store that cannot be closed is told of, for the log", async () => {
  expect(await list("here")).toMatchObject({ type: "result" });
  const told = next();
  send({ type: "close", address: { folder: "here", storeRoot: "s" } });
  expect(await told).toMatchObject({ type: "notice", message: expect.stringMatching(/^Closing .*here.*EIO/) });
});

it("a store that could not be opened was told of when it was asked, not again when it is closed", async () => {
  expect(await list("gone")).toMatchObject({ type: "error", error: { code: "workspace-missing" } });
  send({ type: "close", address: { folder: "gone", storeRoot: "s" } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(worker.posted.filter(({ type }) => type === "notice")).toHaveLength(1);
});
