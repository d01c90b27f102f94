import * as fs from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { processIdentity } from "../../../src/core/fs/processIdentity";
import { acquireLock, type HeldLock, type LockHolder } from "../../../src/core/store/lock";
import { tempFolder } from "../../support/tempFolders";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";
import { deadProcess, forge, holderOf, lockFile, markOf, options } from "./lockFixture";

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

  it("C3 C11 that a power cut emptied keeps nobody waiting", async () => {
    const folder = tempFolder();
    fs.writeFileSync(lockFile(folder), "");
    fs.utimesSync(lockFile(folder), Date.now() / 1000 - 60, Date.now() / 1000 - 60);
    (await acquireLock(options(folder, { timeoutMs: 0 }))).release();
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

  for (const [what, jumpMs] of [
    ["a year ahead", 365 * 86_400_000],
    ["back by a year", -365 * 86_400_000],
  ] as const)
    it(`C11 C12 a clock that is set ${what} makes nobody wait shorter or longer`, async () => {
      const folder = tempFolder();
      forge(folder, {});
      let now = Date.now();
      let sleptMs = 0;
      const sleep = async (ms: number): Promise<void> => {
        sleptMs += ms;
        now += sleptMs > 1_000 && sleptMs - ms <= 1_000 ? jumpMs : ms;
      };
      const clock = { now: () => now, sleep, timeoutMs: 5_000 };
      await expect(acquireLock(options(folder, clock))).rejects.toMatchObject({ code: "locked" });
      expect(sleptMs).toBeGreaterThanOrEqual(5_000);
      expect(sleptMs).toBeLessThan(5_500);
      // A file that is being written elsewhere gets its time, whatever its own times look like from here.
      fs.writeFileSync(lockFile(folder), "");
      sleptMs = 0;
      await expect(acquireLock(options(folder, { ...clock, timeoutMs: 1_500 }))).rejects.toMatchObject({
        code: "locked",
      });
      sleptMs = 0;
      (await acquireLock(options(folder, clock))).release();
      expect(sleptMs).toBeGreaterThan(2_000);
    });

  it("C11 C12 that could not be written is nobody's: it does not stay", async () => {
    const folder = tempFolder();
    let failing = true;
    const disk = new WatchedFileSystem(({ method, path }) => {
      if (method === "link") throw errno("EPERM", path);
      if (failing && method === "write" && path.endsWith("project.lock")) throw errno("ENOSPC", path);
    });
    await expect(acquireLock(options(folder, { fs: disk.fs }))).rejects.toMatchObject({ code: "ENOSPC" });
    expect(fs.readdirSync(folder)).toEqual([]);
    failing = false;
    (await acquireLock(options(folder, { fs: disk.fs, timeoutMs: 0 }))).release();
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
