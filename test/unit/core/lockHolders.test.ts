import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { currentProcess, processIdentity } from "../../../src/core/fs/processIdentity";
import { acquireLock } from "../../../src/core/store/lock";
import { tempFolder } from "../../support/tempFolders";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";
import { deadProcess, deadThread, forge, markOf, options, SYSTEM } from "./lockFixture";

describe("a lock of another thread or process", () => {
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
});
