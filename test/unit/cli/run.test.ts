import { describe, expect, it } from "vitest";
import { checkpoint, fakeRun, restoreResult, saveResult } from "./fakeEngine";

describe("results", () => {
  it("save --json has the fixed shape", async () => {
    const skipped = [{ path: "x", reason: "unreadable" as const, message: "permission denied" }];
    const { out, err } = await fakeRun(["save", "--json"], { save: async () => saveResult({ skipped }) });
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(out)).toEqual({
      id: "019ab000-0000-7000-8000-00000000000c",
      number: 12,
      parent: "019ab000-0000-7000-8000-00000000000b",
      created: "2026-11-20T08:30:15.250Z",
      name: "before the merge",
      files: 7019,
      bytes: 55937474,
      added: 5,
      changed: 3,
      removed: 1,
      newObjects: 8,
      newBytes: 4096,
      skipped: [{ path: "x", reason: "unreadable" }],
      noChange: false,
      durationMs: 52,
    });
    expect(err).toBe("Left out: x: permission denied\n");
  });

  it("save without a change names the existing checkpoint and counts nothing", async () => {
    const answers = { save: async () => saveResult({ noChange: true }) };
    expect(JSON.parse((await fakeRun(["save", "--json"], answers)).out)).toMatchObject({
      id: checkpoint().id,
      noChange: true,
      added: 0,
      changed: 0,
      removed: 0,
      newObjects: 0,
      newBytes: 0,
    });
    expect((await fakeRun(["save"], answers)).out).toBe(
      'Nothing changed since #12 "before the merge"; no checkpoint was made.\n',
    );
    const empty = { save: async () => saveResult({ noChange: true, checkpoint: null }) };
    expect(JSON.parse((await fakeRun(["save", "--json"], empty)).out)).toMatchObject({
      id: null,
      number: null,
      files: 0,
    });
  });

  it("restore --json has the fixed shape", async () => {
    const { out, err } = await fakeRun(["restore", "12", "--json"], { restore: async () => restoreResult() });
    expect(JSON.parse(out)).toEqual({
      id: checkpoint().id,
      added: 1,
      changed: 1,
      removed: 1,
      unchanged: 7016,
      kept: [{ path: "big.bin", reason: "not in the store", code: "protected" }],
      safetyId: "019ab000-0000-7000-8000-00000000000d",
      dryRun: false,
      paths: { added: ["b.ts"], changed: ["a.ts"], removed: ["c.ts"] },
    });
    expect(err).toBe("Left alone: big.bin: not in the store\n");
  });

  it("a dry run lists the paths in order and says that nothing was written", async () => {
    const { out } = await fakeRun(["restore", "12", "--dry-run"], {
      restore: async () => restoreResult({ dryRun: true, safetyId: null, kept: [] }),
    });
    expect(out).toBe(
      'M a.ts\nA b.ts\nD c.ts\n#12 "before the merge" would be restored: 1 added, 1 changed, 1 removed. Nothing was written.\n',
    );
  });

  it("list --json has the fixed shape", async () => {
    const { out } = await fakeRun(["list", "--limit", "1", "--json"], { list: async () => [checkpoint()] });
    expect(JSON.parse(out)).toEqual({
      checkpoints: [
        {
          id: checkpoint().id,
          number: 12,
          created: "2026-11-20T08:30:15.250Z",
          name: "before the merge",
          kind: "manual",
          pinned: false,
          files: 7019,
          bytes: 55937474,
          added: 5,
          changed: 3,
          removed: 1,
          parent: checkpoint().parentId,
        },
      ],
    });
  });

  it("C21 the history of a path that no checkpoint ever had ends with 3", async () => {
    const answers = { history: async () => [] };
    const people = await fakeRun(["history", "src/nothing.ts"], answers);
    expect(people).toMatchObject({
      code: 3,
      out: "",
      err: "checkpoint: No checkpoint has src/nothing.ts. Check the path.\n",
    });
    const programs = await fakeRun(["history", "src/nothing.ts", "--json"], answers);
    expect([programs.code, JSON.parse(programs.out)]).toEqual([3, { path: "src/nothing.ts", versions: [] }]);
  });

  it("delete leaves pinned checkpoints alone unless forced, and says so", async () => {
    const plan = { checkpoints: [checkpoint({ pinned: true })], deadObjects: 1, deadBytes: 27, endsUndo: false };
    const answers = {
      planDelete: async () => plan,
      delete: async () => ({ deadObjects: 1, freedBytes: 27, removedPacks: 1, rewrittenPacks: 0, damaged: [] }),
    };
    const refused = await fakeRun(["delete", "12"], answers);
    expect([refused.code, refused.calls.map(([method]) => method)]).toEqual([2, ["planDelete"]]);
    expect(refused.err).toContain('is pinned, so nothing was deleted. Unpin it first ("checkpoint unpin 12")');
    const three = [
      checkpoint({ pinned: true }),
      checkpoint({ number: 13 }),
      checkpoint({ number: 14, name: null, pinned: true }),
    ];
    const both = await fakeRun(["delete", "12", "13", "14"], {
      planDelete: async () => ({ ...plan, checkpoints: three }),
    });
    expect(both.err).toContain('#12 "before the merge", #14 are pinned, so nothing was deleted.');
    expect(both.err).toContain('("checkpoint unpin 12", "checkpoint unpin 14")');
    const forced = await fakeRun(["delete", "12", "--force"], answers);
    expect([forced.code, forced.out]).toEqual([0, 'Deleted #12 "before the merge"; 27 B freed.\n']);
  });

  it("cat writes the bytes as they are, and as JSON loses none", async () => {
    const content = Uint8Array.from([0, 255, 10, 13, 128]);
    const state = { type: "file" as const, mode: 0o755, size: 5, hash: "ab" };
    const answers = { readFile: async () => content, stat: async () => state };
    const raw = await fakeRun(["cat", "12", "src/x.bin"], answers);
    expect([...raw.outBytes]).toEqual([...content]);
    expect(raw.calls).toEqual([["readFile", "12", "src/x.bin"]]);
    expect(JSON.parse((await fakeRun(["cat", "12", "x", "--json"], answers)).out)).toEqual({
      path: "x",
      type: "file",
      mode: "755",
      size: 5,
      hash: "ab",
      encoding: "base64",
      content: Buffer.from(content).toString("base64"),
    });
    const text = { ...answers, readFile: async () => Buffer.from("\ufeffgrün\r\n") };
    expect(JSON.parse((await fakeRun(["cat", "12", "x", "--json"], text)).out)).toMatchObject({
      encoding: "utf8",
      content: "\ufeffgrün\r\n",
    });
  });

  it("C8 verify names the damage and ends with 5", async () => {
    const damaged = {
      ok: false,
      full: true,
      checkpoints: 2,
      packs: 1,
      objects: 9,
      bytesRead: 100,
      problems: [{ part: "packs/pack-0.dat", message: "a hash does not match" }],
      damaged: [{ checkpoint: checkpoint(), paths: ["src/a.ts"] }],
      healed: [{ part: "packs/pack-1.idx", message: "It was made anew from its pack." }],
    };
    const people = await fakeRun(["verify", "--full"], { verify: async () => damaged });
    expect(people.code).toBe(5);
    expect(people.calls).toEqual([["verify", { full: true }]]);
    expect(people.out).toContain("packs/pack-0.dat: a hash does not match");
    expect(people.out).toContain("src/a.ts");
    const programs = await fakeRun(["verify", "--json"], { verify: async () => damaged });
    expect(programs.code).toBe(5);
    expect(JSON.parse(programs.out).damaged).toEqual([
      { id: checkpoint().id, number: 12, name: "before the merge", paths: ["src/a.ts"] },
    ]);
    const repaired = await fakeRun(["verify", "--repair"], { repair: async () => damaged });
    expect(repaired.code).toBe(5);
    expect(repaired.calls).toEqual([["repair"]]);
    expect(repaired.out).toContain("Repaired: packs/pack-1.idx: It was made anew from its pack.");
    const whole = { ...damaged, ok: true, problems: [], damaged: [] };
    const asJson = await fakeRun(["verify", "--repair", "--json"], { repair: async () => whole });
    expect(asJson.code).toBe(0);
    expect(JSON.parse(asJson.out)).toMatchObject({ ok: true, healed: damaged.healed });
  });
});

describe("the terminal", () => {
  it("progress is drawn on a terminal and taken away before the result", async () => {
    let time = 0;
    const { err } = await fakeRun(
      ["save"],
      { save: async () => saveResult({ skipped: [{ path: "x", reason: "vanished", message: "gone" }] }) },
      { stderrColumns: 80, now: () => (time += 1000) },
    );
    expect(err).toBe("\rScanning … 1,200\x1b[K\r\x1b[KLeft out: x: gone\n");
  });

  it("elsewhere stderr stays empty", async () => {
    let time = 0;
    const { err } = await fakeRun(["save"], { save: async () => saveResult() }, { now: () => (time += 1000) });
    expect(err).toBe("");
  });

  it("colours appear on a terminal only and not against NO_COLOR", async () => {
    const answers = { list: async () => [checkpoint()] };
    expect((await fakeRun(["list"], answers, { stdoutColumns: 100 })).out).toContain("\x1b[");
    expect((await fakeRun(["list"], answers)).out).not.toContain("\x1b[");
    expect((await fakeRun(["list"], answers, { stdoutColumns: 100, env: { NO_COLOR: "1" } })).out).not.toContain(
      "\x1b[",
    );
  });

  it("names cannot steer the terminal or forge lines", async () => {
    const { out } = await fakeRun(["list"], { list: async () => [checkpoint({ name: "a\x1b[2J\nb\u202e" })] });
    expect(out).toContain("a\\x1b[2J\\x0ab\\u202e");
    expect(out.trimEnd().split("\n")).toHaveLength(2);
  });
});
