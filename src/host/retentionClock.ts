/** When the next automatic clean-up is due, and whether the clock can be believed. Pure: times come in, in milliseconds. */

/** Thinning makes no difference more often: its shortest period is an hour. */
export const CLEAN_UP_INTERVAL_MS = 60 * 60_000;
/** After a save, and whatever else is done with checkpoints: people may look at what they have just made. */
const QUIET_MS = 60_000;
/** With somebody who leaves no quiet, it is done all the same so long after it was due. */
const PATIENCE_MS = 60 * 60_000;

/** After a rule has changed: "1" is typed on the way to "10", and what goes by it does not come back. */
const POLICY_QUIET_MS = 5 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** A weekend, and no more: a clock that jumps less makes nothing go that would not have gone on Monday. */
const JUMP_MS = 3 * DAY_MS;

export interface RetentionState {
  /** From when on there is a reason to look. */
  readonly dueAt: number;
  /** When the store was last used by anybody in this window, or a setting changed. */
  readonly lastUseAt: number;
  /** When a rule was last changed; absent: not since the window opened. */
  readonly policyChangedAt?: number | undefined;
}

/** Milliseconds from `now`; 0 = now. However long it has been due, a change of the rules comes to rest first. */
export function untilCleanUp({ dueAt, lastUseAt, policyChangedAt }: RetentionState, now: number): number {
  const quietAt = Math.min(lastUseAt + QUIET_MS, dueAt + PATIENCE_MS);
  const settledAt = policyChangedAt === undefined ? now : policyChangedAt + POLICY_QUIET_MS;
  return Math.max(0, dueAt - now, quietAt - now, settledAt - now);
}

/**
 * Whether time seems to have jumped: a machine woke with a wrong date, or somebody is back from a long leave. By the new
 * date most of the recent history is old; whoever made it has not seen it since. So nothing goes until a checkpoint has
 * been made after the jump, and a day has passed since.
 *
 * It is told by the times of the checkpoints themselves (any order), so windows need not write it down for each other.
 * Those from the future of a clock that has been set right count for nothing. With somebody who works here an afternoon
 * a week that day would never come: a gap is no jump where the one before was not much shorter, with less than a day of
 * work in between.
 */
export function followsJump(createdAt: readonly number[], now: number): boolean {
  const spells: { readonly begin: number; end: number }[] = [];
  for (const at of [...createdAt.filter((each) => each <= now).sort((a, b) => a - b), now]) {
    const last = spells.at(-1);
    if (last !== undefined && at - last.end <= JUMP_MS) last.end = at;
    else spells.push({ begin: at, end: at });
  }
  const [current, before, earlier] = spells.reverse();
  if (current === undefined || before === undefined || now - current.begin > DAY_MS) return false;
  const isHabit =
    earlier !== undefined &&
    before.end - before.begin <= DAY_MS &&
    current.begin - before.end <= 2 * (before.begin - earlier.end);
  return !isHabit;
}
