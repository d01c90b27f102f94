import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IdleWork } from "../../../src/core/ops/idleWork";

describe("work for times when nobody waits", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  /** Runs that end when they are told to. */
  function counted(isMore = false): {
    work: IdleWork;
    runs: { isCancelled: () => boolean; end: () => void }[];
  } {
    const runs: { isCancelled: () => boolean; end: () => void }[] = [];
    const work = new IdleWork(
      1_000,
      (isCancelled) =>
        new Promise((resolve) => {
          runs.push({ isCancelled, end: () => resolve(isMore) });
        }),
    );
    return { work, runs };
  }

  it("begins when it is wanted and nothing was asked for that long", async () => {
    const { work, runs } = counted();
    await work.during(async () => {});
    vi.advanceTimersByTime(5_000);
    expect(runs).toHaveLength(0);
    work.want();
    vi.advanceTimersByTime(900);
    await work.during(async () => {});
    vi.advanceTimersByTime(900);
    expect(runs).toHaveLength(0);
    vi.advanceTimersByTime(100);
    expect(runs).toHaveLength(1);
    runs[0]?.end();
    await nextTurn();
    vi.advanceTimersByTime(5_000);
    expect(runs).toHaveLength(1);
  });

  it("is told to stop by a question, and begins anew after the answer", async () => {
    const { work, runs } = counted();
    work.want();
    vi.advanceTimersByTime(1_000);
    expect(runs[0]?.isCancelled()).toBe(false);
    let answer: () => void = () => {};
    const question = work.during(
      () =>
        new Promise<void>((resolve) => {
          answer = resolve;
        }),
    );
    expect(runs[0]?.isCancelled()).toBe(true);
    runs[0]?.end();
    await nextTurn();
    vi.advanceTimersByTime(5_000);
    expect(runs).toHaveLength(1);
    answer();
    await question;
    vi.advanceTimersByTime(1_000);
    expect(runs).toHaveLength(2);
    expect(runs[1]?.isCancelled()).toBe(false);
    runs[1]?.end();
  });

  it("goes on later when it says that there is more", async () => {
    const { work, runs } = counted(true);
    work.want();
    for (let run = 1; run <= 3; run++) {
      vi.advanceTimersByTime(1_000);
      expect(runs).toHaveLength(run);
      runs[run - 1]?.end();
      await nextTurn();
    }
    await work.close();
  });

  it("after the end nothing begins, and the end waits for what runs", async () => {
    const { work, runs } = counted();
    work.want();
    vi.advanceTimersByTime(1_000);
    let closed = false;
    const closing = work.close().then(() => {
      closed = true;
    });
    expect(runs[0]?.isCancelled()).toBe(true);
    await nextTurn();
    expect(closed).toBe(false);
    runs[0]?.end();
    await closing;
    work.want();
    vi.advanceTimersByTime(5_000);
    expect(runs).toHaveLength(1);
  });

  it("in a hurry it begins at once, whoever asks, and only the end stops it", async () => {
    const { work, runs } = counted();
    const question = work.during(async () => {
      work.hurry();
      expect(runs).toHaveLength(1);
      work.hurry();
      expect(runs).toHaveLength(1);
    });
    await question;
    await work.during(async () => {});
    expect(runs[0]?.isCancelled()).toBe(false);
    vi.advanceTimersByTime(5_000);
    expect(runs).toHaveLength(1);
    const closing = work.close();
    expect(runs[0]?.isCancelled()).toBe(true);
    runs[0]?.end();
    await closing;
    work.hurry();
    expect(runs).toHaveLength(1);
  });

  it("that is never to begin does not begin in a hurry either", () => {
    const never = new IdleWork(0, () => Promise.reject(new Error("it began")));
    never.hurry();
    never.want();
    vi.advanceTimersByTime(5_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("full"))],
    [
      "throws",
      () => {
        throw new Error("full");
      },
    ],
  ])("that %s is over: it begins again when it is wanted again, and nothing waits for it", async (_, fail) => {
    let runs = 0;
    const work = new IdleWork(1_000, () => {
      runs++;
      return fail();
    });
    for (let run = 1; run <= 2; run++) {
      work.want();
      vi.advanceTimersByTime(1_000);
      expect(runs).toBe(run);
      await nextTurn();
      vi.advanceTimersByTime(5_000);
      expect(runs).toBe(run);
    }
    work.want();
    vi.advanceTimersByTime(1_000);
    await work.close();
    expect(runs).toBe(3);
  });

  it("keeps no process alive", async () => {
    vi.useRealTimers();
    const timers = vi.spyOn(globalThis, "setTimeout");
    const work = new IdleWork(60_000, async () => false);
    work.want();
    const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
    timers.mockRestore();
    expect(timer?.hasRef()).toBe(false);
    await work.close();
  });
});
