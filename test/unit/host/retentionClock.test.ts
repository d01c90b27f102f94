import { expect, it } from "vitest";
import { followsJump, untilCleanUp } from "../../../src/host/retentionClock";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it("C19 cleans up when it is due, a quiet minute after the last use", () => {
  const now = 1_000 * MINUTE;
  expect(untilCleanUp({ dueAt: now, lastUseAt: now }, now)).toBe(MINUTE);
  expect(untilCleanUp({ dueAt: now, lastUseAt: now - 5 * MINUTE }, now)).toBe(0);
  expect(untilCleanUp({ dueAt: now + 50 * MINUTE, lastUseAt: now }, now)).toBe(50 * MINUTE);
  expect(untilCleanUp({ dueAt: now - 10 * MINUTE, lastUseAt: now - 40_000 }, now)).toBe(20_000);
});

it("C19 does so at some time, too, with somebody who leaves no quiet", () => {
  const now = 1_000 * MINUTE;
  expect(untilCleanUp({ dueAt: now - 60 * MINUTE, lastUseAt: now }, now)).toBe(0);
});

it("C19 waits until a changed rule has been at rest for five minutes, however long it has been due", () => {
  const now = 1_000 * MINUTE;
  const long = { dueAt: now - 300 * MINUTE, lastUseAt: now - 300 * MINUTE };
  expect(untilCleanUp({ ...long, policyChangedAt: now }, now)).toBe(5 * MINUTE);
  expect(untilCleanUp({ ...long, policyChangedAt: now - 4 * MINUTE }, now)).toBe(MINUTE);
  expect(untilCleanUp({ ...long, policyChangedAt: now - 5 * MINUTE }, now)).toBe(0);
});

it("C19 takes a clock that jumped for one until a checkpoint is a day old by it", () => {
  const begin = 20_000 * DAY;
  const work = Array.from({ length: 30 }, (_, i) => begin + i * 3 * MINUTE);
  const end = begin + 29 * 3 * MINUTE;
  expect(followsJump([], begin)).toBe(false);
  expect(followsJump(work, end + HOUR)).toBe(false);
  expect(followsJump(work, end + 3 * DAY)).toBe(false);
  const back = end + 100 * DAY;
  expect(followsJump(work, back)).toBe(true);
  // However long nothing is made.
  expect(followsJump(work, back + 10 * DAY)).toBe(true);
  const again = [back, ...work, back + HOUR];
  expect(followsJump(again, back + 2 * HOUR)).toBe(true);
  expect(followsJump(again, back + DAY)).toBe(true);
  expect(followsJump(again, back + DAY + 1)).toBe(false);
  // Set right: what was made by the wrong date is not there yet.
  expect(followsJump(again, end + 5 * HOUR)).toBe(false);
});

it("C19 somebody who works an afternoon a week is cleaned up after, and not after a longer absence", () => {
  const begin = 20_000 * DAY;
  const afternoons = (weeks: readonly number[]): number[] =>
    weeks.flatMap((week) => [0, 1, 2, 3].map((hour) => begin + week * 7 * DAY + hour * HOUR));
  const at = (week: number): number => begin + week * 7 * DAY + 4 * HOUR;
  expect(followsJump(afternoons([0, 1]), at(1))).toBe(true);
  expect(followsJump(afternoons([0, 1, 2]), at(2))).toBe(false);
  expect(followsJump(afternoons([0, 1, 2, 6]), at(6))).toBe(true);
});
