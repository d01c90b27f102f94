import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { CLI_SCRIPT } from "../../support/testEngine";
import { createTree, file, folder, type TreeLiteral } from "../../support/treeLiteral";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** A workspace and store of an ordinary user, for whom permission bits mean something; root lends itself nobody's. */
function ordinary(tree: TreeLiteral): { workspace: string; cli: (...args: string[]) => Record<string, unknown> } {
  const base = tempFolder("ordinary");
  fs.chmodSync(base, 0o755);
  const [workspace, store] = [`${base}/workspace`, `${base}/store`];
  createTree(workspace, tree);
  fs.mkdirSync(store);
  // Bundles may lie where others cannot read.
  const script = `${base}/dist`;
  fs.cpSync(CLI_SCRIPT.replace(/\/[^/]*$/, ""), script, { recursive: true });
  execFileSync("chmod", ["-R", "a+rX", script]);
  if (isRoot) execFileSync("chown", ["-hR", `${NOBODY}:${NOBODY}`, workspace, store]);
  return {
    workspace,
    cli: (...args) => {
      const command = [`${script}/cli.js`, "--workspace", workspace, "--store", store, "--json", ...args];
      const result = spawnSync(process.execPath, command, {
        encoding: "utf8",
        cwd: base,
        ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
      });
      const answer = JSON.parse(result.stdout) as Record<string, unknown>;
      // What was refused is told by the exit code as well.
      const refused = ((answer.kept ?? []) as { code: string }[]).some(({ code }) => code === "denied");
      expect(result.status, result.stderr).toBe(refused ? 1 : 0);
      return answer;
    },
  };
}

describe("as a user for whom permissions count", () => {
  it("C12 C20 unreadable files and folders are named, everything else is saved and restored", () => {
    const { workspace, cli } = ordinary({
      a: "1",
      secret: file("s", 0o000),
      closed: folder({ c: "1" }, 0o000),
      d: { b: "1" },
    });
    const saved = cli("save");
    expect(saved.skipped).toEqual([
      expect.objectContaining({ path: "closed", reason: "unreadable" }),
      expect.objectContaining({ path: "secret", reason: "unreadable" }),
    ]);
    expect(saved.files).toBe(2);
    fs.writeFileSync(`${workspace}/a`, "2");
    const before = snapshotTree(workspace);
    expect(cli("restore", "1")).toMatchObject({ changed: 1, removed: 0, added: 0 });
    expect(snapshotTree(workspace)).toEqual({ ...before, a: 'file 644 "1"' });
  });

  it("C12 a folder that was readable then and is closed now: the restore does the rest and names it", () => {
    const { workspace, cli } = ordinary({ a: "1", d: { b: "1", e: { f: "1" } } });
    cli("save");
    fs.writeFileSync(`${workspace}/a`, "2");
    fs.chmodSync(`${workspace}/d`, 0o000);
    const restored = cli("restore", "1");
    expect(restored).toMatchObject({ changed: 1, paths: { changed: ["a"] } });
    expect((restored.kept as { path: string }[]).map((each) => each.path)).toEqual(["d/b", "d/e"]);
    fs.chmodSync(`${workspace}/d`, 0o755);
    expect(snapshotTree(workspace)).toMatchObject({
      a: 'file 644 "1"',
      "d/b": 'file 644 "1"',
      "d/e/f": 'file 644 "1"',
    });
  });

  it("C1 read-only folders and files come back, with what is in them", () => {
    const { workspace, cli } = ordinary({
      ro: folder({ a: file("1", 0o444), deep: folder({ b: "1" }, 0o555) }, 0o555),
      x: "1",
    });
    const then = snapshotTree(workspace);
    cli("save");
    for (const path of ["ro", "ro/deep"]) fs.chmodSync(`${workspace}/${path}`, 0o755);
    fs.rmSync(`${workspace}/ro`, { recursive: true });
    const now = snapshotTree(workspace);
    expect(cli("restore", "1").kept).toEqual([]);
    expect(snapshotTree(workspace)).toEqual(then);
    // Undoing means removing from a folder that forbids it.
    expect(cli("undo").kept).toEqual([]);
    expect(snapshotTree(workspace)).toEqual(now);
  });

  it("C1 folders that were closed to writing since are opened and filled", () => {
    const { workspace, cli } = ordinary({ outer: { inner: { a: "1" }, b: "1" } });
    const then = snapshotTree(workspace);
    cli("save");
    fs.writeFileSync(`${workspace}/outer/inner/a`, "2");
    fs.chmodSync(`${workspace}/outer/inner`, 0o500);
    fs.chmodSync(`${workspace}/outer`, 0o500);
    expect(cli("restore", "1").kept).toEqual([]);
    expect(snapshotTree(workspace)).toEqual(then);
    expect(cli("restore", "1")).toMatchObject({ added: 0, changed: 0, removed: 0 });
  });

  it("C1 folders that were open since get closed, inner ones first", () => {
    const { workspace, cli } = ordinary({ outer: folder({ inner: folder({ a: file("1", 0o400) }, 0o500) }, 0o500) });
    const then = snapshotTree(workspace);
    cli("save");
    for (const path of ["outer", "outer/inner"]) fs.chmodSync(`${workspace}/${path}`, 0o755);
    fs.chmodSync(`${workspace}/outer/inner/a`, 0o644);
    fs.writeFileSync(`${workspace}/outer/inner/a`, "2");
    expect(cli("restore", "1").kept).toEqual([]);
    expect(snapshotTree(workspace)).toEqual(then);
  });
});
