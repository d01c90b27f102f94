import { describe, expect, it } from "vitest";
import { formatTime } from "../../../src/cli/output";
import { CheckpointError } from "../../../src/shared/errors";
import { CREATED, checkpoint, fakeRun, restoreResult } from "./fakeEngine";

const step = { checkpointId: checkpoint().id, at: CREATED, files: 3 };
const when = formatTime(CREATED);
const nothing = { added: 0, changed: 0, removed: 0, kept: [], paths: { added: [], changed: [], removed: [] } };

describe("what a restore says", () => {
  it("undo names the restore that it takes back, and how to have it again", async () => {
    const answers = {
      undoState: async () => ({ undo: step, redo: null }),
      resolve: async () => checkpoint(),
      undo: async () => restoreResult({ kept: [], checkpoint: checkpoint({ number: 13, name: null }) }),
    };
    expect((await fakeRun(["undo"], answers)).out).toBe(
      `Took back the restore of #12 "before the merge" at ${when}: 1 added, 1 changed, 1 removed.\n` +
        'What was there before is kept: "checkpoint redo" brings it back.\n',
    );
    const resolve = async () => {
      throw new CheckpointError("not-found", "none");
    };
    expect((await fakeRun(["undo"], { ...answers, resolve })).out).toContain(
      `Took back the restore of a checkpoint deleted since at ${when}:`,
    );
  });

  it("redo says when what it repeats was taken back", async () => {
    const { out } = await fakeRun(["redo"], {
      undoState: async () => ({ undo: null, redo: step }),
      redo: async () => restoreResult({ kept: [] }),
    });
    expect(out).toBe(
      `Repeated the restore that was taken back at ${when}: 1 added, 1 changed, 1 removed.\n` +
        'What was there before is kept: "checkpoint undo" brings it back.\n',
    );
  });

  it("a restore with nothing to do promises no undo", async () => {
    const { out } = await fakeRun(["restore", "12"], { restore: async () => restoreResult(nothing) });
    expect(out).toBe('Nothing to restore: everything already is as in #12 "before the merge".\n');
  });

  it("a restore that left everything alone does not say that all is well", async () => {
    const kept = restoreResult().kept;
    const { out, err } = await fakeRun(["restore", "12"], { restore: async () => restoreResult({ ...nothing, kept }) });
    expect(out).toBe('Nothing was restored from #12 "before the merge"; see what was left alone.\n');
    expect(err).toBe("Left alone: big.bin: not in the store\n");
  });

  it("C12 names a few of the many that it left alone", async () => {
    const kept = Array.from({ length: 1_012 }, (_, i) => ({ ...restoreResult().kept[0]!, path: `f${i}` }));
    const { err } = await fakeRun(["restore", "12"], { restore: async () => restoreResult({ kept }) });
    const lines = err.trimEnd().split("\n");
    expect([lines.length, lines[9], lines[10]]).toEqual([
      11,
      "Left alone: f9: not in the store",
      "… and 1,002 more (--json lists all)",
    ]);
  });

  it("counts what was already right", async () => {
    const { out } = await fakeRun(["restore", "12"], { restore: async () => restoreResult({ kept: [] }) });
    expect(out).toBe(
      'Restored #12 "before the merge": 1 added, 1 changed, 1 removed, 7,016 files unchanged.\n' +
        'What was there before is kept: "checkpoint undo" brings it back.\n',
    );
  });
});

describe("a restore that was interrupted", () => {
  const interrupted = async () => ({ kind: "restore" as const, checkpointId: checkpoint().id, at: CREATED, files: 3 });
  const resolve = async () => checkpoint();

  it("C3 is said in front of any answer, but not by what settles it", async () => {
    const notice = `The restore of #12 "before the merge", begun at ${when}, was interrupted.`;
    const answers = { interrupted, resolve, list: async () => [], restore: async () => restoreResult({ kept: [] }) };
    expect((await fakeRun(["list"], answers)).err).toContain(
      `${notice} "checkpoint recover" finishes it or rolls it back.\n`,
    );
    expect((await fakeRun(["restore", "12"], answers)).err).toBe("");
    expect((await fakeRun(["restore", "12", "--dry-run"], answers)).err).toContain(notice);
  });

  it("C3 can be finished or rolled back", async () => {
    const recover = async () => restoreResult({ kept: [] });
    const finish = await fakeRun(["recover", "--finish"], { interrupted, recover });
    expect(finish.calls).toMatchObject([["recover", "finish", expect.anything()]]);
    expect(finish.out).toBe(
      "Finished the restore: 1 added, 1 changed, 1 removed.\n" +
        'What was there before is kept: "checkpoint undo" brings it back.\n',
    );
    const back = await fakeRun(["recover", "--roll-back"], { interrupted, recover });
    expect(back.calls).toMatchObject([["recover", "rollBack", expect.anything()]]);
    expect(back.out).toBe("Rolled the restore back: 1 added, 1 changed, 1 removed.\n");
    expect((await fakeRun(["recover", "--finish", "--roll-back"])).code).toBe(2);
  });

  it("C3 can be asked for", async () => {
    expect((await fakeRun(["recover"])).out).toBe("No restore was interrupted.\n");
    expect(JSON.parse((await fakeRun(["recover", "--json"])).out)).toEqual({ interrupted: null });
    expect(JSON.parse((await fakeRun(["recover", "--json"], { interrupted })).out)).toEqual({
      interrupted: { kind: "restore", id: checkpoint().id, begun: new Date(CREATED).toISOString(), files: 3 },
    });
    expect((await fakeRun(["recover"], { interrupted, resolve })).out).toContain("--roll-back");
  });

  it("C12 a journal that cannot be read does not keep anybody from an answer", async () => {
    const damagedJournal = async () => {
      throw new CheckpointError("damaged", "The journal is damaged.");
    };
    const { out, err } = await fakeRun(["list"], { interrupted: damagedJournal, list: async () => [] });
    expect(err).toContain("The journal is damaged.");
    expect(out).not.toBe("");
  });
});
