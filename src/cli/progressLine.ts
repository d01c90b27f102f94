import type { OperationControl, Progress } from "../shared/api";
import type { CliEnvironment } from "./environment";
import { formatCount, printable } from "./output";

/** Redrawing more often costs time and cannot be read; shorter operations show nothing at all. */
const REDRAW_MS = 100;

const PHASES: Readonly<Record<Progress["phase"], string>> = {
  lock: "Waiting for the store",
  scan: "Scanning",
  store: "Saving",
  commit: "Finishing",
  plan: "Comparing",
  restore: "Restoring",
  verify: "Verifying",
  gc: "Cleaning up",
  search: "Searching",
};

/**
 * One line on stderr that follows an operation, on a terminal only. Elsewhere just the one thing worth a line in a
 * log is said, once: that another process is being waited for.
 */
export class ProgressLine {
  private drawn = false;
  private lastDrawnAt: number;
  private saidWaiting = false;

  constructor(private readonly environment: Pick<CliEnvironment, "stderr" | "isCancelled" | "now">) {
    this.lastDrawnAt = environment.now();
  }

  /** What the engine is handed. */
  readonly control: OperationControl = {
    onProgress: (progress) => this.update(progress),
    isCancelled: () => this.environment.isCancelled(),
  };

  /** Takes the line away, so that results start on a clean one. May be called at any time, any number of times. */
  clear(): void {
    if (!this.drawn) return;
    this.environment.stderr.write("\r\x1b[K");
    this.drawn = false;
  }

  private update(progress: Progress): void {
    const { stderr, now } = this.environment;
    if (stderr.isTTY !== true) {
      if (progress.phase === "lock" && !this.saidWaiting) {
        this.saidWaiting = true;
        stderr.write(`${describe(progress)}\n`);
      }
      return;
    }
    const time = now();
    if (time - this.lastDrawnAt < REDRAW_MS) return;
    this.lastDrawnAt = time;
    this.drawn = true;
    const width = Math.max(20, stderr.columns ?? 80) - 1;
    stderr.write(`\r${describe(progress).slice(0, width)}\x1b[K`);
  }
}

function describe(progress: Progress): string {
  const phase = PHASES[progress.phase];
  if (progress.phase === "lock")
    return progress.message === undefined ? `${phase} …` : `${phase}: in use by ${printable(progress.message)} …`;
  if (progress.total > 0) return `${phase} … ${formatCount(progress.done)} of ${formatCount(progress.total)}`;
  return progress.done > 0 ? `${phase} … ${formatCount(progress.done)}` : `${phase} …`;
}
