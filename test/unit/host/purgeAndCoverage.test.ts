import { describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { LEFT_OUT_REASONS } from "../../../src/shared/coverage";
import type { PurgePlan } from "../../../src/shared/purge";

vi.mock("vscode", () => ({
  env: { language: "en" },
  EventEmitter: class {},
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
}));

const { purgeDetail, purgeQuestion } = await import("../../../src/host/purgeCommand");
const { coverageText } = await import("../../../src/host/coverageReport");

const checkpoint = (pinned: boolean): Checkpoint => ({ number: 1, pinned }) as Checkpoint;
const PLAN: PurgePlan = {
  paths: [".env"],
  missing: [],
  checkpoints: [checkpoint(true), checkpoint(false)],
  versions: 2,
  deadObjects: 1,
  deadBytes: 100,
  elsewhere: { total: 0, listed: [] },
  endedRestores: 0,
  present: [],
  owesSweep: false,
};

describe("the question before a purge", () => {
  it("V21 says from how many checkpoints what goes, and that pinning does not keep it", () => {
    expect(purgeQuestion(PLAN)).toBe("Purge .env from 2 checkpoints?");
    expect(purgeDetail(PLAN).split("\n\n")).toEqual([
      "Different contents: 2; about 100 bytes become free.",
      "Pinned among the checkpoints: 1. Pinning does not keep it.",
      "Your files stay as they are.",
      "Archives, replicas and backups made before still hold it. This cannot be undone.",
    ]);
  });

  it("V21 says what stays elsewhere, what can no longer be undone, and what the next save takes in again", () => {
    const detail = purgeDetail({
      ...PLAN,
      checkpoints: [checkpoint(false)],
      elsewhere: { total: 3, listed: [{ path: ".env", other: "copy" }] },
      endedRestores: 1,
      present: [".env"],
    });
    expect(detail).toContain("Contents that stay because other files hold the same: 3 (for example copy).");
    expect(detail).toContain("Restores that can then no longer be undone: 1.");
    expect(detail).toContain("takes them in again unless .checkpointignore names them: .env.");
    expect(detail).not.toContain("Pinned");
  });
});

describe("the document that says what is saved", () => {
  it("V21 has counts, names, reasons, and one line for each name", () => {
    const text = coverageText("project", {
      saved: { files: 2, bytes: 10 },
      leftOut: [
        {
          reason: "gitignore",
          rule: ".gitignore",
          entries: 2,
          files: 3,
          bytes: 9,
          listed: [{ path: "a\nb/", files: 2, bytes: 8 }],
        },
      ],
      secrets: { total: 1, listed: [".env"] },
      isComplete: true,
    });
    expect(text).toContain("Saved: 2 files, 10 bytes");
    expect(text).toContain("likely to hold keys or passwords: 1\n  .env\n");
    expect(text).toContain(
      "Left out by .gitignore: 3 files, 9 bytes\n  a\u2424b/ · 2 files, 8 bytes\n  … and 1 more\n",
    );
  });

  it("V21 has words for every reason", () => {
    for (const reason of LEFT_OUT_REASONS) {
      const group = { reason, rule: "", entries: 1, files: 1, bytes: 1, listed: [] };
      const text = coverageText("x", {
        saved: { files: 0, bytes: 0 },
        leftOut: [group],
        secrets: { total: 0, listed: [] },
        isComplete: true,
      });
      expect(text).toMatch(/Left out (by|as|because|always) ?.*: 1 file, 1 byte/);
    }
  });
});
