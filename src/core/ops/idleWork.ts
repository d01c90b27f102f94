/**
 * Work for times when nobody waits: begins once nothing was asked for a while, and ends at its next step when something
 * is. When it has become urgent it begins at once, and runs to its end. Its timer keeps no process alive.
 */
export class IdleWork {
  private timer: NodeJS.Timeout | undefined;
  private running: { cancelled: boolean; readonly isUrgent: boolean; readonly ended: Promise<void> } | undefined;
  private asked = 0;
  private wanted = false;
  private closed = false;

  /**
   * `work` answers whether there is more of it. What it rejects with is nobody's to hear, as nobody asked for it: it is
   * not tried again until it is wanted again. `afterMs` 0: it is never begun.
   */
  constructor(
    private readonly afterMs: number,
    private readonly work: (isCancelled: () => boolean, isUrgent: boolean) => Promise<boolean>,
  ) {}

  /** Something is asked for: work stops, and the next begins no sooner than `afterMs` after the answer. */
  async during<T>(answer: () => Promise<T>): Promise<T> {
    this.asked++;
    clearTimeout(this.timer);
    if (this.running?.isUrgent === false) this.running.cancelled = true;
    try {
      return await answer();
    } finally {
      this.asked--;
      this.arm();
    }
  }

  /** There may be something to do. */
  want(): void {
    this.wanted = true;
    this.arm();
  }

  /** There is too much to do to wait for quiet any longer. Nothing happens while something runs already. */
  hurry(): void {
    if (this.isOff || this.running !== undefined) return;
    clearTimeout(this.timer);
    this.begin(true);
  }

  /** Nothing is begun any more, and what runs stops at its next step; resolves when it has. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    if (this.running !== undefined) this.running.cancelled = true;
    await this.running?.ended;
  }

  private get isOff(): boolean {
    return this.closed || this.afterMs === 0;
  }

  private arm(): void {
    clearTimeout(this.timer);
    if (this.isOff || !this.wanted || this.asked > 0 || this.running !== undefined) return;
    this.timer = setTimeout(() => this.begin(false), this.afterMs);
    this.timer.unref();
  }

  private begin(isUrgent: boolean): void {
    const running = { cancelled: false, isUrgent, ended: Promise.resolve() };
    this.running = running;
    running.ended = this.run(() => running.cancelled, isUrgent);
  }

  /** Never rejects: nobody would hear of it but the process, which ends for an unhandled rejection. */
  private async run(isCancelled: () => boolean, isUrgent: boolean): Promise<void> {
    let isMore = false;
    // A `want` from here on is kept, whatever the answer is.
    this.wanted = false;
    try {
      isMore = await this.work(isCancelled, isUrgent);
    } catch {
      // See the constructor.
    } finally {
      this.running = undefined;
      // What was stopped is due again.
      this.wanted ||= isMore || isCancelled();
      this.arm();
    }
  }
}
