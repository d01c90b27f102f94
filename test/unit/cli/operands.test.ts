import { mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { countOperand, pathOperand, refOperand, secondsOperand, sizeOperand } from "../../../src/cli/operands";
import { storeRootOf } from "../../../src/cli/storeRoot";

describe("operands", () => {
  it("paths become relative to the workspace, with plain names", () => {
    const cases: [string, string][] = [
      ["a/b.ts", "a/b.ts"],
      ["./a//b/", "a/b"],
      ["a/../b", "b"],
      [".", ""],
      ["/w/a", "a"],
      ["/w", ""],
      ["/w/..a", "..a"],
      ["..a", "..a"],
      ["a\\xff", "a\\xff"],
      [" a ", " a "],
    ];
    for (const [typed, path] of cases) expect(pathOperand(typed, "/w"), typed).toBe(path);
  });

  it("C16 a path that leads out of the workspace is refused", () => {
    for (const typed of ["..", "../a", "a/../../b", "/", "/wx/a", "/w/../a"])
      expect(() => pathOperand(typed, "/w"), typed).toThrow(/not inside the workspace/);
  });

  it("an absolute path may name the workspace by another way through symlinks", () => {
    const folder = mkdtempSync(path.join(realpathSync(tmpdir()), "checkpoint-operands-"));
    try {
      symlinkSync(folder, `${folder}/link`);
      expect(pathOperand(`${folder}/a`, `${folder}/link`)).toBe("a");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("numbers are taken as they are shown", () => {
    expect(refOperand("#12")).toBe("12");
    expect(refOperand("#twelve")).toBe("#twelve");
    expect(refOperand("12")).toBe("12");
  });

  it("sizes, counts and seconds", () => {
    expect(sizeOperand("10", "--x")).toBe(10);
    expect(sizeOperand("2K", "--x")).toBe(2048);
    expect(sizeOperand("3 GiB", "--x")).toBe(3 * 1024 ** 3);
    for (const typed of ["", "-1", "1.5M", "1X", "99999999T"])
      expect(() => sizeOperand(typed, "--x"), typed).toThrow("--x");
    expect(countOperand("7", "--n")).toBe(7);
    for (const typed of ["0", "-1", "1.5", ""]) expect(() => countOperand(typed, "--n"), typed).toThrow("--n");
    expect(secondsOperand("0.25", "--t")).toBe(250);
    for (const typed of ["", "-1", "soon", "1e3"]) expect(() => secondsOperand(typed, "--t"), typed).toThrow("--t");
  });

  it("C21 every number is refused in the same words, and without what would steer the terminal", () => {
    const words = (option: string) => new RegExp(`^${option} takes .*, but "(\\\\x1b\\[2J|9+)" was given\\.$`);
    for (const typed of ["\x1b[2J", "9".repeat(400)]) {
      expect(() => sizeOperand(typed, "--x")).toThrow(words("--x"));
      expect(() => countOperand(typed, "--n")).toThrow(words("--n"));
      expect(() => secondsOperand(typed, "--t")).toThrow(words("--t"));
    }
    expect([sizeOperand(" 7 ", "--x"), countOperand(" 7 ", "--n"), secondsOperand(" 7 ", "--t")]).toEqual([
      7, 7, 7_000,
    ]);
  });
});

describe("the store's root", () => {
  const linux = { env: {}, cwd: "/w", platform: "linux", homeFolder: "/home/me" } as const;

  it("--store goes before $CHECKPOINT_STORE, and that before the data folder", () => {
    expect(storeRootOf("s", { ...linux, env: { CHECKPOINT_STORE: "/e" } })).toBe("/w/s");
    expect(storeRootOf(undefined, { ...linux, env: { CHECKPOINT_STORE: "/e" } })).toBe("/e");
    expect(storeRootOf(undefined, { ...linux, env: { CHECKPOINT_STORE: "" } })).toBe(
      "/home/me/.local/share/checkpoint",
    );
  });

  it("the data folder is the platform's", () => {
    const root = (change: Partial<Parameters<typeof storeRootOf>[1]>) =>
      storeRootOf(undefined, { ...linux, ...change });
    expect(root({ env: { XDG_DATA_HOME: "/data" } })).toBe("/data/checkpoint");
    expect(root({ env: { XDG_DATA_HOME: "relative" } })).toBe("/home/me/.local/share/checkpoint");
    expect(root({ platform: "darwin" })).toBe("/home/me/Library/Application Support/checkpoint");
    expect(root({ platform: "win32", env: { LOCALAPPDATA: "/local" } })).toBe("/local/checkpoint");
  });
});
