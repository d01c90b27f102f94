import { describe, expect, it } from "vitest";
import { untilDue } from "../../../src/host/autoSaveClock";

const MINUTE = 60_000;

describe("auto save clock", () => {
  it("V12 is due one interval after the last save while something happens", () => {
    const state = { lastSaveAt: 0, lastActivityAt: 1 };
    expect(untilDue(state, 10 * MINUTE, 4 * MINUTE)).toBe(6 * MINUTE);
    expect(untilDue(state, 10 * MINUTE, 11 * MINUTE)).toBe(0);
  });

  it("V12 without activity it looks three times more rarely, but it looks", () => {
    for (const lastActivityAt of [undefined, 5])
      expect(untilDue({ lastSaveAt: 10, lastActivityAt }, 10 * MINUTE, 10)).toBe(30 * MINUTE);
  });

  it("V12 a shorter interval counts from the last save", () => {
    expect(untilDue({ lastSaveAt: 0, lastActivityAt: 1 }, 2 * MINUTE, 5 * MINUTE)).toBe(0);
  });
});
