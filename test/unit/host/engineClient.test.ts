import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineClient, MAX_DEATHS, type WorkerDeath } from "../../../src/host/engineClient";
import type { StoreAddress } from "../../../src/shared/api";
import { CheckpointError } from "../../../src/shared/errors";
import { DEFAULT_SCAN_OPTIONS } from "../../../src/shared/saves";

const SCRIPT = join(import.meta.dirname, "fakeWorker.cjs");
const SAVE = { kind: "manual", trigger: "manual", scan: DEFAULT_SCAN_OPTIONS } as const;

let folder: string;
let address: StoreAddress;
let deaths: WorkerDeath[];
let client: EngineClient;
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoint-client-"));
  address = { folder: join(folder, "calls"), storeRoot: join(folder, "root") };
  writeFileSync(address.folder, "");
  deaths = [];
  now = 1_000_000;
  client = new EngineClient({ script: SCRIPT, onDeath: (death) => deaths.push(death), now: () => now });
});

afterEach(() => {
  client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const calls = () => readFileSync(address.folder, "utf8").trim().split("\n");

describe("engine client", () => {
  it("V20 starts the worker with the first call, not before", async () => {
    const engine = client.engine(address);
    await Promise.resolve(engine);
    expect(client.isRunning).toBe(false);
    expect(await engine.list()).toEqual([]);
    expect(client.isRunning).toBe(true);
  });

  it("revives errors with code, message and details", async () => {
    const failure = await client
      .engine(address)
      .resolve("7")
      .catch((error: unknown) => error);
    expect(CheckpointError.is(failure, "not-found")).toBe(true);
    expect(failure).toMatchObject({ message: "There is no 7.", details: { ref: "7" } });
  });

  it("C12 passes on what went wrong in work that nobody asked for", async () => {
    const notices: string[] = [];
    const told = new EngineClient({ script: SCRIPT, onNotice: (message) => notices.push(message) });
    await told.engine(address).list();
    told.dispose();
    expect(notices).toEqual(["a pack is damaged"]);
    // Nor does it disturb a client that does not listen.
    expect(await client.engine(address).list()).toEqual([]);
  });

  it("passes progress to the call it belongs to", async () => {
    const seen: number[] = [];
    const other: number[] = [];
    const observed = client.engine(address, { onProgress: (progress) => seen.push(progress.done) });
    await Promise.all([
      observed.stats(),
      client.engine(address, { onProgress: ({ done }) => other.push(done) }).list(),
    ]);
    expect(seen).toEqual([1, 2]);
    expect(other).toEqual([]);
  });

  it("cancels synchronous work through shared memory", async () => {
    const abort = new AbortController();
    const engine = client.engine(address, { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(engine.gc()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("does not start a call that was cancelled before", async () => {
    const engine = client.engine(address, { signal: AbortSignal.abort() });
    await expect(engine.list()).rejects.toMatchObject({ code: "cancelled" });
    expect(client.isRunning).toBe(false);
  });

  it("V20 a dead worker is restarted and asked again what changes nothing", async () => {
    expect(await client.engine(address).history("a.ts")).toEqual(["second time"]);
    expect(calls()).toEqual(["history", "history"]);
    expect(deaths).toMatchObject([{ deaths: 1, givenUp: false, reason: "exit code 3" }]);
    expect(deaths[0]?.error.message).toContain("was restarted");
  });

  it("V20 a call that writes is not repeated but rejected, and the next one works", async () => {
    await expect(client.engine(address).save(SAVE)).rejects.toMatchObject({ code: "worker-gone" });
    expect(calls()).toEqual(["save"]);
    expect(await client.engine(address).list()).toEqual([]);
  });

  it("V20 gives up after three deaths, for every later call too", async () => {
    const failure = await client
      .engine(address)
      .verify({ full: true })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "worker-gone" });
    expect((failure as Error).message).toContain("Reload the window");
    expect(calls()).toEqual(Array(MAX_DEATHS).fill("verify"));
    expect(deaths.map(({ givenUp }) => givenUp)).toEqual([false, false, true]);
    expect(deaths[0]?.reason).toContain("always dies");
    await expect(client.engine(address).list()).rejects.toMatchObject({ code: "worker-gone" });
  });

  it("forgives deaths that lie far apart", async () => {
    for (let round = 0; round < MAX_DEATHS + 1; round++) {
      await expect(client.engine(address).save(SAVE)).rejects.toMatchObject({ code: "worker-gone" });
      now += 3_600_000;
    }
    expect(await client.engine(address).list()).toEqual([]);
  });

  it("rejects what is pending when it is disposed", async () => {
    const pending = client.engine(address).planDelete(["1"]);
    client.dispose();
    await expect(pending).rejects.toMatchObject({ code: "cancelled" });
  });
});
