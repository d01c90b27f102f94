/** Locks as others left them, and others that are alive or dead. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { Worker } from "node:worker_threads";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { currentProcess, type ProcessMark, type ProcessTable } from "../../../src/core/fs/processIdentity";
import type { LockHolder, LockOptions } from "../../../src/core/store/lock";

export const SYSTEM: ProcessTable = {
  isAlive: (pid) => fs.existsSync(`/proc/${pid}`),
  threadStart: (pid, thread) => (fs.existsSync(`/proc/${pid}/task/${thread}`) ? "" : undefined),
};

let nonces = 0;

/** A clock that moves only by sleeping. */
export function options(folder: string, changes: Partial<LockOptions> = {}): LockOptions {
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

export const lockFile = (folder: string): string => `${folder}/project.lock`;
export const holderOf = (folder: string): LockHolder =>
  JSON.parse(fs.readFileSync(lockFile(folder), "utf8")) as LockHolder;

/** A lock of a process that lives as long as this one and does not release it, unless `changes` say otherwise. */
export function forge(folder: string, changes: Partial<LockHolder> = {}, name = "project.lock"): void {
  fs.writeFileSync(
    `${folder}/${name}`,
    JSON.stringify({ ...markOf(process.ppid), since: 0, nonce: "forged", ...changes }),
  );
}

export function markOf(pid: number): ProcessMark {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { ...currentProcess().self, pid, thread: pid, start };
}

/** A process that was alive a moment ago. */
export async function deadProcess(): Promise<ProcessMark> {
  const child = spawn("sleep", ["60"]);
  const mark = markOf(child.pid ?? 0);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  return mark;
}

/** A thread of this process that was alive a moment ago. */
export async function deadThread(): Promise<ProcessMark> {
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
