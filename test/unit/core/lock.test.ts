import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { hostname } from "node:os";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import {
  currentProcess,
  type ProcessMark,
  type ProcessTable,
  processIdentity,
} from "../../../src/core/fs/processIdentity";
import { acquireLock, type HeldLock, type LockHolder, type LockOptions } from "../../../src/core/store/lock";
import type { Progress } from "../../../src/shared/api";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const SYSTEM: ProcessTable = {
  isAlive: (pid) => fs.existsSync(`/proc/${pid}`),
  threadStart: (pid, thread) => (fs.existsSync(`/proc/${pid}/task/${thread}`) ? "" : undefined),
};

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

/** A lock of a process that lives as long as this one and does not release it, unless `changes` say otherwise. */
function forge(folder: string, changes: Partial<LockHolder> = {}, name = "project.lock"): void {
  fs.writeFileSync(
    `${folder}/${name}`,
    JSON.stringify({ ...markOf(process.ppid), since: 0, nonce: "forged", ...changes }),
  );
}

function markOf(pid: number): ProcessMark {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { ...currentProcess().self, pid, thread: pid, start };
}

/** A process that was alive a moment ago. */
async function deadProcess(): Promise<ProcessMark> {
  const child = spawn("sleep", ["60"]);
  const mark = markOf(child.pid ?? 0);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  return mark;
}

/** A thread of this process that was alive a moment ago. */
async function deadThread(): Promise<ProcessMark> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     parentPort.postMessage(require("node:fs").readlinkSync("/proc/thread-self"));
     parentPort.on("message", () => {});`,
    { eval: true },
  );
  const [link] = (await once(worker, "message")) as [string];
  const thread = Number(link.split("/")[2]);
  const stat = fs.readFileSync(`/proc/${process.pid}/task/${thread}/stat`, "latin1");
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  await worker.terminate();
  return { ...currentProcess().self, thread, start };
}

describe("the project lock", () => {
  it("C11 names its holder, keeps others out, and leaves nothing behind", async () => {
    const folder = tempFolder();
    const lock = await acquireLock(options(folder));
    expect(holderOf(folder)).toMatchObject({ pid: process.pid, host: hostname() });
    expect(holderOf(folder).pidSpace).toMatch(/^pid:/);
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
    const time = new Date(Date.UTC(2026, 10, 20, 12)).toLocaleString();
    await expect(waiting).rejects.toMatchObject({
      code: "locked",
      details: { pid: process.ppid, host: hostname(), since: Date.UTC(2026, 10, 20, 12), path: lockFile(folder) },
      message: expect.stringContaining(`process ${process.ppid} on ${hostname()} since ${time}`),
    });
    await expect(acquireLock(options(folder, { timeoutMs: 0 }))).rejects.toMatchObject({
      message: expect.stringMatching(/2026.*sure that it no longer runs, delete the lock file .*project\.lock\.$/),
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
    forge(folder, { start: "", thread: 0 });
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

  it("C11 takeovers that were interrupted, also of one another, are cleared by the next", async () => {
    const folder = tempFolder();
    const dead = await deadProcess();
    forge(folder, dead);
    forge(folder, { ...dead, nonce: "t1" }, "project.takeover-forged");
    forge(folder, { ...dead, nonce: "t2" }, "project.takeover-t1");
    forge(folder, { ...dead, nonce: "t3" }, "project.takeover-long-ago");
    (await acquireLock(options(folder))).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("C11 a takeover that a living one is at is left to it", async () => {
    const folder = tempFolder();
    forge(folder, await deadProcess());
    forge(folder, { nonce: "t1" }, "project.takeover-forged");
    await expect(acquireLock(options(folder, { timeoutMs: 100 }))).rejects.toMatchObject({ code: "locked" });
    expect(fs.readdirSync(folder).sort()).toEqual(["project.lock", "project.takeover-forged"]);
  });

  it("C11 whoever gets in between, at whatever step: nobody removes what a living one holds", async () => {
    const dead = await deadProcess();
    const living = markOf(process.ppid);
    for (let step = 1; ; step++) {
      const folder = tempFolder();
      forge(folder, dead);
      forge(folder, { ...dead, nonce: "t1" }, "project.takeover-forged");
      forge(folder, { ...dead, nonce: "t0" }, "project.takeover");
      const removed: string[] = [];
      const robbed: object[] = [];
      const note = ({ method, path }: { method: string; path: string }): void => {
        if (method === "unlink" && path.includes("/project.")) removed.push(fs.readFileSync(path, "utf8"));
      };
      // Others run until they would wait, or get stuck where they are about to remove the lock: this is where they matter.
      const stuck = new WatchedFileSystem((call) => {
        note(call);
        if (call.method === "unlink" && call.path.includes("/project.lock")) throw new Error("stuck here");
        if (call.method === "unlink" && removed.at(-1)?.includes("other-")) throw new Error("stuck here");
      });
      const forever = new Promise<void>(() => {});
      let others = 0;
      const other = (): void => {
        const identity = processIdentity(living, { isAlive: (pid) => pid !== dead.pid, threadStart: () => "" });
        const nonce = (): string => `other-${others++}`;
        acquireLock(options(folder, { fs: stuck.fs, identity, nonce, sleep: () => forever })).catch(() => {});
      };
      let count = 0;
      const disk = new WatchedFileSystem((call) => {
        if (++count === step) for (let i = 0; i < 3; i++) other();
        removed.length = 0;
        note(call);
        for (const each of removed) {
          const { nonce } = JSON.parse(each) as LockHolder;
          if (nonce.startsWith("other-")) robbed.push({ step, nonce });
        }
      });
      const outcome = await acquireLock(options(folder, { fs: disk.fs, timeoutMs: 0 })).catch(() => undefined);
      outcome?.release();
      expect(robbed).toEqual([]);
      if (count < step) break;
      expect(step).toBeLessThan(200);
    }
  });

  it("C11 a holder who found it taken by another does not remove the other's", async () => {
    const folder = tempFolder();
    const lock = await acquireLock(options(folder));
    forge(folder, { nonce: "anothers" });
    lock.release();
    expect(holderOf(folder).nonce).toBe("anothers");
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

  it("C11 where nothing is said of threads, a lock of a living process is kept, but for an earlier worker of this one", async () => {
    const folder = tempFolder();
    const untold = { start: "", boot: "", pidSpace: "" };
    const self = { pid: 5, host: hostname(), thread: 3, ...untold };
    const identity = processIdentity(self, { isAlive: () => true, threadStart: () => "" });
    for (const [mark, gone] of [
      [{ ...self, pid: 6, thread: 1 }, false],
      [{ ...self, thread: 4 }, false],
      [{ ...self, thread: 2 }, true],
      [self, true],
    ] as const) {
      forge(folder, mark);
      const taken = await acquireLock(options(folder, { identity, timeoutMs: 100 })).then(
        (lock) => {
          lock.release();
          return true;
        },
        () => false,
      );
      expect({ mark, taken }).toEqual({ mark, taken: gone });
    }
  });

  it("C11 of a thread that died in a living process is taken over at once, by this process and by others", async () => {
    const folder = tempFolder();
    forge(folder, await deadThread());
    (await acquireLock(options(folder, { timeoutMs: 0 }))).release();
    // The same seen from another process: nothing but the thread is different.
    const gone = await deadThread();
    expect(processIdentity(markOf(process.ppid), SYSTEM).isGone(gone)).toBe(true);
    expect(processIdentity(markOf(process.ppid), SYSTEM).isGone(currentProcess().self)).toBe(false);
  });

  it("C11 that this thread could not remove in time is no obstacle to it", async () => {
    const folder = tempFolder();
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (method === "unlink" && path.endsWith("project.lock")) throw errno("EIO", path);
    });
    const lock = await acquireLock(options(folder, { fs: disk.fs }));
    expect(() => lock.release()).toThrow(/EIO/);
    (await acquireLock(options(folder, { timeoutMs: 0 }))).release();
  });

  it("C11 of a process in another pid namespace is kept, however dead its pid looks here", async () => {
    const folder = tempFolder();
    forge(folder, { ...(await deadProcess()), pidSpace: "pid:[1]" });
    await expect(acquireLock(options(folder, { timeoutMs: 100 }))).rejects.toMatchObject({ code: "locked" });
    forge(folder, { ...(await deadProcess()), pidSpace: "" });
    await expect(acquireLock(options(folder, { timeoutMs: 100 }))).rejects.toMatchObject({ code: "locked" });
  });

  it("C11 of an earlier boot of this host is taken over, though a process has its pid", async () => {
    const folder = tempFolder();
    forge(folder, { boot: "an earlier one", pidSpace: "pid:[1]" });
    (await acquireLock(options(folder, { timeoutMs: 0 }))).release();
    // Who does not say which boot it belongs to may be alive.
    forge(folder, { boot: "" });
    await expect(acquireLock(options(folder, { timeoutMs: 100 }))).rejects.toMatchObject({ code: "locked" });
  });

  it("C11 temp files of waiters that died go with time, those of living ones stay", async () => {
    const folder = tempFolder();
    fs.writeFileSync(`${folder}/.checkpoint-tmp-new`, "");
    fs.writeFileSync(`${folder}/.checkpoint-tmp-old`, "");
    fs.utimesSync(`${folder}/.checkpoint-tmp-old`, 1, 1);
    (await acquireLock(options(folder))).release();
    expect(fs.readdirSync(folder)).toEqual([".checkpoint-tmp-new"]);
  });

  it("C11 Windows: a lock that is being removed or read elsewhere is waited for", async () => {
    const folder = tempFolder();
    for (const code of ["EPERM", "EACCES", "EBUSY"]) {
      let failures = 3;
      const disk = new WatchedFileSystem(({ method, path, to }) => {
        const concerned = (to ?? path).endsWith("project.lock");
        if (concerned && ["link", "open", "unlink"].includes(method) && failures-- > 0) throw errno(code, path);
      });
      const windows = { ...disk.fs, pause: () => {} };
      (await acquireLock(options(folder, { fs: windows }))).release();
      failures = 3;
      const lock = await acquireLock(options(folder));
      failures = 3;
      await expect(acquireLock(options(folder, { fs: windows, timeoutMs: 500 }))).rejects.toMatchObject({
        code: "locked",
      });
      lock.release();
      // For good it is an error, and elsewhere at once.
      failures = Number.MAX_SAFE_INTEGER;
      await expect(acquireLock(options(folder, { fs: windows }))).rejects.toMatchObject({ code });
      await expect(acquireLock(options(folder, { fs: disk.fs }))).rejects.toMatchObject({ code });
      expect(fs.readdirSync(folder)).toEqual([]);
    }
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
