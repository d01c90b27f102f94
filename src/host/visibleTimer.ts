import type { Disposer } from "../shared/disposable";

/** Calls back at an interval while somebody can see what it is for; while nobody can, no timer runs. */
export class VisibleTimer implements Disposer {
  private timer: NodeJS.Timeout | undefined;
  private hiddenAt: number | undefined;

  /** Nothing is visible at first. `now` in milliseconds. */
  constructor(
    private readonly intervalMs: number,
    private readonly callback: () => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** May be told the same again. What comes back after more than an interval is called for at once. */
  setVisible(visible: boolean): void {
    if (visible === (this.timer !== undefined)) return;
    if (!visible) {
      this.dispose();
      this.hiddenAt = this.now();
      return;
    }
    this.timer = setInterval(this.callback, this.intervalMs);
    if (this.hiddenAt !== undefined && this.now() - this.hiddenAt >= this.intervalMs) this.callback();
  }

  dispose(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
