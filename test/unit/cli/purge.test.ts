import { describe, expect, it } from "vitest";
import type { Coverage } from "../../../src/shared/coverage";
import type { PurgePlan, PurgeResult } from "../../../src/shared/purge";
import { checkpoint, fakeRun, SCAN, saveResult } from "./fakeEngine";

const PLAN: PurgePlan = {
  paths: ["config/.env"],
  missing: ["nowhere"],
  checkpoints: [checkpoint({ number: 12, pinned: true, name: null }), checkpoint({ number: 11, name: "before" })],
  versions: 3,
  deadObjects: 2,
  deadBytes: 2_000,
  elsewhere: { total: 1, listed: [{ path: "config/.env", other: "copy/of/env\u001b[31m" }] },
  endedRestores: 1,
  present: ["config/.env"],
  owesSweep: false,
};

const freed = { deadObjects: 4, freedBytes: 3_000, removedPacks: 1, rewrittenPacks: 2, damaged: [] };
const answers = {
  planPurge: async () => PLAN,
  purge: async (): Promise<PurgeResult> => ({ ...PLAN, freed }),
};

describe("purge", () => {
  it("V21 does nothing without --yes, and says how to look first", async () => {
    const { code, err, calls } = await fakeRun(["purge", "config/.env"], answers);
    expect(code).toBe(2);
    expect(err).toMatch(/cannot be undone.*--dry-run.*--yes/);
    expect(calls).toEqual([]);
  });

  it("V21 --dry-run plans, --yes purges; both say what goes and what does not", async () => {
    const dry = await fakeRun(["purge", "./config/.env", "nowhere", "--dry-run"], answers);
    expect(dry.calls).toEqual([["planPurge", ["config/.env", "nowhere"]]]);
    expect(dry.out).toBe(
      'Would purge config/.env from 2 checkpoints (3 versions, 2.0 kB):\n  #12 (pinned)\n  #11 "before"\n',
    );
    const done = await fakeRun(["purge", "config/.env", "nowhere", "--yes"], answers);
    expect(done.code).toBe(0);
    expect(done.calls).toEqual([["purge", ["config/.env", "nowhere"]]]);
    expect(done.out).toMatch(/^Purged config\/\.env from 2 checkpoints/);
    expect(done.err.split("\n")).toEqual([
      "In no checkpoint: nowhere",
      "The content of config/.env stays, because copy/of/env\\x1b[31m holds the same.",
      "1 restore about nothing else can no longer be undone or redone.",
      "config/.env is still in the workspace: the next save takes it in again unless .checkpointignore names it.",
      "Archives, replicas and backups made before still hold it.",
      "",
    ]);
  });

  it("V21 --json is one object; nothing found is exit 3, damage in the way exit 5", async () => {
    const { out } = await fakeRun(["purge", "config/.env", "--yes", "--json"], answers);
    expect(JSON.parse(out)).toMatchObject({
      paths: ["config/.env"],
      missing: ["nowhere"],
      checkpoints: [
        { number: 12, pinned: true },
        { number: 11, pinned: false },
      ],
      dryRun: false,
      freed: { freedBytes: 3_000 },
    });
    const none = { ...PLAN, paths: [], checkpoints: [] };
    const nothing = await fakeRun(["purge", "x", "--yes"], { purge: async () => ({ ...none, freed }) });
    expect(nothing.code).toBe(3);
    const damaged = [{ id: "0123456789abcdef", message: "It is damaged." }];
    const stuck = { purge: async () => ({ ...PLAN, freed: { ...freed, damaged } }) };
    expect((await fakeRun(["purge", "x", "--yes"], stuck)).code).toBe(5);
  });

  it("V21 refuses a path outside the workspace", async () => {
    expect((await fakeRun(["purge", "../x", "--yes"], answers)).code).toBe(2);
  });
});

describe("coverage", () => {
  const found: Coverage = {
    saved: { files: 3, bytes: 1_234 },
    leftOut: [
      {
        reason: "gitignore",
        rule: "sub/.gitignore",
        entries: 3,
        files: 12,
        bytes: 5_000,
        listed: [
          { path: "sub/build/", files: 10, bytes: 4_000 },
          { path: "sub/x\n.log", files: 1, bytes: 500 },
        ],
      },
      { reason: "dependencies", rule: "", entries: 1, files: 1, bytes: 1, listed: [] },
    ],
    secrets: { total: 2, listed: [".env"] },
    isComplete: false,
  };

  it("V21 says what is saved, what is left out and why", async () => {
    const { out, calls } = await fakeRun(["coverage"], { coverage: async () => found });
    expect(calls).toEqual([["coverage", SCAN, { limit: 10 }]]);
    expect(out.split("\n")).toEqual([
      "Saved: 3 files, 1.2 kB",
      "",
      "Saved, and by their names likely to hold keys or passwords: 2",
      "  .env",
      "  … and 1 more",
      '  ("save --exclude-secrets" leaves them out from then on; "purge" takes them out of the checkpoints)',
      "",
      "Left out by sub/.gitignore: 12 files, 5.0 kB",
      "  sub/build/ (10 files, 4.0 kB)",
      "  sub/x\\x0a.log",
      "  … and 1 more",
      "",
      "Left out as downloaded dependencies (save --include-deps): 1 file, 1 B",
      "  … and 1 more",
      "",
      "Not all of what is left out was counted: there is more than this.",
      "",
    ]);
    const json = await fakeRun(["coverage", "--json", "--limit", "2"], { coverage: async () => found });
    expect(JSON.parse(json.out)).toEqual(found);
    expect(json.calls).toEqual([["coverage", SCAN, { limit: 2 }]]);
  });

  it("V21 save takes in or leaves out secret-looking files as it is told, else as before", async () => {
    const save = { save: async () => saveResult() };
    const scans = await Promise.all(
      [["save"], ["save", "--exclude-secrets"], ["save", "--no-exclude-secrets"]].map(
        async (argv) => ((await fakeRun(argv, save)).calls[0]?.[1] as { scan: object } | undefined)?.scan,
      ),
    );
    expect(scans).toEqual([SCAN, { ...SCAN, secrets: "exclude" }, { ...SCAN, secrets: "include" }]);
  });
});
