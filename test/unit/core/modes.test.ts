/** Whatever the umask and however wide the storage root: what a store holds is its owner's alone. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";
import { tempFolder } from "../../support/tempFolders";
import { CLI_SCRIPT, openTestEngine } from "../../support/testEngine";
import { createTree, file } from "../../support/treeLiteral";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

/** Entries below a folder whose modes are not 0600 (files) and 0700 (folders). */
function wide(folder: string, into: string[] = []): string[] {
  for (const each of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, each.name);
    const mode = fs.lstatSync(path).mode & 0o7777;
    if (mode !== (each.isDirectory() ? 0o700 : 0o600)) into.push(`${path.slice(folder.length)} ${mode.toString(8)}`);
    if (each.isDirectory()) wide(path, into);
  }
  return into;
}

function everything(umask: string, storeRoot: string): { store: string; seen: Set<string>; workspace: string } {
  const workspace = tempFolder("workspace");
  createTree(workspace, { a: "1", ".env": file("secret", 0o600), d: { "big.txt": "x".repeat(9_000) } });
  const cli = (...args: string[]): void => {
    const command = `umask ${umask}; exec "$0" "$@"`;
    const line = [process.execPath, CLI_SCRIPT, "--workspace", workspace, "--store", storeRoot, ...args];
    const { status, stderr } = spawnSync("sh", ["-c", command, ...line], { encoding: "utf8" });
    expect(status, `${args.join(" ")}: ${stderr}`).toBe(0);
  };
  cli("save", "--pack-chunk-bytes", "100");
  const stores = join(storeRoot, "stores");
  const seen = new Set<string>();
  const look = (): void => {
    expect(wide(stores)).toEqual([]);
    for (const name of fs.readdirSync(stores, { recursive: true, encoding: "utf8" }))
      seen.add(name.replace(/[0-9a-f]{16}/g, "*").replace(/\d{6}$/, "#"));
  };
  look();
  for (let i = 2; i < 6; i++) {
    createTree(workspace, { a: `${i}`, [`new-${i}`]: `${i}` });
    cli("save", "-m", `save ${i}`);
  }
  look();
  for (const args of [
    ["restore", "1"],
    ["undo"],
    ["redo"],
    ["pin", "2"],
    ["rename", "2", "other"],
    ["purge", "new-3", "--yes"],
    ["delete", "3"],
    ["gc"],
    ["verify", "--full"],
    ["save", "-m", "last"],
  ]) {
    cli(...args);
    look();
  }
  return { store: stores, seen, workspace };
}

describe("modes", () => {
  for (const umask of ["000", "027", "077"])
    it(`V21 C16 store folders are 0700 and files 0600 after everything was used, with umask ${umask}`, () => {
      const { seen, store } = everything(umask, join(tempFolder("store"), "root"));
      expect(fs.statSync(store).mode & 0o777).toBe(0o700);
      // Every kind of file was there to be looked at.
      for (const kind of [
        "*/catalog.sqlite",
        "*/store.json",
        "*/packs/pack-*.idx",
        "*/packs/pack-*.dat.parts.json",
        "*/packs/pack-*.dat.part-#",
        "*/trees/pack-*.dat",
        "*/index/files.base",
        "*/index/packs.list",
        "*/locks",
        "*/journal",
      ])
        expect(seen).toContain(kind);
    });

  it("V21 a storage root that is open to all stays as it is; what is ours in it is closed, also a folder made before", () => {
    const root = tempFolder("store");
    fs.chmodSync(root, 0o777);
    fs.mkdirSync(join(root, "stores"));
    fs.chmodSync(join(root, "stores"), 0o755);
    const { store } = everything("000", root);
    expect(fs.statSync(root).mode & 0o777).toBe(0o777);
    expect(fs.statSync(store).mode & 0o777).toBe(0o755);
    for (const id of fs.readdirSync(store)) expect(fs.statSync(join(store, id)).mode & 0o777).toBe(0o700);
  });

  it("V21 a store whose modes were widened (copied, restored from a backup) is closed by the next change", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    spawnSync("chmod", ["-R", "go+rwX", w.store]);
    w.write("a", "2");
    await w.checkpoint();
    for (const name of ["", "packs", "trees", "index", "locks"])
      expect(fs.statSync(join(w.store, name)).mode & 0o777, name).toBe(0o700);
  });

  it("V21 journal, lock and unfinished files are closed from the moment they are there", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine({ a: "1", b: "2" }, { fs: disk.fs });
    const checkpoint = await w.checkpoint();
    w.write("a", "edited");
    fs.rmSync(w.path("b"));
    const found = new Map<string, string[]>();
    const old = process.umask(0);
    try {
      disk.hook = () => {
        for (const path of wide(w.storeRoot)) found.set(path, []);
      };
      await w.restore(checkpoint);
      await w.undo();
      w.write("c", "3");
      await w.checkpoint();
    } finally {
      process.umask(old);
      disk.hook = () => {};
    }
    expect([...found.keys()]).toEqual([]);
  });

  it("V21 content that a restore writes is never open to more people than the file it becomes", async () => {
    const disk = new WatchedFileSystem();
    const w = await openTestEngine(
      {
        replaced: file("secret", 0o600),
        added: file("secret too", 0o600),
        group: file("x", 0o640),
        run: file("x", 0o755),
      },
      { fs: disk.fs },
    );
    const checkpoint = await w.checkpoint();
    for (const name of ["replaced", "group", "run"]) w.write(name, "edited");
    fs.chmodSync(w.path("replaced"), 0o644);
    fs.rmSync(w.path("added"));
    const allowed: Record<string, number> = { replaced: 0o644, added: 0o600, group: 0o640, run: 0o755 };
    const found: string[] = [];
    const old = process.umask(0);
    try {
      disk.hook = () => {
        for (const name of fs.readdirSync(w.folder)) {
          const mode = fs.lstatSync(w.path(name)).mode & 0o777;
          // Which file a temp file becomes is not known here: the closest of them is what it must not be wider than,
          // until it holds something.
          const isTemp = name.startsWith(TEMP_PREFIX);
          if (isTemp && fs.statSync(w.path(name)).size > 0 && (mode & 0o022) !== 0)
            found.push(`${name} ${mode.toString(8)}`);
          if (isTemp && fs.readFileSync(w.path(name), "utf8").startsWith("secret") && mode !== 0o600)
            found.push(`secret in ${name} ${mode.toString(8)}`);
          const limit = allowed[name];
          if (limit !== undefined && (mode & ~limit) !== 0) found.push(`${name} ${mode.toString(8)}`);
        }
      };
      await w.restore(checkpoint);
    } finally {
      process.umask(old);
      disk.hook = () => {};
    }
    expect(found).toEqual([]);
    expect(fs.statSync(w.path("replaced")).mode & 0o777).toBe(0o600);
  });
});
