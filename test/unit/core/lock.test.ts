import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { currentProcess, type ProcessIdentity } from "../../../src/core/fs/processIdentity";
import { acquireLock, type HeldLock, type LockHolder, type LockOptions } from "../../../src/core/store/lock";
import type { Progress } from "../../../src/shared/api";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

let nonces = 0;

/** A clock that moves only by sleeping. */
function options(folder: string, changes: Partial<LockOptions> = {}): LockOptions {
  let now = Date.now();
  return {
    fs: nodeFileSystem,
    folder,
    identity: currentProcess(),
    now: () => now,
    nonce: () => `nonce-${nonces++}`,
    sleep: async (ms) => {
      now += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
    timeoutMs: 5_000,
    ...changes,
  };
}

const lockFile = (folder: string): string => `${folder}/project.lock`;
const holderOf = (folder: string): LockHolder => JSON.parse(fs.readFileSync(lockFile(folder), "utf8")) as LockHolder;

function forge(folder: string, changes: Partial<LockHolder>): void {
  const identity = currentProcess();
  const holder = {
    pid: process.pid,
    host: identity.host,
    start: identity.startOf(process.pid),
    since: 0,
    nonce: "forged",
  };
  fs.writeFileSync(lockFile(folder), JSON.stringify({ ...holder, ...changes }));
}

/** A process that was alive a moment ago. */
async function deadProcess(): Promise<{ pid: number; start: string }> {
  const child = spawn("sleep", ["60"]);
  const pid = child.pid ?? 0;
  const start = currentProcess().startOf(pid);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  return { pid, start };
}

describe("the project lock", () => {
  it("C11 names its holder, keeps others out, and leaves nothing behind", async () => {
    const folder = tempFolder();
    const lock = await acquireLock(options(folder));
    expect(holderOf(folder)).toMatchObject({ pid: process.pid, host: hostname() });
    expect(holderOf(folder).start).toMatch(/^\d+$/);
    await expect(acquireLock(options(folder, { timeoutMs: 1_000 }))).rejects.toMatchObject({ code: "locked" });
    lock.release();
    expect(fs.readdirSync(folder)).toEqual([]);
    (await acquireLock(options(folder))).release();
  });

  it("C11 of a living holder is never taken: after the timeout the message names pid, host and since when", async () => {
    const folder = tempFolder();
    forge(folder, { since: Date.UTC(2026, 10, 20, 12) });
    const waits: LockHolder[] = [];
    const waiting = acquireLock(options(folder, { onWait: (holder) => waits.push(holder) }));
    const time = new Date(Date.UTC(2026, 10, 20, 12)).toLocaleTimeString();
    await expect(waiting).rejects.toMatchObject({
      code: "locked",
      details: { pid: process.pid, host: hostname(), since: Date.UTC(2026, 10, 20, 12) },
      message: expect.stringContaining(`process ${process.pid} on ${hostname()} since ${time}`),
    });
    expect(waits).toHaveLength(1);
    expect(holderOf(folder).nonce).toBe("forged");
  });

  it("C11 of a process that has died is taken over at once", async () => {
    const folder = tempFolder();
    forge(folder, await deadProcess());
    const lock = await acquireLock(options(folder, { timeoutMs: 0 }));
    expect(holderOf(folder).pid).toBe(process.pid);
    lock.release();
  });

  it("C11 of a process whose pid was used again is taken over", async () => {
    const folder = tempFolder();
    forge(folder, { start: "1" });
    (await acquireLock(options(folder, { timeoutMs: 0 }))).release();
    // Without a start time nothing is proven: a living pid keeps it.
    forge(folder, { start: "" });
    await expect(acquireLock(options(folder, { timeoutMs: 100 }))).rejects.toMatchObject({ code: "locked" });
  });

  it("C11 of another host is never taken over, however dead its pid looks here", async () => {
    const folder = tempFolder();
    forge(folder, { ...(await deadProcess()), host: "another-host" });
    await expect(acquireLock(options(folder))).rejects.toMatchObject({
      code: "locked",
      message: /on another-host since/,
    });
    expect(holderOf(folder).host).toBe("another-host");
  });

  for (const content of ["", "{", "null", "[]", '{"pid":"x"}', "\0\0\0\0"])
    it(`C11 that cannot be read (${JSON.stringify(content)}) is given time, then taken over`, async () => {
      const folder = tempFolder();
      fs.writeFileSync(lockFile(folder), content);
      await expect(acquireLock(options(folder, { timeoutMs: 1_000 }))).rejects.toMatchObject({ code: "locked" });
      (await acquireLock(options(folder, { timeoutMs: 10_000 }))).release();
      expect(fs.readdirSync(folder)).toEqual([]);
    });

  it("C11 is taken over by one of many who wait, never by two", async () => {
    const folder = tempFolder();
    let inside = 0;
    let most = 0;
    const dead = await deadProcess();
    forge(folder, dead);
    const visit = async (): Promise<void> => {
      const lock: HeldLock = await acquireLock(options(folder, { timeoutMs: 600_000 }));
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      lock.release();
    };
    await Promise.all(Array.from({ length: 20 }, visit));
    expect(most).toBe(1);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("C11 a takeover that was interrupted is cleared by the next", async () => {
    const folder = tempFolder();
    const dead = await deadProcess();
    forge(folder, dead);
    fs.renameSync(lockFile(folder), `${folder}/project.takeover`);
    forge(folder, dead);
    (await acquireLock(options(folder))).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("C11 a holder who found it taken by another does not remove the other's", async () => {
    const folder = tempFolder();
    const lock = await acquireLock(options(folder));
    forge(folder, { nonce: "another's" });
    lock.release();
    expect(holderOf(folder).nonce).toBe("another's");
  });

  it("C11 works where there are no hard links", async () => {
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (method === "link") throw errno("EPERM", path);
    });
    const folder = tempFolder();
    const lock = await acquireLock(options(folder, { fs: disk.fs }));
    await expect(acquireLock(options(folder, { fs: disk.fs, timeoutMs: 0 }))).rejects.toMatchObject({ code: "locked" });
    lock.release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("C11 waiting ends when asked to", async () => {
    const folder = tempFolder();
    forge(folder, {});
    let asked = 0;
    await expect(acquireLock(options(folder, { isCancelled: () => ++asked > 3 }))).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  it("C11 without a process table, a lock is kept", async () => {
    const folder = tempFolder();
    forge(folder, { pid: 1, start: "5" });
    const identity: ProcessIdentity = { ...currentProcess(), startOf: () => "", isAlive: () => true };
    await expect(acquireLock(options(folder, { identity, timeoutMs: 100 }))).rejects.toMatchObject({ code: "locked" });
  });
});

describe("two engines on one store", () => {
  it("C11 saving at once both succeed, one after the other, and see each other's checkpoints", async () => {
    const w = await openTestEngine({ a: "1" });
    const other = await w.another();
    try {
      const request = { kind: "manual", trigger: "manual", scan: w.scan } as const;
      const waits: Progress[] = [];
      const slow = w.engine.observed({ onProgress: (each) => each.phase === "lock" && waits.push(each) });
      const saves = Array.from({ length: 10 }, (_, i) =>
        (i % 2 === 0 ? slow : other).save({ ...request, name: `n${i}` }),
      );
      const numbers = (await Promise.all(saves))
        .map((each) => each.checkpoint?.number)
        .sort((a, b) => (a ?? 0) - (b ?? 0));
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await w.engine.list()).toEqual(await other.list());
    } finally {
      await other.close();
    }
  });

  it("C11 one that died in the middle is no obstacle", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    fs.writeFileSync(`${w.store}/packs/.checkpoint-tmp-left`, "half a pack");
    forge(`${w.store}/locks`, await deadProcess());
    w.write("a", "2");
    expect((await w.checkpoint()).number).toBe(2);
  });
});
