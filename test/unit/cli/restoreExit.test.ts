import { describe, expect, it } from "vitest";
import { ProgressLine } from "../../../src/cli/progressLine";
import type { KeptCode } from "../../../src/shared/restores";
import { fakeRun, restoreResult, SCAN, saveResult } from "./fakeEngine";

const kept = (...codes: KeptCode[]) => codes.map((code, i) => ({ path: `f${i}`, reason: "why", code }));
const undoState = async () => ({ undo: null, redo: null });

describe("exit codes of restore, undo and redo", () => {
  for (const [codes, code] of [
    [[], 0],
    [["protected", "occupied"], 0],
    [["protected", "denied"], 1],
    [["changed"], 1],
    [["denied", "damaged"], 5],
  ] as const)
    it(`C21 what was left alone for ${codes.join(", ") || "no reason"}: ${code}`, async () => {
      const answer = async () => restoreResult({ kept: kept(...codes) });
      for (const command of [["restore", "12"], ["undo"], ["redo"]])
        expect((await fakeRun(command, { undoState, restore: answer, undo: answer, redo: answer })).code).toBe(code);
      const dryRun = async () => restoreResult({ kept: kept(...codes), dryRun: true, safetyId: null });
      expect((await fakeRun(["restore", "12", "--dry-run"], { restore: dryRun })).code).toBe(0);
    });
});

describe("what is scanned", () => {
  const recorded = { useGitignore: false, includeDependencies: true, exclude: ["*.iso"], maxFileBytes: 1_000 };
  const answers = {
    scanOptions: async () => recorded,
    undoState,
    save: async () => saveResult(),
    restore: async () => restoreResult(),
    undo: async () => restoreResult(),
    diff: async () => ({ changes: [], skipped: [] }),
  };

  it("is what the newest checkpoint took in, so that window and command line do not take turns", async () => {
    for (const argv of [["save"], ["restore", "12"]])
      expect((await fakeRun(argv, answers)).calls).toMatchObject([[argv[0], { scan: recorded }]]);
    expect((await fakeRun(["undo"], answers)).calls).toContainEqual(["undo", recorded]);
    expect((await fakeRun(["diff", "12"], answers)).calls).toMatchObject([
      ["diff", { ref: "12" }, { workspace: recorded }, {}],
    ]);
  });

  it("options that are given come first", async () => {
    const scanOf = async (...options: string[]) => (await fakeRun(["save", ...options], answers)).calls[0]?.[1];
    expect(await scanOf("--no-include-deps")).toMatchObject({ scan: { ...recorded, includeDependencies: false } });
    expect(await scanOf("--max-file-size", "2K")).toMatchObject({ scan: { ...recorded, maxFileBytes: 2_048 } });
    const fresh = { ...answers, scanOptions: async () => null };
    expect((await fakeRun(["save", "--include-deps"], fresh)).calls[0]?.[1]).toMatchObject({
      scan: { ...SCAN, includeDependencies: true },
    });
  });
});

describe("waiting for another process", () => {
  const waiting = { phase: "lock", done: 0, total: 0, message: "process 2856 on vm" } as const;
  const sentence = "Waiting for the store: in use by process 2856 on vm …";

  it("C11 V14 is said once and in a sentence, in a log", () => {
    const written: string[] = [];
    const stderr = { write: (text: string | Uint8Array) => void written.push(String(text)) };
    const line = new ProgressLine({ stderr, isCancelled: () => false, now: () => 0 });
    for (let i = 0; i < 3; i++) line.control.onProgress?.(waiting);
    expect(written).toEqual([`${sentence}\n`]);
  });

  it("C11 V14 is said in a sentence on a terminal", () => {
    let written = "";
    let time = 0;
    const stderr = {
      write: (text: string | Uint8Array) => {
        written += text;
      },
      isTTY: true,
      columns: 100,
    };
    const line = new ProgressLine({ stderr, isCancelled: () => false, now: () => time });
    time = 1_000;
    line.control.onProgress?.(waiting);
    expect(written).toContain(sentence);
  });
});
