/** Finds out, a few at a time, which reported paths are folders: events do not say. */

/** Questions under way at once, so that a burst of events does not fill the extension host's thread. */
const CONCURRENCY = 8;
/** Paths that wait for their turn; what comes beyond is given up, and said. */
export const MAX_WAITING = 4_000;

interface FolderProbeOptions {
  /** Must not reject. */
  readonly isFolder: (path: string) => Promise<boolean>;
  readonly onFolder: (path: string) => void;
  /** Paths were given up unasked. */
  readonly onOverflow: () => void;
}

export class FolderProbe {
  /**
   * Answers are not kept: by the time of its next event, what was a file may have given way to a folder. Nor does a
   * question under way stand for a later one, because its answer may be older than that event.
   */
  private readonly waiting = new Set<string>();
  private running = 0;

  constructor(private readonly options: FolderProbeOptions) {}

  ask(path: string): void {
    if (this.waiting.has(path)) return;
    if (this.waiting.size >= MAX_WAITING) {
      this.waiting.clear();
      this.options.onOverflow();
      return;
    }
    this.waiting.add(path);
    if (this.running < CONCURRENCY) void this.work();
  }

  private async work(): Promise<void> {
    this.running++;
    for (;;) {
      const [path] = this.waiting;
      if (path === undefined) break;
      this.waiting.delete(path);
      if (await this.options.isFolder(path)) this.options.onFolder(path);
    }
    this.running--;
  }
}
