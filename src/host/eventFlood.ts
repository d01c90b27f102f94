/**
 * Notices when file events come so fast that some are lost. Pure: times come in.
 *
 * VS Code passes on 2,500 events a second at most, for all folders together, and silently drops what comes while 30,000
 * wait; so before and after a loss there are 10 s of nearly 25,000 events. The kernel's queue on Linux holds 16,384,
 * about three for each file written. Counted are events about anything, saved or not.
 */
export const FLOOD_EVENTS = 5_000;
const WINDOW_MS = 10_000;
const SLICE_MS = 1_000;

export class EventFlood {
  /** Events of the window by second, newest last. */
  private readonly slices: { at: number; count: number }[] = [];

  /** Counts one event; true while there are too many. */
  note(now: number): boolean {
    const newest = this.slices.at(-1);
    const age = newest ? now - newest.at : SLICE_MS;
    // Also after the clock was set back: the old times mean nothing then.
    if (age < 0) this.slices.length = 0;
    if (newest && age >= 0 && age < SLICE_MS) newest.count++;
    else this.slices.push({ at: now, count: 1 });
    while (now - (this.slices[0]?.at ?? now) >= WINDOW_MS) this.slices.shift();
    return this.slices.reduce((sum, { count }) => sum + count, 0) > FLOOD_EVENTS;
  }
}
