/**
 * Who holds a lock, and whether that somebody is provably gone.
 *
 * A mark names one *thread*: the engine runs in a worker of the extension host, and when the worker dies the host lives
 * on. Linux tells a thread by its own id and start time (clock ticks since boot), which also tells a reused id apart.
 * Process ids mean something only within one boot of one machine and one pid namespace (containers and sandboxes have
 * their own, often under the same host name): where boot and namespace are not the same, a missing process proves
 * nothing.
 */
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { threadId } from "node:worker_threads";
import { errnoOf } from "./fileSystem";

/** One thread of one process, as others see it. Empty fields: the system does not tell. */
export interface ProcessMark {
  readonly pid: number;
  readonly host: string;
  /** Linux: the system's id of the thread. Elsewhere Node's, which only rises within a process. */
  readonly thread: number;
  /** When the thread started, in clock ticks since boot. */
  readonly start: string;
  /** Differs with every boot of the machine. */
  readonly boot: string;
  /** The pid namespace. */
  readonly pidSpace: string;
}

export interface ProcessIdentity {
  /** The calling thread. */
  readonly self: ProcessMark;
  /** True only when `mark` is certain to be gone. False proves nothing. */
  isGone(mark: ProcessMark): boolean;
}

/** What the system says about processes; replaced by tests. */
export interface ProcessTable {
  /** False only when no such process exists. */
  isAlive(pid: number): boolean;
  /** "" where the system tells nothing, undefined when the process exists and has no such thread. */
  threadStart(pid: number, thread: number): string | undefined;
}

/** The calling thread, judged by the system's own process table. */
export function currentProcess(): ProcessIdentity {
  return processIdentity(readOwnMark(), systemProcesses);
}

export function processIdentity(self: ProcessMark, processes: ProcessTable): ProcessIdentity {
  return { self, isGone: (mark) => isGone(self, mark, processes) };
}

function isGone(self: ProcessMark, mark: ProcessMark, processes: ProcessTable): boolean {
  // Another host's silence proves nothing.
  if (mark.host !== self.host) return false;
  if (mark.boot !== self.boot) return mark.boot !== "" && self.boot !== "";
  if (mark.pidSpace !== self.pidSpace) return false;
  if (!processes.isAlive(mark.pid)) return true;
  if (mark.start !== "") {
    const start = processes.threadStart(mark.pid, mark.thread);
    return start === undefined || (start !== "" && start !== mark.start);
  }
  // No word about threads here. An extension host keeps one engine worker at a time, so an earlier one of this process
  // has ended. What this thread itself holds, its holder knows (see lock.ts).
  return self.start === "" && mark.pid === self.pid && mark.thread < self.thread;
}

function readOwnMark(): ProcessMark {
  const base = { pid: process.pid, host: hostname() };
  try {
    const [pid, , thread] = readlinkSync("/proc/thread-self").split("/").map(Number);
    // Otherwise the /proc mounted here belongs to another pid namespace and speaks of other processes.
    if (pid === process.pid && thread !== undefined && thread > 0)
      return {
        ...base,
        thread,
        start: systemProcesses.threadStart(pid, thread) ?? "",
        boot: readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
        pidSpace: readlinkSync("/proc/self/ns/pid"),
      };
  } catch {
    // No procfs (macOS, Windows), or one that hides this: less is provable then.
  }
  return { ...base, thread: threadId, start: "", boot: "", pidSpace: "" };
}

const systemProcesses: ProcessTable = {
  isAlive(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return errnoOf(error) !== "ESRCH";
    }
  },
  threadStart(pid, thread) {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
      // Field 22, counted behind the command name, which may itself hold spaces and parentheses.
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    } catch (error) {
      // A mount that hides the processes of other users (hidepid) hides the whole process, not one thread of it.
      return ["ENOENT", "ESRCH"].includes(errnoOf(error) ?? "") && isListed(pid) ? undefined : "";
    }
  },
};

function isListed(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}/task/${pid}`).isDirectory();
  } catch {
    return false;
  }
}
