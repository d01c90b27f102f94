/** Which folder a command works on: real processes in real folders, since the store is what decides it. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const CLI = path.resolve(__dirname, "../../../dist/cli.js");

let base: string;
let workspace: string;
let below: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), "checkpoint-workspace-")));
  workspace = path.join(base, "ws");
  below = path.join(workspace, "fs", "deep");
  mkdirSync(below, { recursive: true });
  writeFileSync(path.join(workspace, "top.txt"), "1\n");
  writeFileSync(path.join(below, "a.txt"), "1\n");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function cli(cwd: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, CHECKPOINT_STORE: path.join(base, "store") };
    const child = execFile(process.execPath, [CLI, ...argv], { cwd, env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

const stores = (): string[] => readdirSync(path.join(base, "store", "stores"));

describe("the workspace", () => {
  it("is the nearest folder with a store, from the current one up, and is named on stderr", async () => {
    await cli(workspace, "save");
    const { code, out, err } = await cli(below, "list", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out).checkpoints).toHaveLength(1);
    expect(err).toMatch(`Using the workspace ${workspace} `);
    expect((await cli(workspace, "list")).err).toBe("");
    writeFileSync(path.join(workspace, "top.txt"), "2\n");
    expect(JSON.parse((await cli(below, "save", "--json")).out)).toMatchObject({ number: 2, changed: 1 });
    expect(stores()).toHaveLength(1);
  });

  it("paths count from the current folder", async () => {
    await cli(workspace, "save");
    for (const name of ["top.txt", "fs/deep/a.txt"]) writeFileSync(path.join(workspace, name), "changed\n");
    expect((await cli(below, "cat", "1", "a.txt")).out).toBe("1\n");
    expect((await cli(below, "cat", "1", "../../top.txt")).out).toBe("1\n");
    expect((await cli(below, "cat", "1", "../../../top.txt")).code).toBe(2);
    expect(JSON.parse((await cli(below, "diff", "1", ".", "--json")).out).changed).toEqual(["fs/deep/a.txt"]);
    expect((await cli(below, "restore", "1", ".")).code).toBe(0);
    expect(readFileSync(path.join(below, "a.txt"), "utf8")).toBe("1\n");
    expect(readFileSync(path.join(workspace, "top.txt"), "utf8")).toBe("changed\n");
    // Scripts name the workspace and the files in it from anywhere.
    expect((await cli(below, "cat", "1", "top.txt", "--workspace", workspace)).out).toBe("1\n");
  });

  it("is the current folder where none above has a store, and where --workspace says so", async () => {
    expect((await cli(below, "save")).err).toBe("");
    expect(JSON.parse((await cli(workspace, "list", "--json")).out).checkpoints).toEqual([]);
    await cli(workspace, "save");
    expect((await cli(path.join(workspace, "fs"), "save", "--workspace", ".")).err).toBe("");
    expect(stores()).toHaveLength(3);
  });

  it("a store that never got a checkpoint hides none", async () => {
    expect((await cli(below, "undo")).code).toBe(1);
    await cli(workspace, "save");
    expect(JSON.parse((await cli(below, "list", "--json")).out).checkpoints).toHaveLength(1);
  });

  it.each([["top.txt"], [""]])("--workspace %j, which is no folder, is a wrong line", async (typed) => {
    const { code, out, err } = await cli(workspace, "save", "--workspace", typed);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/folder/);
    expect(err).not.toContain("ENOTDIR");
  });

  it("a path below what is a file now is compared if a checkpoint holds it, and unknown if none does", async () => {
    await cli(workspace, "save");
    rmSync(below, { recursive: true });
    writeFileSync(below, "a file\n");
    expect(JSON.parse((await cli(workspace, "diff", "1", "fs/deep/a.txt", "--json")).out).removed).toEqual([
      "fs/deep/a.txt",
    ]);
    expect((await cli(workspace, "diff", "1", "--", "fs/deep/b.txt")).code).toBe(3);
  });

  it("the history of a folder lists each checkpoint in which anything below it changed", async () => {
    for (const text of ["1\n", "2\n", "3\n"]) {
      writeFileSync(path.join(below, "a.txt"), text);
      await cli(workspace, "save");
    }
    writeFileSync(path.join(workspace, "top.txt"), "other\n");
    await cli(workspace, "save");
    for (const [cwd, typed] of [
      [workspace, "fs"],
      [workspace, "fs/deep/"],
      [below, "."],
    ] as const) {
      const versions = JSON.parse((await cli(cwd, "history", typed, "--json")).out).versions;
      const seen = versions.map(({ number, change }: { number: number; change: string }) => `${number} ${change}`);
      expect(seen, typed).toEqual(["3 changed", "2 changed", "1 added"]);
    }
    expect((await cli(workspace, "history", ".")).code).toBe(2);
  });
});
