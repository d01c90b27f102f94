import { describe, expect, it } from "vitest";
import { planRetention, type RetentionFacts } from "../../../src/core/ops/retention";
import type { Checkpoint, CheckpointKind } from "../../../src/shared/checkpoints";
import { DEFAULT_RETENTION, type RetentionPolicy } from "../../../src/shared/retention";
import { type Random, withSeeds } from "../../support/seeded";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Thursday. */
const YEAR_BEGINS = Date.UTC(2026, 0, 1);
const THINNING: RetentionPolicy = { ...DEFAULT_RETENTION, minFreeDiskBytes: 0 };

let numbers = 0;

function checkpoint(createdAt: number, change: Partial<Checkpoint> = {}): Checkpoint {
  const number = ++numbers;
  return {
    id: `id-${number}`,
    number,
    createdAt,
    kind: "auto",
    trigger: "interval",
    name: null,
    note: null,
    pinned: false,
    parentId: null,
    rootTree: "",
    files: 1,
    bytes: 1,
    newObjects: 0,
    newBytes: 0,
    added: 0,
    changed: 0,
    removed: 0,
    skipped: 0,
    branch: null,
    head: null,
    groupId: null,
    ...change,
  };
}

function facts(change: Partial<RetentionFacts> = {}): RetentionFacts {
  return {
    needed: new Set(),
    localOffsetMs: () => 0,
    storeBytes: 0,
    freeDiskBytes: null,
    measure: (_, spare) => ({ kept: 0, spare: spare.map(() => 0) }),
    ...change,
  };
}

/** What is left when the policy is applied. */
function apply(
  checkpoints: readonly Checkpoint[],
  now: number,
  given: RetentionFacts = facts(),
  policy: RetentionPolicy = THINNING,
): Checkpoint[] {
  const going = new Set(planRetention(checkpoints, policy, given, now).going.map(({ checkpoint }) => checkpoint));
  return checkpoints.filter((each) => !going.has(each));
}

/** Working days from nine to six, every ten minutes; some made by hand, named, pinned, before a restore. */
function yearOfWork(random: Random, offsetMs: number): Checkpoint[] {
  const made: Checkpoint[] = [];
  for (let day = 0; day < 365; day++) {
    const morning = YEAR_BEGINS + day * DAY + 9 * HOUR - offsetMs;
    if ([6, 0].includes(new Date(morning + offsetMs).getUTCDay()) || random.chance(0.05)) continue;
    for (let at = morning; at < morning + 9 * HOUR; at += 10 * MINUTE) {
      if (random.chance(0.1)) continue;
      const kind: CheckpointKind = random.chance(0.01) ? "manual" : random.chance(0.003) ? "safety" : "auto";
      made.push(
        checkpoint(at + random.below(MINUTE), {
          kind,
          pinned: random.chance(0.002),
          name: random.chance(0.002) ? "named" : null,
          note: random.chance(0.001) ? "a note" : null,
        }),
      );
    }
  }
  return made;
}

const isSetApart = ({ kind, pinned, name, note }: Checkpoint): boolean =>
  kind === "manual" || kind === "import" || pinned || name !== null || note !== null;

/** The rules as they are written down, told once more in another way: by the names of hours, days and weeks. */
function expected(made: readonly Checkpoint[], now: number, offsetMs: number): Checkpoint[] {
  const local = (each: Checkpoint): Date => new Date(each.createdAt + offsetMs);
  const hour = (each: Checkpoint): string => local(each).toISOString().slice(0, 13);
  const day = (each: Checkpoint): string => local(each).toISOString().slice(0, 10);
  const monday = (each: Checkpoint): string => {
    const date = local(each);
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
    return date.toISOString().slice(0, 10);
  };
  const plain = made.filter((each) => !isSetApart(each));
  // Of equal keys the last entry counts.
  const [ofHour, ofDay, ofWeek] = [hour, day, monday].map(
    (period) => new Set(new Map(plain.map((each) => [period(each), each])).values()),
  ) as [Set<Checkpoint>, Set<Checkpoint>, Set<Checkpoint>];
  const newest = made.at(-1);
  return made.filter((each) => {
    const age = now - each.createdAt;
    if (isSetApart(each) || each === newest || age <= DAY) return true;
    if (each.kind === "safety" && age <= 7 * DAY) return true;
    if (age <= 3 * DAY) return ofHour.has(each);
    if (age <= 30 * DAY) return ofDay.has(each);
    return age <= 12 * 7 * DAY && ofWeek.has(each);
  });
}

describe("C19 thinning", () => {
  it("C19 keeps over a simulated year exactly what the rules say, however often they are applied", async () => {
    await withSeeds(2, (random) => {
      const offsetMs = random.pick([0, -8, 5.5, 13]) * HOUR;
      const given = facts({ localOffsetMs: () => offsetMs });
      const made = yearOfWork(random, offsetMs);
      const end = YEAR_BEGINS + 365 * DAY + random.below(DAY);
      const wanted = expected(made, end, offsetMs);
      const applied = (everyMs: number): Checkpoint[] => {
        let kept: Checkpoint[] = [];
        let next = 0;
        for (let now = YEAR_BEGINS + everyMs; now < end; now += everyMs) {
          while (next < made.length && made[next]!.createdAt <= now) kept.push(made[next++]!);
          kept = apply(kept, now, given);
          // Nothing that the rules protect has gone at any time.
          expect(kept.at(-1)).toBe(made[next - 1]);
        }
        return apply([...kept, ...made.slice(next)], end, given);
      };
      const numbersOf = (kept: readonly Checkpoint[]): number[] => kept.map(({ number }) => number);
      expect(made.length).toBeGreaterThan(10_000);
      expect(numbersOf(apply(made, end, given))).toEqual(numbersOf(wanted));
      expect(numbersOf(applied(HOUR))).toEqual(numbersOf(wanted));
      expect(numbersOf(applied(DAY))).toEqual(numbersOf(wanted));
      expect(numbersOf(applied(30 * DAY))).toEqual(numbersOf(wanted));
      // What is set apart, and some 60 others.
      expect(wanted.filter((each) => !isSetApart(each)).length).toBeLessThan(150);
    });
  });

  it("C19 what is pinned, named, noted, made by hand or imported never goes by age", () => {
    const apart = [
      { pinned: true },
      { name: "x" },
      { note: "why" },
      { kind: "manual" as const },
      { kind: "import" as const },
    ].map((change, i) => checkpoint(YEAR_BEGINS + i * MINUTE, change));
    const plain = checkpoint(YEAR_BEGINS + HOUR);
    const newest = checkpoint(YEAR_BEGINS + 2 * HOUR);
    expect(apply([...apart, plain, newest], YEAR_BEGINS + 3650 * DAY)).toEqual([...apart, newest]);
  });

  it("C19 an import does not take the place of the newest", () => {
    const all = [checkpoint(YEAR_BEGINS), checkpoint(YEAR_BEGINS + HOUR), checkpoint(YEAR_BEGINS, { kind: "import" })];
    expect(apply(all, YEAR_BEGINS + 3650 * DAY)).toEqual(all.slice(1));
  });

  it("C19 a safety checkpoint stays for seven days, and as long as undo or redo goes back to it", () => {
    const safety = [0, 1, 2].map((i) => checkpoint(YEAR_BEGINS + i * MINUTE, { kind: "safety" }));
    const newest = checkpoint(YEAR_BEGINS + HOUR);
    const all = [...safety, newest];
    expect(apply(all, YEAR_BEGINS + 7 * DAY)).toEqual(all);
    expect(apply(all, YEAR_BEGINS + 8 * DAY)).toEqual([newest]);
    const needed = new Set([safety[1]!.id]);
    expect(apply(all, YEAR_BEGINS + 3650 * DAY, facts({ needed }))).toEqual([safety[1], newest]);
  });

  it("C19 what is protected for a while decides nothing about its neighbours", () => {
    const auto = checkpoint(YEAR_BEGINS + 10 * MINUTE);
    const safety = checkpoint(YEAR_BEGINS + 50 * MINUTE, { kind: "safety" });
    const newest = checkpoint(YEAR_BEGINS + 60 * DAY);
    const early = apply([auto, safety, newest], YEAR_BEGINS + 2 * DAY);
    expect(early).toEqual([safety, newest]);
    expect(apply(early, YEAR_BEGINS + 60 * DAY)).toEqual(apply([auto, safety, newest], YEAR_BEGINS + 60 * DAY));
  });

  it("C19 a night in which clocks are set back, or forward, makes no difference to that", () => {
    // Set back by an hour at 01:00 UTC, and forward half a year later, as in Berlin.
    const localOffsetMs = (at: number): number => {
      const isSummer = at >= Date.UTC(2026, 2, 29, 1) && at < Date.UTC(2026, 9, 25, 1);
      return (isSummer ? 2 : 1) * HOUR;
    };
    for (const begin of [Date.UTC(2026, 9, 24, 20), Date.UTC(2026, 2, 28, 20)]) {
      const made = Array.from({ length: 72 }, (_, i) => checkpoint(begin + i * 10 * MINUTE));
      const end = begin + 40 * DAY;
      let kept = made;
      for (let now = begin + 12 * HOUR; now < end; now += HOUR) kept = apply(kept, now, facts({ localOffsetMs }));
      expect(apply(kept, end, facts({ localOffsetMs }))).toEqual(apply(made, end, facts({ localOffsetMs })));
    }
  });

  it("C19 a clock that went back lets nothing go that is newer than all", () => {
    const future = checkpoint(YEAR_BEGINS + 100 * DAY);
    const newest = checkpoint(YEAR_BEGINS - 400 * DAY);
    expect(apply([future, newest], YEAR_BEGINS)).toEqual([future, newest]);
  });
});

describe("C19 the limits", () => {
  const now = YEAR_BEGINS + 30 * DAY;
  /** Nothing is kept for being of the last hours alone. */
  const LIMITED: RetentionPolicy = { ...THINNING, allHours: 0 };
  /** Every checkpoint takes 100 bytes; the first `by` of them are what goes first. */
  const sized = (all: readonly Checkpoint[], more: Partial<RetentionFacts> = {}): RetentionFacts =>
    facts({
      storeBytes: 100 * all.length,
      measure: (going, spare) => ({
        kept: 100 * (all.length - going.length - spare.length),
        spare: spare.map(() => 100),
      }),
      ...more,
    });

  function fewDays(): Checkpoint[] {
    const mine = checkpoint(now - 20 * DAY, { kind: "manual" });
    const safety = checkpoint(now - 9 * DAY, { kind: "safety" });
    return [mine, safety, ...Array.from({ length: 10 }, (_, i) => checkpoint(now - 10 * HOUR + i * HOUR))];
  }

  it("C19 the oldest automatic ones go first, then old safety ones, and no more than it takes", () => {
    const all = fewDays();
    const policy = { ...LIMITED, maxStoreBytes: 700 };
    const plan = planRetention(all, policy, sized(all), now);
    expect(plan.going.map((each) => each.checkpoint)).toEqual(all.slice(2, 7));
    expect(plan.going.map((each) => each.reason)).toEqual(Array(5).fill("size"));
    expect(plan).toMatchObject({ storeBytes: 1200, freedBytes: 500, kept: 7, missingBytes: 0 });
    // Nine of the ten, the newest never; then the safety one; the one made by hand not at all.
    const less = planRetention(all, { ...LIMITED, maxStoreBytes: 150 }, sized(all), now);
    expect(less.going.map((each) => each.checkpoint)).toEqual(all.slice(1, 11));
    expect(less).toMatchObject({ kept: 2, missingBytes: 50 });
  });

  it("C19 too little free disk counts like too large a store, and is told apart", () => {
    const all = fewDays();
    const policy = { ...LIMITED, minFreeDiskBytes: 1000 };
    const plan = planRetention(all, policy, sized(all, { freeDiskBytes: 750 }), now);
    expect(plan.going).toEqual(all.slice(2, 5).map((checkpoint) => ({ checkpoint, reason: "disk" })));
    expect(planRetention(all, policy, sized(all, { freeDiskBytes: null }), now).going).toEqual([]);
    expect(planRetention(all, policy, sized(all, { freeDiskBytes: 1000 }), now).going).toEqual([]);
  });

  it("C19 a disk that would not have enough free without them costs no checkpoint", () => {
    const old = checkpoint(now - 300 * DAY);
    const all = fewDays();
    const policy = { ...LIMITED, minFreeDiskBytes: 1000 };
    // Ten can go: 100 bytes each.
    const just = planRetention(all, policy, sized(all, { freeDiskBytes: 0 }), now);
    expect(just.going).toHaveLength(10);
    expect(just.missingBytes).toBe(0);
    for (const change of [{ minFreeDiskBytes: 1001 }, { minFreeDiskBytes: 1e9 }]) {
      const plan = planRetention(all, { ...policy, ...change }, sized(all, { freeDiskBytes: 0 }), now);
      expect(plan).toMatchObject({ going: [], kept: 12, freedBytes: 0, missingBytes: change.minFreeDiskBytes });
    }
    // What goes by age, or for the size of the store, goes all the same.
    const both = { ...policy, minFreeDiskBytes: 1e9, maxStoreBytes: 1100 };
    const plan = planRetention([old, ...all], both, sized([old, ...all], { freeDiskBytes: 0 }), now);
    expect(plan.going.map(({ reason }) => reason)).toEqual(["age", "size"]);
    expect(plan.missingBytes).toBe(1e9 - 200);
  });

  it("C19 no limit cuts the last hours short", () => {
    const all = fewDays();
    const lasting = { ...THINNING, allHours: 5 };
    const bySize = planRetention(all, { ...lasting, maxStoreBytes: 1 }, sized(all), now);
    // The safety one, and those of ten to six hours ago.
    expect(bySize.going.map((each) => each.checkpoint)).toEqual(all.slice(1, 7));
    expect(bySize.missingBytes).toBe(599);
    const disk = sized(all, { freeDiskBytes: 400 });
    const byDisk = (allHours: number) =>
      planRetention(all, { ...LIMITED, allHours, minFreeDiskBytes: 1000 }, disk, now).going.length;
    expect([byDisk(5), byDisk(6)]).toEqual([6, 0]);
  });

  it("C19 what goes by age goes first, and may be enough", () => {
    const old = checkpoint(now - 300 * DAY);
    const all = [old, ...fewDays()];
    const plan = planRetention(all, { ...LIMITED, maxStoreBytes: 1200 }, sized(all), now);
    expect(plan.going).toEqual([{ checkpoint: old, reason: "age" }]);
  });

  it("nothing is measured while nothing goes and no limit is broken", () => {
    const all = fewDays();
    const measure = (): never => {
      throw new Error("measured for nothing");
    };
    expect(planRetention(all, LIMITED, sized(all, { measure }), now).going).toEqual([]);
  });

  it("C19 random checkpoints and limits: nothing protected ever goes, and a limit that is missed leaves nothing else", async () => {
    await withSeeds(200, (random) => {
      const all = Array.from({ length: 1 + random.below(40) }, () =>
        checkpoint(now - random.below(100 * DAY), {
          kind: random.pick(["auto", "auto", "safety", "manual", "import"]),
          pinned: random.chance(0.1),
          name: random.chance(0.1) ? "n" : null,
        }),
      );
      const needed = new Set(all.filter(() => random.chance(0.1)).map(({ id }) => id));
      const policy = {
        ...THINNING,
        allHours: random.below(50 * 24),
        maxStoreBytes: random.below(3000),
        minFreeDiskBytes: random.below(3000),
      };
      const given = sized(all, { needed, freeDiskBytes: random.below(3000) });
      const plan = planRetention(all, policy, given, now);
      const going = new Set(plan.going.map((each) => each.checkpoint));
      const newest = [all.at(-1), all.findLast(({ kind }) => kind !== "import")];
      const isProtected = (each: Checkpoint): boolean =>
        isSetApart(each) ||
        newest.includes(each) ||
        needed.has(each.id) ||
        (each.kind === "safety" && now - each.createdAt <= 7 * DAY);
      expect([...going].filter(isProtected)).toEqual([]);
      const isSpare = (each: Checkpoint): boolean =>
        !isProtected(each) && !going.has(each) && now - each.createdAt > policy.allHours * HOUR;
      const byRoom = plan.going.filter(({ reason }) => reason !== "age").map((each) => each.checkpoint);
      expect(byRoom.filter((each) => now - each.createdAt <= policy.allHours * HOUR)).toEqual([]);
      const left = plan.storeBytes - plan.freedBytes;
      const size = policy.maxStoreBytes > 0 ? Math.max(0, left - policy.maxStoreBytes) : 0;
      const disk = Math.max(0, policy.minFreeDiskBytes - (given.freeDiskBytes ?? 0) - plan.freedBytes);
      expect(plan.missingBytes).toBe(Math.max(size, policy.minFreeDiskBytes > 0 ? disk : 0));
      if (size > 0) expect(all.filter(isSpare)).toEqual([]);
      // In vain, or enough: nothing in between.
      if (plan.going.some(({ reason }) => reason === "disk")) expect(disk).toBe(0);
      else if (disk > 0) expect(disk).toBeGreaterThan(100 * all.filter(isSpare).length);
    });
  });
});
