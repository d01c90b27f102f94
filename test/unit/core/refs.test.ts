import { describe, expect, it } from "vitest";
import { resolveRef } from "../../../src/core/ops/refs";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";

const make = (number: number, id: string, name: string | null = null): Checkpoint =>
  ({ number, id, name }) as unknown as Checkpoint;

const CHECKPOINTS = [
  make(12, "01900000-0000-7000-8000-00000000000c", "release"),
  make(11, "01900000-0000-7000-8000-00000000000b", "twice"),
  make(10, "01900000-0000-7000-8000-00000000000a", "twice"),
  make(4, "01811111-1111-7111-8111-111111111111", "0190"),
  make(2, "01822222-2222-7222-8222-222222222222", "4"),
  make(1, "01833333-3333-7333-8333-333333333333", "12 monkeys"),
  // Named like another's id.
  make(0, "01844444-4444-7444-8444-444444444444", "01822222-2222-7222-8222-222222222222"),
];

function outcome(ref: string): number | string {
  try {
    return resolveRef(CHECKPOINTS, ref).number;
  } catch (error) {
    if (!CheckpointError.is(error)) throw error;
    return error.code;
  }
}

describe("what a typed reference means", () => {
  it.each([
    ["latest", 12],
    ["latest~0", 12],
    ["latest~2", 10],
    ["latest~5", 1],
    ["latest~6", 0],
    ["latest~7", "not-found"],
    ["latest~", "not-found"],
    ["latest~-1", "not-found"],
    ["latest~99999999999999999999", "not-found"],
    ["12", 12],
    ["#12", 12],
    // A number wins over the name that looks like one.
    ["4", 4],
    ["3", "not-found"],
    ["0", "not-found"],
    ["012", "not-found"],
    ["release", 12],
    ["twice", "ambiguous"],
    ["12 monkeys", 1],
    // A name wins over a prefix, a full id over everything.
    ["0190", 4],
    ["01900", "ambiguous"],
    ["01811111", 4],
    ["01822222-2222-7222-8222-222222222222", 2],
    ["01822222-2222-7222-8222-222222222222".toUpperCase(), 2],
    ["018", "not-found"],
    ["0182", 2],
    ["", "not-found"],
    ["Release", "not-found"],
  ] as const)("%j → %s", (ref, expected) => {
    expect(outcome(ref)).toBe(expected);
  });

  it("says what to type instead", () => {
    expect(() => resolveRef(CHECKPOINTS, "twice")).toThrow(
      '"twice" may mean #11, #10. Use the number, for example 11.',
    );
    expect(() => resolveRef([], "latest")).toThrow(/no checkpoint yet/);
    expect(() => resolveRef(CHECKPOINTS, "latest~9")).toThrow(/only 7 checkpoints/);
  });
});
