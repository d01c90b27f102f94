import { describe, expect, it } from "vitest";
import { type FolderCheckpoints, isSameKnowledge } from "../../../src/host/folderCheckpoints";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { checkpoint } from "../cli/fakeEngine";

const known = (change: Partial<FolderCheckpoints> = {}): FolderCheckpoints => ({
  checkpoints: [checkpoint({ id: "2" }), checkpoint({ id: "1" })],
  undo: { undo: { checkpointId: "1", at: 5, files: 2 }, redo: null },
  storeFolder: "/stores/x",
  ...change,
});

describe("what is known of a folder", () => {
  it("V14 is the same when it was read anew and nothing happened", () => {
    expect(isSameKnowledge(known(), known())).toBe(true);
    expect(isSameKnowledge(known({ checkpoints: [] }), known({ checkpoints: [] }))).toBe(true);
  });

  it("V14 is another with any other field of any checkpoint", () => {
    for (const [field, value] of Object.entries(checkpoint())) {
      const other = typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : `${value}!`;
      const changed = { ...checkpoint({ id: "1" }), [field]: other } as Checkpoint;
      expect(isSameKnowledge(known(), known({ checkpoints: [checkpoint({ id: "2" }), changed] })), field).toBe(false);
    }
  });

  it("V14 is another when checkpoints came, went or changed places", () => {
    const [two, one] = known().checkpoints as [Checkpoint, Checkpoint];
    for (const checkpoints of [[], [two], [one], [one, two], [checkpoint({ id: "3" }), two, one]])
      expect(isSameKnowledge(known(), known({ checkpoints }))).toBe(false);
  });

  it("V10 is another when something else can be undone or redone, or the store moved", () => {
    const { undo } = known().undo;
    for (const state of [
      { undo: null, redo: null },
      { undo, redo: undo },
      { undo: undo && { ...undo, at: 6 }, redo: null },
    ])
      expect(isSameKnowledge(known(), known({ undo: state }))).toBe(false);
    expect(isSameKnowledge(known(), known({ storeFolder: "/stores/y" }))).toBe(false);
  });
});
