import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

const IN_GIT = (path: string): boolean => /(^|\/)\.git(\/|$)/.test(path);

function git(folder: string, ...args: string[]): void {
  const settings = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"];
  execFileSync("git", [...settings, ...args], { cwd: folder, stdio: "ignore", env: { PATH: process.env.PATH } });
}

async function repositories(): Promise<TestWorkspace> {
  const w = await openTestEngine({ a: "1", sub: { b: "1" }, nested: { c: "1", deep: { d: "1" } } });
  for (const path of ["nested", "."]) {
    git(w.path(path), "init");
    git(w.path(path), "add", "-A");
    git(w.path(path), "commit", "-m", "first");
  }
  fs.mkdirSync(w.path(".git/refs/empty-folder"));
  return w;
}

/** Everything in every .git: bytes, modes, inodes, times. */
const gitState = (w: TestWorkspace): Record<string, string> =>
  Object.fromEntries(Object.entries(w.snapshot({ times: true })).filter(([path]) => IN_GIT(path)));

async function everything(w: TestWorkspace): Promise<void> {
  const checkpoint = await w.checkpoint();
  w.write("a", "2");
  w.write("nested/new", "2");
  fs.rmSync(w.path("nested/deep"), { recursive: true });
  await w.restore(checkpoint, { dryRun: true });
  await w.restore(checkpoint);
  await w.undo();
  await w.redo();
  await w.engine.diff({ ref: "latest" }, { workspace: w.scan });
  await w.engine.delete(["latest"]);
  await w.engine.gc();
  await w.engine.verify({ full: true });
}

describe("git in the workspace", () => {
  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });

  it("C17 .git is byte-identical before and after everything, at every level", async () => {
    const w = await repositories();
    const state = gitState(w);
    expect(Object.keys(state).length).toBeGreaterThan(20);
    await everything(w);
    expect(gitState(w)).toEqual(state);
    git(w.folder, "fsck");
  });

  it("C17 C20 a repository inside is saved like any folder, without its .git; deleted, its files come back", async () => {
    const w = await repositories();
    const checkpoint = await w.checkpoint();
    const paths = (await w.engine.show(checkpoint.id)).changes.map((each) => each.path);
    expect(paths).toEqual(["a", "nested/c", "nested/deep/d", "sub/b"]);
    w.write("nested/c", "edited");
    const state = gitState(w);
    await w.restore(checkpoint);
    expect(w.read("nested/c")).toBe("1");
    expect(gitState(w)).toEqual(state);
    fs.rmSync(w.path("nested"), { recursive: true });
    await w.restore(checkpoint);
    expect(w.read("nested/deep/d")).toBe("1");
    expect(w.exists("nested/.git")).toBe(false);
    expect(w.exists("nested/.git_disabled")).toBe(false);
  });

  it("C17 a repository cloned since is not removed with its .git: what is in no checkpoint stays", async () => {
    const w = await openTestEngine({ a: "1" });
    const checkpoint = await w.checkpoint();
    fs.mkdirSync(w.path("cloned"));
    w.write("cloned/x", "1");
    git(w.path("cloned"), "init");
    const state = gitState(w);
    const { paths, kept } = await w.restore(checkpoint);
    expect(paths.removed).toEqual(["cloned/x"]);
    expect(kept.map((each) => each.path)).toEqual(["cloned"]);
    expect(gitState(w)).toEqual(state);
  });

  it("C17 a worktree's or submodule's .git file stays as well", async () => {
    const w = await openTestEngine({
      a: "1",
      ".git": "gitdir: /somewhere\n",
      module: { ".git": "gitdir: ../.git/modules/m\n", b: "1" },
    });
    const state = gitState(w);
    expect(Object.keys(state)).toHaveLength(2);
    fs.mkdirSync(w.path("nested/deep"), { recursive: true });
    await everything(w);
    expect(gitState(w)).toEqual(state);
  });

  it("C17 GIT_DIR and its like in the environment change nothing", async () => {
    const elsewhere = tempFolder("elsewhere");
    git(elsewhere, "init");
    const w = await repositories();
    const outside = snapshotTree(elsewhere, { times: true });
    process.env.GIT_DIR = `${elsewhere}/.git`;
    process.env.GIT_WORK_TREE = elsewhere;
    process.env.GIT_INDEX_FILE = `${elsewhere}/.git/index`;
    const state = gitState(w);
    await w.reopen();
    await everything(w);
    expect(gitState(w)).toEqual(state);
    expect(snapshotTree(elsewhere, { times: true })).toEqual(outside);
  });
});
