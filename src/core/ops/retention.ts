/**
 * Which checkpoints go by age, by the size of the store and by the room on the disk. Data in, data out: who reads and who
 * deletes is in prune.ts.
 *
 *   protected          pinned, named or with a note; the newest; made by hand or imported; safety checkpoints of the last
 *                      SAFETY_DAYS, and whatever undo, redo or an interrupted restore goes back to. Never go.
 *   goes by age        automatic, and safety ones once they are no longer protected
 *   goes for the room  the same, oldest first, automatic ones before safety ones; never what the rule for the last hours
 *                      keeps
 *
 * A store that may not be larger gets as near to its limit as that allows. The minimum of free disk is nobody's alone:
 * where all of that would not be enough, history would go for nothing, so none does, and the plan says what is missing.
 *
 * Thinning keeps the last of each hour, day and week. Weeks consist of days, and days of hours, so the last of a week is
 * the last of its day and of its hour too: what a rule for older checkpoints will keep, no rule for younger ones drops.
 * And whether a checkpoint is the last of its period does not depend on when that is asked. So it makes no difference
 * how often the rules are applied: after each save, or once a year.
 *
 * Which is the last is asked among automatic and safety checkpoints without name, note or pin, whether or not something
 * else protects them at the moment: what is protected for a while only must not decide about its neighbours.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import type { PrunedCheckpoint, PrunePlan, RetentionPolicy } from "../../shared/retention";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** People notice within days that a restore was a mistake. */
export const SAFETY_DAYS = 7;

/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const DAYS_FROM_MONDAY = 3;

/** What the rules have to know besides the checkpoints. */
export interface RetentionFacts {
  /** Checkpoints that undo, redo or an interrupted restore goes back to. */
  readonly needed: ReadonlySet<string>;
  /** Local time minus UTC at a moment, both in milliseconds. */
  readonly localOffsetMs: (at: number) => number;
  readonly storeBytes: number;
  /** Null: the system does not say. */
  readonly freeDiskBytes: number | null;
  /** Called at most once: only what may go needs to be measured. */
  readonly measure: (going: readonly Checkpoint[], spare: readonly Checkpoint[]) => RetentionSizes;
}

export interface RetentionSizes {
  /** The store without `going` and `spare`, in bytes. */
  readonly kept: number;
  /** For each of `spare`: what goes with it, once `going` and those before it have gone. */
  readonly spare: readonly number[];
}

/** What goes now. `checkpoints` in any order; `now` in milliseconds since 1970. */
export function planRetention(
  checkpoints: readonly Checkpoint[],
  policy: RetentionPolicy,
  facts: RetentionFacts,
  now: number,
): PrunePlan {
  const going = thinned(checkpoints, policy, facts, now);
  const over = (storeBytes: number) => excess(policy, facts, storeBytes);
  // Without any store, enough would have to be free: else nothing has to be measured to know that it is in vain.
  const mayHelpDisk = over(0).disk === 0;
  const isOver = over(facts.storeBytes).size > 0 || (over(facts.storeBytes).disk > 0 && mayHelpDisk);
  const spare = isOver ? spareInOrder(checkpoints, new Set(going), policy, facts, now) : [];
  let { storeBytes } = facts;
  const all: PrunedCheckpoint[] = going.map((checkpoint) => ({ checkpoint, reason: "age" }));
  // While nothing is over a limit and nothing goes, reading all trees would be for nothing.
  if (isOver || going.length > 0) {
    const sizes = facts.measure(going, spare);
    storeBytes = sizes.kept + sizes.spare.reduce((sum, bytes) => sum + bytes, 0);
    const canHelpDisk = over(sizes.kept).disk === 0;
    for (const [i, checkpoint] of spare.entries()) {
      const { size, disk } = over(storeBytes);
      if (size === 0 && (disk === 0 || !canHelpDisk)) break;
      all.push({ checkpoint, reason: size > 0 ? "size" : "disk" });
      storeBytes -= sizes.spare[i] ?? 0;
    }
  }
  return {
    going: all.sort((a, b) => (isLater(a.checkpoint, b.checkpoint) ? 1 : -1)),
    kept: checkpoints.length - all.length,
    storeBytes: facts.storeBytes,
    freedBytes: Math.max(0, facts.storeBytes - storeBytes),
    freeDiskBytes: facts.freeDiskBytes,
    missingBytes: Math.max(over(storeBytes).size, over(storeBytes).disk),
  };
}

/** By how much a store of this size breaks the limits, in bytes. */
function excess(
  { maxStoreBytes, minFreeDiskBytes }: RetentionPolicy,
  facts: RetentionFacts,
  storeBytes: number,
): { readonly size: number; readonly disk: number } {
  const size = maxStoreBytes > 0 ? storeBytes - maxStoreBytes : 0;
  const free = facts.freeDiskBytes === null ? undefined : facts.freeDiskBytes + facts.storeBytes - storeBytes;
  const disk = minFreeDiskBytes > 0 && free !== undefined ? minFreeDiskBytes - free : 0;
  return { size: Math.max(0, size), disk: Math.max(0, disk) };
}

function thinned(
  checkpoints: readonly Checkpoint[],
  { allHours, hourlyDays, dailyDays, weeklyWeeks }: RetentionPolicy,
  facts: RetentionFacts,
  now: number,
): Checkpoint[] {
  const candidates = checkpoints.filter(isThinnable);
  const local = ({ createdAt }: Checkpoint): number => createdAt + facts.localOffsetMs(createdAt);
  const day = (each: Checkpoint): number => Math.floor(local(each) / DAY_MS);
  const lastOfHour = lastOfEach(candidates, (each) => Math.floor(local(each) / HOUR_MS));
  const lastOfDay = lastOfEach(candidates, day);
  const lastOfWeek = lastOfEach(candidates, (each) => Math.floor((day(each) + DAYS_FROM_MONDAY) / 7));
  const mayGo = spareable(checkpoints, facts, now);
  return candidates.filter((each) => {
    const age = now - each.createdAt;
    const isKept =
      isOfLastHours(each, allHours, now) ||
      (age <= hourlyDays * DAY_MS && lastOfHour.has(each)) ||
      (age <= dailyDays * DAY_MS && lastOfDay.has(each)) ||
      (age <= weeklyWeeks * WEEK_MS && lastOfWeek.has(each));
    return !isKept && mayGo(each);
  });
}

/** In the order in which they go when room is needed. */
function spareInOrder(
  checkpoints: readonly Checkpoint[],
  going: ReadonlySet<Checkpoint>,
  { allHours }: RetentionPolicy,
  facts: RetentionFacts,
  now: number,
): Checkpoint[] {
  const mayGo = spareable(checkpoints, facts, now);
  const rank = ({ kind }: Checkpoint): number => (kind === "auto" ? 0 : 1);
  return checkpoints
    .filter((each) => isThinnable(each) && !going.has(each) && !isOfLastHours(each, allHours, now) && mayGo(each))
    .sort((a, b) => rank(a) - rank(b) || (isLater(a, b) ? 1 : -1));
}

/** What somebody works on now: the one period that no limit cuts short. */
function isOfLastHours({ createdAt }: Checkpoint, allHours: number, now: number): boolean {
  return now - createdAt <= allHours * HOUR_MS;
}

/** Made without being asked for, and nobody has set it apart since. */
function isThinnable({ kind, pinned, name, note }: Checkpoint): boolean {
  return (kind === "auto" || kind === "safety") && !pinned && name === null && note === null;
}

/** Whether nothing protects a thinnable checkpoint at the moment. */
function spareable(
  checkpoints: readonly Checkpoint[],
  { needed }: RetentionFacts,
  now: number,
): (each: Checkpoint) => boolean {
  // An import is the newest by its number, not by what it holds.
  const newest = [newestOf(checkpoints), newestOf(checkpoints.filter(({ kind }) => kind !== "import"))];
  return (each) =>
    !newest.includes(each) &&
    !needed.has(each.id) &&
    (each.kind !== "safety" || now - each.createdAt > SAFETY_DAYS * DAY_MS);
}

function newestOf(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  return checkpoints.reduce<Checkpoint | undefined>((a, b) => (a && a.number > b.number ? a : b), undefined);
}

function lastOfEach(checkpoints: readonly Checkpoint[], periodOf: (each: Checkpoint) => number): Set<Checkpoint> {
  const last = new Map<number, Checkpoint>();
  for (const each of checkpoints) {
    const period = periodOf(each);
    const other = last.get(period);
    if (other === undefined || isLater(each, other)) last.set(period, each);
  }
  return new Set(last.values());
}

/** Numbers decide where a clock stood still: two saves in a millisecond. */
function isLater(a: Checkpoint, b: Checkpoint): boolean {
  return a.createdAt > b.createdAt || (a.createdAt === b.createdAt && a.number > b.number);
}
