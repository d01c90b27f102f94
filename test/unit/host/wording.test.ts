import { describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";

vi.mock("vscode", () => ({
  env: { language: "en" },
  l10n: {
    t: (message: string | { message: string; args?: unknown[] }, ...args: unknown[]) => {
      const [text, values] = typeof message === "string" ? [message, args] : [message.message, message.args ?? []];
      return text.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)]));
    },
  },
}));

const { changeCounts, checkpointLabel, checkpointTitle, dayLabel, fileSize, relativeTime, shortAge, startOfDay } =
  await import("../../../src/host/wording");

const NOON = new Date(2026, 2, 29, 12, 0).getTime();
const HOUR = 3_600_000;

const checkpoint = (name: string | null): Checkpoint =>
  ({ number: 12, name, createdAt: new Date(2026, 2, 29, 14, 3).getTime() }) as Checkpoint;

describe("wording", () => {
  it("V2 labels a checkpoint by its name, or number and time", () => {
    expect(checkpointLabel(checkpoint(null))).toBe("14:03 #12");
    expect(checkpointLabel(checkpoint("before"))).toBe("before");
    expect(checkpointTitle(checkpoint("before"))).toBe("before (#12)");
  });

  it("V2 counts leave out what is zero", () => {
    expect(changeCounts({ added: 3, changed: 2, removed: 1 })).toBe("+3 ~2 −1");
    expect(changeCounts({ added: 0, changed: 0, removed: 4 })).toBe("−4");
    expect(changeCounts({ added: 0, changed: 0, removed: 0 })).toBe("");
  });

  it("names days by the calendar, also across a clock change", () => {
    const midnight = startOfDay(NOON);
    expect(dayLabel(midnight, NOON)).toBe("Today");
    expect(dayLabel(midnight - 1, NOON)).toBe("Yesterday");
    expect(dayLabel(midnight - 30 * HOUR, NOON)).toBe("Friday, March 27");
    expect(dayLabel(new Date(2025, 0, 2).getTime(), NOON)).toBe("Thursday, January 2, 2025");
  });

  it("V18 ages in their shortest form", () => {
    const ages = [0, 59_000, 5 * 60_000, 2 * HOUR, 80 * HOUR].map((passed) => shortAge(NOON - passed, NOON));
    expect(ages).toEqual(["now", "now", "5m", "2h", "3d"]);
  });

  it("a clock that was set back shows no negative age", () => {
    expect(shortAge(NOON + HOUR, NOON)).toBe("now");
    expect(relativeTime(NOON + HOUR, NOON)).toBe("just now");
  });

  it("sizes take the largest unit that fits", () => {
    expect([0, 1, 999, 1_000, 1_250_000, 3e12].map(fileSize)).toEqual([
      "0 bytes",
      "1 byte",
      "999 bytes",
      "1 kB",
      "1.3 MB",
      "3 TB",
    ]);
  });
});
