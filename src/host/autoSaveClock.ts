/** When the next automatic save is due. Pure: times come in. */

/** Without any sign of activity a save only makes sure that no sign was missed; so much rarer. */
const IDLE_FACTOR = 3;

export interface AutoSaveState {
  /** Last time a save, automatic or not, was done or found nothing. */
  readonly lastSaveAt: number;
  /** Last sign that files may have changed; undefined = none since the window opened. */
  readonly lastActivityAt: number | undefined;
}

/** Milliseconds from `now` until the next automatic save; 0 = now. */
export function untilDue(state: AutoSaveState, intervalMs: number, now: number): number {
  const active = state.lastActivityAt !== undefined && state.lastActivityAt >= state.lastSaveAt;
  const wait = active ? intervalMs : intervalMs * IDLE_FACTOR;
  return Math.max(0, state.lastSaveAt + wait - now);
}
