import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { collectPatches, formatPatches } from "../../../src/cli/patch";
import type { EngineApi } from "../../../src/shared/api";
import type { Change, EntryState } from "../../../src/shared/changes";
import type { Ref } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import { checkpoint, fakeRun } from "./fakeEngine";

const file = (hash: string, change: Partial<EntryState> = {}): EntryState => ({
  type: "file",
  mode: 0o644,
  size: 10,
  hash,
  ...change,
});

const resolve = async (ref: Ref) => {
  if (ref === "11" || ref === "12") return checkpoint({ number: Number(ref) });
  throw new CheckpointError("not-found", `There is no checkpoint "${ref}".`);
};
const stat = async (_ref: Ref, path: string) => {
  if (path.startsWith("src")) return file("00");
  throw new CheckpointError("not-found", "no such path");
};
const diffOf = (changes: Change[]) => async () => ({ changes, skipped: [] });

describe("diff --patch", () => {
  it("a difference longer than any string can be is printed as it is made, one piece at a time", async () => {
    const count = 600;
    const content = Buffer.from(`${"x".repeat(999)}\n`.repeat(1000));
    const changes: Change[] = Array.from({ length: count }, (_, i) => ({
      path: `moved/${i}`,
      kind: "added",
      after: file(`${i}`, { size: content.length }),
    }));
    let read = 0;
    let written = 0;
    let bytes = 0;
    let ahead = 0;
    const sum = createHash("sha1");
    const stdout = {
      write: (chunk: string | Uint8Array, done?: () => void) => {
        bytes += chunk.length;
        sum.update(chunk);
        // A reader that takes its time: nothing more may be read from the store meanwhile.
        setImmediate(() => {
          written++;
          done?.();
        });
      },
    };
    const { code } = await fakeRun(
      ["diff", "11", "12", "--patch"],
      {
        resolve,
        diff: diffOf(changes),
        readFile: async () => {
          read++;
          ahead = Math.max(ahead, read - written);
          return content;
        },
      },
      { stdout },
    );
    expect(code).toBe(0);
    expect(read).toBe(count);
    expect(bytes).toBeGreaterThan(2 ** 29);
    expect(ahead).toBe(1);
  });

  it("files above 10 MB are named and not read", async () => {
    const { out, calls } = await fakeRun(["diff", "11", "12", "--patch"], {
      resolve,
      diff: diffOf([
        { path: "big", kind: "changed", before: file("1", { size: 10_000_001 }), after: file("2", { size: 2e9 }) },
      ]),
    });
    expect(out).toBe("diff --git a/big b/big\nBinary files a/big and b/big differ\n");
    expect(calls.map(([method]) => method)).not.toContain("readFile");
  });

  it("a change of permissions alone reads no content", async () => {
    const { out } = await fakeRun(["diff", "11", "12", "--patch"], {
      resolve,
      diff: diffOf([{ path: "run", kind: "changed", before: file("1"), after: file("1", { mode: 0o755 }) }]),
    });
    expect(out).toBe("diff --git a/run b/run\nold mode 100644\nnew mode 100755\n");
  });

  it("Ctrl+C ends it between two pieces", async () => {
    let cancelledNow = false;
    const { code, err } = await fakeRun(
      ["diff", "11", "12", "--patch"],
      {
        resolve,
        diff: diffOf([1, 2, 3].map((i) => ({ path: `${i}`, kind: "added", after: file(`${i}`) }))),
        readFile: async (_ref, path) => {
          if (path === "1") setImmediate(() => (cancelledNow = true));
          if (path === "3") throw new Error("read after Ctrl+C");
          return Buffer.alloc(100_000, "x\n");
        },
      },
      { isCancelled: () => cancelledNow },
    );
    expect({ code, err }).toEqual({ code: 130, err: "checkpoint: Cancelled. Nothing was changed.\n" });
  });

  it("as JSON it is one object, or an error that says what to do", async () => {
    const answers = {
      resolve,
      diff: diffOf([{ path: "a", kind: "added", after: file("1") }]),
      readFile: async () => Buffer.from("grün\n"),
    };
    const { out } = await fakeRun(["diff", "11", "12", "--patch", "--json"], answers);
    expect(JSON.parse(out).patch).toContain("+grün\n");
    const engine = { readFile: answers.readFile } as unknown as EngineApi;
    const { changes } = await answers.diff();
    const pieces = () => formatPatches(changes, engine, { ref: "11" }, { ref: "12" }, "/");
    await expect(collectPatches(pieces(), 10)).rejects.toThrow(/Leave --json away/);
    expect(await collectPatches(pieces(), 1000)).toContain("+grün\n");
  });
});

describe("diff", () => {
  it.each([
    [["11", "--", "nosuch"], "neither in the compared checkpoints nor in the workspace"],
    [["11", "12", "--", "src", "nosuch"], "neither in the compared checkpoints nor in the workspace"],
    [["11", "nosuch"], "neither a checkpoint nor a path"],
    [["nosuch", "src"], 'no checkpoint "nosuch"'],
    [["nosuch", "--", "src"], 'no checkpoint "nosuch"'],
  ])("C20 what exists nowhere is an error, not equal: %j", async (operands, message) => {
    const { code, out, err } = await fakeRun(["diff", ...operands], { resolve, stat, diff: diffOf([]) });
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain(message);
  });

  it("says where nothing but the permissions differ", async () => {
    const { out } = await fakeRun(["diff", "11", "12"], {
      resolve,
      diff: diffOf([
        { path: "both", kind: "changed", before: file("1"), after: file("2", { mode: 0o755 }) },
        { path: "mode", kind: "changed", before: file("1"), after: file("1", { mode: 0o755 }) },
      ]),
    });
    expect(out).toBe("M both\nM mode (mode 644 → 755)\n2 changed\n");
  });
});
