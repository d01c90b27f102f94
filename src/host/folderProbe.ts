/** Finds out, a few at a time, which reported paths are folders: events do not say. */

/** Questions under way at once, so that a burst of events does not fill the extension host's thread. */
const CONCURRENCY = 8;
/** Waiting and recently answered paths that are kept; what comes beyond the former is given up, and said. */
export const MAX_WAITING = 4_000;
const MAX_KNOWN = 4_000;

export interface FolderProbeOptions {
  /** Must not reject. */
  readonly isFolder: (path: string) => Promise<boolean>;
  readonly onFolder: (path: string) => void;
  /** Paths were given up unasked. */
  readonly onOverflow: () => void;
}

export class FolderProbe {
  private readonly waiting = new Set<string>();
  /** Answered since the last `forget`: a file that is written often is asked about once. */
  private readonly known = new Set<string>();
  private running = 0;

  constructor(private readonly options: FolderProbeOptions) {}

  ask(path: string): void {
    if (this.known.has(path) || this.waiting.has(path)) return;
    if (this.waiting.size >= MAX_WAITING) {
      this.waiting.clear();
      this.options.onOverflow();
      return;
    }
    this.waiting.add(path);
    if (this.running < CONCURRENCY) void this.work();
  }

  /** Paths are asked about anew: a file may have become a folder. */
  forget(): void {
    this.known.clear();
  }

  private async work(): Promise<void> {
    this.running++;
    for (;;) {
      const [path] = this.waiting;
      if (path === undefined) break;
      this.waiting.delete(path);
      if (this.known.size < MAX_KNOWN) this.known.add(path);
      if (await this.options.isFolder(path)) this.options.onFolder(path);
    }
    this.running--;
  }
}
