import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/shared/errors";
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
    const answers = {
      gc: async () => ({ deadObjects: 0, freedBytes: 0, removedPacks: 0, rewrittenPacks: 0, damaged: [] }),
    };
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
      delete: async () => ({ deadObjects: 1, freedBytes: 10, removedPacks: 1, rewrittenPacks: 0, damaged: [] }),
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
      damaged: [],
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
