/**
 * Lets a few calls run at a time. VS Code asks for a thousand files at once when a large comparison opens; answers that
 * arrive together are dealt with in one turn of the event loop, and nothing else gets one meanwhile.
 */
export class CallLimit {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly max: number) {}

  /** Runs `work` when its turn comes, first come first served; settles as it does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.max) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      return await work();
    } finally {
      // The place is handed on, so that nobody who comes in between takes it.
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
