import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { errnoOf } from "./fileSystem";

export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Something that differs between two processes that had the same pid; "" where the system tells nothing. */
  startOf(pid: number): string;
  /** False only when no such process exists on this host. */
  isAlive(pid: number): boolean;
}

/** This process as others see it. On Linux a process's start time (clock ticks since boot) tells a reused pid apart. */
export function currentProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    startOf(pid) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        // Field 22, counted behind the command name, which may itself hold spaces and parentheses.
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
      } catch {
        return ""; // no procfs here, or no such process: isAlive decides alone
      }
    },
    isAlive(pid) {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        return errnoOf(error) !== "ESRCH";
      }
    },
  };
}
