import { describe, expect, it } from "vitest";
import type { RecoveryKind } from "../../src/shared/restores";
import { killRestoreAtEveryStep, newRestoreStory } from "../support/restoreStory";

describe("killed at every step", () => {
  it("C3 C4 an undo: finished it can be redone, taken back it can be repeated", async () => {
    const { w, checkpoint, former: before, then } = await newRestoreStory();
    w.engine = await w.another();
    await w.restore(checkpoint);
    await w.engine.close();
    const interrupted = await killRestoreAtEveryStep({
      w,
      kind: "undo",
      act: (engine) => engine.undo(w.scan),
      expectAfter: async (engine, how, former, planned) => {
        expect([former, planned]).toEqual([then, before]);
        await (how === "finish" ? engine.redo(w.scan) : engine.undo(w.scan));
        expect(w.snapshot()).toEqual(how === "finish" ? former : planned);
      },
    });
    expect(interrupted).toBeGreaterThan(30);
  }, 300_000);

  it("C3 C4 a redo: finished it can be undone, taken back it can be repeated", async () => {
    const { w, checkpoint, former: before, then } = await newRestoreStory();
    w.engine = await w.another();
    await w.restore(checkpoint);
    await w.undo();
    await w.engine.close();
    const interrupted = await killRestoreAtEveryStep({
      w,
      kind: "redo",
      act: (engine) => engine.redo(w.scan),
      expectAfter: async (engine, how, former, planned) => {
        expect([former, planned]).toEqual([before, then]);
        await (how === "finish" ? engine.undo(w.scan) : engine.redo(w.scan));
        expect(w.snapshot()).toEqual(how === "finish" ? former : planned);
      },
    });
    expect(interrupted).toBeGreaterThan(30);
  }, 300_000);

  it("C3 a restore without a safety checkpoint: finished or taken back all the same", async () => {
    const { w, checkpoint, then } = await newRestoreStory();
    const interrupted = await killRestoreAtEveryStep({
      w,
      kind: "restore",
      act: (engine) => engine.restore({ ref: checkpoint.id, scan: w.scan, safety: false }),
      expectAfter: async (engine, how, _, planned) => {
        expect(planned).toEqual(then);
        // Recovering saved what it found, but the restore itself is none that can be taken back.
        expect({ how, ...(await engine.undoState()) }).toEqual({ how, undo: null, redo: null });
      },
    });
    expect(interrupted).toBeGreaterThan(30);
  }, 300_000);

  for (const [what, request] of [
    ["that keeps what is new", { keepNew: true }],
    ["of single paths", { paths: ["folder", "changed", "was a folder", "gone"] }],
  ] as const)
    it(`C3 a restore ${what}`, async () => {
      const { w, checkpoint, then } = await newRestoreStory();
      const interrupted = await killRestoreAtEveryStep({
        w,
        kind: "restore",
        act: (engine) => engine.restore({ ref: checkpoint.id, scan: w.scan, ...request }),
        expectAfter: async (engine, how: RecoveryKind, former, planned) => {
          expect(planned).not.toEqual(then);
          expect(planned.new).toBe(former.new);
          if (how === "rollBack") return;
          await engine.undo(w.scan);
          expect(w.snapshot()).toEqual(former);
        },
      });
      expect(interrupted).toBeGreaterThan(10);
    }, 300_000);
});
