import { describe, expect, it } from "vitest";
import { CheckpointError, type ErrorCode } from "../../../src/shared/errors";
import { checkpoint, fakeRun, restoreResult, SCAN, saveResult } from "./fakeEngine";

describe("requests", () => {
  it("save hands over every option", async () => {
    const { calls } = await fakeRun(
      [
        "save",
        "-m",
        "x",
        "--note",
        "y",
        "--include-deps",
        "--max-file-size",
        "64M",
        "--pack-chunk-bytes",
        "1000",
        "--auto",
      ],
      { save: async () => saveResult() },
    );
    expect(calls).toEqual([
      [
        "save",
        {
          kind: "auto",
          trigger: "cli",
          name: "x",
          note: "y",
          scan: { ...SCAN, includeDependencies: true, maxFileBytes: 64 * 1024 ** 2 },
          packChunkBytes: 1000,
        },
      ],
    ]);
  });

  it("save without options asks for nothing special", async () => {
    const { calls } = await fakeRun(["save"], { save: async () => saveResult() });
    expect(calls).toEqual([["save", { kind: "manual", trigger: "cli", scan: SCAN }]]);
  });

  it("restore hands over paths and options; the workspace itself is everything", async () => {
    const answers = { restore: async () => restoreResult() };
    const some = await fakeRun(
      ["restore", "latest~2", "./src/", "/home/me/project/a.ts", "--dry-run", "--keep-new"],
      answers,
    );
    expect(some.calls[0]?.[1]).toEqual({
      ref: "latest~2",
      paths: ["src", "a.ts"],
      scan: SCAN,
      keepNew: true,
      dryRun: true,
      safety: true,
    });
    const all = await fakeRun(["restore", "12", ".", "src", "--no-safety"], answers);
    expect(all.calls[0]?.[1]).toEqual({
      ref: "12",
      paths: [],
      scan: SCAN,
      keepNew: false,
      dryRun: false,
      safety: false,
    });
  });

  it("global options may stand before and after the command", async () => {
    const answers = { gc: async () => ({ deadObjects: 0, freedBytes: 0, removedPacks: 0, rewrittenPacks: 0 }) };
    const options = ["--workspace", "../other", "--store", "st", "--lock-timeout", "0.5", "--json"];
    for (const argv of [
      [...options, "gc"],
      ["gc", ...options],
    ]) {
      const { code, addresses, lockTimeouts, closed } = await fakeRun(argv, answers);
      expect(code).toBe(0);
      expect(addresses).toEqual([{ folder: "/home/me/other", storeRoot: "/home/me/project/st" }]);
      expect(lockTimeouts).toEqual([500]);
      expect(closed).toBe(1);
    }
  });

  it("waits 30 seconds for the lock unless told otherwise", async () => {
    expect((await fakeRun(["list"], { list: async () => [] })).lockTimeouts).toEqual([30_000]);
  });

  it("C20 what is shown as an id can be typed: #12 means 12", async () => {
    const list = await fakeRun(["list"], { list: async () => [checkpoint()] });
    const shown = list.out.match(/#\d+/)?.[0] ?? "";
    expect(shown).toBe("#12");
    const { calls } = await fakeRun(["pin", shown], { pin: async () => checkpoint() });
    expect(calls).toEqual([["pin", "12", true]]);
  });

  it("delete reads all references before anything goes", async () => {
    const plan = {
      checkpoints: [checkpoint(), checkpoint({ id: "b", number: 11 })],
      deadObjects: 1,
      deadBytes: 10,
      endsUndo: false,
    };
    const { calls, out } = await fakeRun(["delete", "latest", "latest~1", "--json"], {
      planDelete: async () => plan,
      delete: async () => ({ deadObjects: 1, freedBytes: 10, removedPacks: 1, rewrittenPacks: 0 }),
    });
    expect(calls).toEqual([
      ["planDelete", ["latest", "latest~1"]],
      ["delete", [checkpoint().id, "b"]],
    ]);
    expect(JSON.parse(out)).toEqual({
      deleted: [
        { id: checkpoint().id, number: 12 },
        { id: "b", number: 11 },
      ],
      endsUndo: false,
      deadObjects: 1,
      freedBytes: 10,
      removedPacks: 1,
      rewrittenPacks: 0,
    });
  });

  it('rename to "" takes the name away', async () => {
    const { calls } = await fakeRun(["rename", "12", ""], { rename: async () => checkpoint({ name: null }) });
    expect(calls).toEqual([["rename", "12", null]]);
  });
});

describe("diff", () => {
  const none = async () => ({ changes: [], skipped: [] });
  const resolve = async (ref: string) => {
    if (["latest", "11"].includes(ref)) return checkpoint();
    if (ref === "dup") throw new CheckpointError("ambiguous", "two");
    throw new CheckpointError("not-found", "none");
  };
  const stat = async (_ref: string, path: string) => {
    if (["src", "11"].includes(path)) return { type: "directory" as const, mode: 0o755, size: 0, hash: "00" };
    throw new CheckpointError("not-found", "no such path");
  };

  it("compares with the workspace, with a second checkpoint, and by path", async () => {
    const diff = async (...argv: string[]) =>
      (await fakeRun(["diff", ...argv], { diff: none, resolve, stat })).calls
        .find(([method]) => method === "diff")
        ?.slice(1);
    expect(await diff("latest")).toEqual([{ ref: "latest" }, { workspace: SCAN }, {}]);
    expect(await diff("latest", "11")).toEqual([{ ref: "latest" }, { ref: "11" }, {}]);
    expect(await diff("latest", "src")).toEqual([{ ref: "latest" }, { workspace: SCAN }, { paths: ["src"] }]);
    expect(await diff("latest", "11", "src")).toEqual([{ ref: "latest" }, { ref: "11" }, { paths: ["src"] }]);
    expect(await diff("latest", "--", "11")).toEqual([{ ref: "latest" }, { workspace: SCAN }, { paths: ["11"] }]);
    expect(await diff("latest", "11", "--", "src")).toEqual([{ ref: "latest" }, { ref: "11" }, { paths: ["src"] }]);
  });

  it("a mistyped second checkpoint is not taken for a path", async () => {
    const typo = await fakeRun(["diff", "latest", "lates"], { diff: none, resolve, stat });
    expect(typo.code).toBe(3);
    expect(typo.err).toContain("neither a checkpoint nor a path");
    expect((await fakeRun(["diff", "latest", "dup"], { diff: none, resolve, stat })).code).toBe(3);
  });

  it("--json has the four lists and nothing else", async () => {
    const state = { type: "file" as const, mode: 0o644, size: 1, hash: "00" };
    const { out } = await fakeRun(["diff", "latest", "--json"], {
      diff: async () => ({
        changes: [
          { path: "a", kind: "added", after: state },
          { path: "b", kind: "changed", before: state, after: state },
          { path: "c", kind: "removed", before: state },
          { path: "d", kind: "typeChanged", before: state, after: state },
        ],
        skipped: [],
      }),
    });
    expect(JSON.parse(out)).toEqual({ added: ["a"], changed: ["b"], removed: ["c"], typeChanged: ["d"] });
  });
});

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

  it("delete leaves pinned checkpoints alone unless forced, and says so", async () => {
    const plan = { checkpoints: [checkpoint({ pinned: true })], deadObjects: 1, deadBytes: 27, endsUndo: false };
    const answers = {
      planDelete: async () => plan,
      delete: async () => ({ deadObjects: 1, freedBytes: 27, removedPacks: 1, rewrittenPacks: 0 }),
    };
    const refused = await fakeRun(["delete", "12"], answers);
    expect([refused.code, refused.calls.map(([method]) => method)]).toEqual([2, ["planDelete"]]);
    expect(refused.err).toContain('is pinned, so nothing was deleted. Unpin it first ("checkpoint unpin 12")');
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
  });
});

describe("errors", () => {
  const codes: [ErrorCode, number][] = [
    ["usage", 2],
    ["not-found", 3],
    ["ambiguous", 3],
    ["locked", 4],
    ["damaged", 5],
    ["newer-format", 1],
    ["disk-full", 1],
    ["nothing-to-undo", 1],
    ["cancelled", 130],
    ["internal", 1],
  ];

  it.each(codes)("C21 %s ends with %i, in words and as JSON", async (code, exit) => {
    const answers = {
      undoState: async () => ({ undo: null, redo: null }),
      undo: async () => {
        throw new CheckpointError(code, "What happened. What to do.");
      },
    };
    const people = await fakeRun(["undo"], answers);
    expect(people.code).toBe(exit);
    expect(people.out).toBe("");
    expect(people.err.split("\n")[0]).toBe("checkpoint: What happened. What to do.");
    const programs = await fakeRun(["undo", "--json"], answers);
    expect(programs.code).toBe(exit);
    expect(JSON.parse(programs.out)).toEqual({ error: { code, message: "What happened. What to do." } });
    for (const text of [people.err, programs.out, programs.err]) expect(text).not.toMatch(/\n\s+at /);
    expect(programs.closed).toBe(1);
  });

  it("C21 an unforeseen failure prints no stack, except when asked for", async () => {
    const answers = {
      gc: async () => {
        throw new TypeError("x is not a function");
      },
    };
    const { code, err } = await fakeRun(["gc"], answers);
    expect(code).toBe(1);
    expect(err).toContain("CHECKPOINT_DEBUG=1");
    expect(err).not.toMatch(/\n\s+at /);
    const debug = await fakeRun(["gc"], answers, { env: { CHECKPOINT_DEBUG: "1" } });
    expect(debug.err).toMatch(/TypeError: x is not a function\n\s+at /);
  });

  it("a store that cannot be opened is an error like any other", async () => {
    const { code, out } = await fakeRun(["list", "--json"], {}, { openError: new CheckpointError("locked", "Held.") });
    expect(code).toBe(4);
    expect(JSON.parse(out)).toEqual({ error: { code: "locked", message: "Held." } });
  });

  it.each([
    [["nonsense"]],
    [[]],
    [["save", "--nonsense"]],
    [["save", "extra"]],
    [["show"]],
    [["delete"]],
    [["list", "--limit", "0"]],
    [["list", "--limit", "many"]],
    [["list", "--lock-timeout", "soon"]],
    [["save", "--max-file-size", "big"]],
    [["save", "-m"]],
    [["cat", "12", "../outside"]],
    [["restore", "12", "/elsewhere"]],
    [["history", ""]],
  ])("a wrong line ends with 2 and reaches no engine: %j", async (argv) => {
    const people = await fakeRun(argv);
    expect(people.code).toBe(2);
    expect(people.out).toBe("");
    expect(people.err).toMatch(/checkpoint: \S/);
    expect(people.calls).toEqual([]);
    const programs = await fakeRun([...argv, "--json"]);
    expect(programs.code).toBe(2);
    if (argv.length > 0 && argv[1] !== "-m") expect(JSON.parse(programs.out).error.code).toBe("usage");
  });

  it("help and version are no errors and, with --json, stay off stdout", async () => {
    const help = await fakeRun(["--help"]);
    expect(help.code).toBe(0);
    for (const command of ["save", "list", "show", "diff", "cat", "restore", "undo", "redo", "rename", "pin", "unpin"])
      expect(help.out).toMatch(new RegExp(`^  ${command} `, "m"));
    expect((await fakeRun(["restore", "--help"])).out).toContain("--no-safety");
    expect((await fakeRun(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await fakeRun(["--help", "--json"])).out).toBe("");
  });

  it("Ctrl+C reaches the operation and ends with 130", async () => {
    const { code, err } = await fakeRun(["save"], {}, { isCancelled: () => true });
    expect(code).toBe(130);
    expect(err).toBe("checkpoint: Cancelled. Nothing was changed.\n");
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
