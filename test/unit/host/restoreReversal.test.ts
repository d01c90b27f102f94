import { describe, expect, it } from "vitest";
import { type RestoreStep, refusalOf, reverseRestore } from "../../../src/host/restoreReversal";
import type { UndoState } from "../../../src/shared/restores";

const step = (at: number): RestoreStep => ({ checkpointId: `c${at}`, at, files: 1 });
const stack = (undo: number | null, redo: number | null = null): UndoState => ({
  undo: undo === null ? null : step(undo),
  redo: redo === null ? null : step(redo),
});

/** Answers `states` one after the other, the last one for ever, and notes what was called. */
function actions(states: readonly UndoState[], hasUnsaved = false) {
  const calls: string[] = [];
  let asked = 0;
  return {
    calls,
    state: async () => {
      calls.push("state");
      return states[Math.min(asked++, states.length - 1)] as UndoState;
    },
    settle: async () => {
      calls.push("settle");
      return hasUnsaved;
    },
    reverse: async () => {
      calls.push("reverse");
      return "done";
    },
  };
}

describe("reversing a restore", () => {
  it.each([
    ["it is still the last one", "undo", stack(5), undefined],
    ["another restore came since", "undo", stack(7), "superseded"],
    ["it was undone already", "undo", stack(null, 6), "superseded"],
    ["it was undone, and an older one is on top", "undo", stack(3, 6), "superseded"],
    ["its safety checkpoint was deleted", "undo", stack(null), "deleted"],
    ["its safety checkpoint was deleted, and an older one is on top", "undo", stack(3), "deleted"],
    ["its safety checkpoint was deleted after an older undo", "undo", stack(3, 4), "deleted"],
    ["the undo can still be repeated", "redo", stack(3, 5), undefined],
    ["a new restore ended what could be repeated", "redo", stack(7), "superseded"],
    ["the undo's own safety checkpoint was deleted", "redo", stack(3), "deleted"],
  ] as const)("V10 a button of step 5, when %s", (_, kind, now, refusal) => {
    expect(refusalOf(kind, step(5), now)).toBe(refusal);
  });

  it("V10 two restores within one millisecond are told apart", () => {
    const now: UndoState = { undo: { ...step(5), checkpointId: "other" }, redo: null };
    expect(refusalOf("undo", step(5), now)).toBeDefined();
  });

  it("V10 asks for the state once when there is nothing to settle", async () => {
    const one = actions([stack(5)]);
    expect(await reverseRestore("undo", one, step(5))).toEqual({ result: "done" });
    expect(one.calls).toEqual(["state", "settle", "reverse"]);
  });

  it("V10 looks again after a question, during which something else may have been restored", async () => {
    for (const meant of [undefined, step(5)]) {
      const one = actions([stack(5), stack(9)], true);
      expect(await reverseRestore("undo", one, meant)).toEqual({ refusal: "superseded" });
      expect(one.calls).toEqual(["state", "settle", "state"]);
      const other = actions([stack(5)], true);
      expect(await reverseRestore("undo", other, meant)).toEqual({ result: "done" });
      expect(other.calls).toEqual(["state", "settle", "state", "reverse"]);
    }
  });

  it("V10 asks no question for something that will not be done", async () => {
    const one = actions([stack(3)], true);
    expect(await reverseRestore("undo", one, step(5))).toEqual({ refusal: "deleted" });
    expect(one.calls).toEqual(["state"]);
  });

  it("V10 leaves it to the engine to say that there is nothing to undo", async () => {
    const one = actions([stack(null)], true);
    await reverseRestore("undo", one);
    expect(one.calls).toEqual(["state", "reverse"]);
  });

  it("V10 rejects as what it calls does, and does nothing after a refusal to go on", async () => {
    const one = { ...actions([stack(5)]), settle: () => Promise.reject(new Error("backed out")) };
    await expect(reverseRestore("undo", one, step(5))).rejects.toThrow("backed out");
    expect(one.calls).toEqual(["state"]);
  });
});
