import { describe, expect, it } from "vitest";
import { CheckpointError, type ErrorCode } from "../../../src/shared/errors";
import { fakeRun } from "./fakeEngine";

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
