import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VisibleTimer } from "../../../src/host/visibleTimer";

const MINUTE = 60_000;

describe("a timer for what can be seen", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function started() {
    let calls = 0;
    const timer = new VisibleTimer(MINUTE, () => calls++);
    return { timer, calls: () => calls };
  }

  it("V20 runs while something is visible, and at no other time", () => {
    const { timer, calls } = started();
    expect(vi.getTimerCount()).toBe(0);
    timer.setVisible(true);
    timer.setVisible(true);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2 * MINUTE);
    expect(calls()).toBe(2);
    timer.setVisible(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("V7 brings up to date what was hidden for longer, and nothing that is new", () => {
    const { timer, calls } = started();
    timer.setVisible(true);
    expect(calls()).toBe(0);
    for (const [hiddenMs, expected] of [
      [MINUTE - 1, 0],
      [MINUTE, 1],
    ] as const) {
      timer.setVisible(false);
      vi.advanceTimersByTime(hiddenMs);
      timer.setVisible(true);
      expect(calls()).toBe(expected);
    }
    timer.dispose();
    expect(vi.getTimerCount()).toBe(0);
  });
});
