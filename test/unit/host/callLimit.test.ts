import { describe, expect, it } from "vitest";
import { CallLimit } from "../../../src/host/callLimit";

describe("call limit", () => {
  it("V20 runs no more than so many calls at once, in order, and goes on after a failure", async () => {
    const limit = new CallLimit(3);
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        limit.run(async () => {
          started.push(index);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          if (index % 5 === 0) throw new Error(`no ${index}`);
          return index;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(started).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(results.map(({ status }) => status === "fulfilled")).toEqual(started.map((index) => index % 5 !== 0));
  });
});
