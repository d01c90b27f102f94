import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { snapshotTree } from "../../support/snapshotTree";
import { tempFolder } from "../../support/tempFolders";
import { CLI_SCRIPT, openTestEngine } from "../../support/testEngine";
import { file, folder, link } from "../../support/treeLiteral";

describe("what bit the users of others", () => {
  it("C20 permission bits come back, with the content, without it, and of folders", async () => {
    const w = await openTestEngine({
      run: file("#!/bin/sh\n", 0o755),
      private: file("x", 0o600),
      "read-only": file("x", 0o444),
      shared: file("x", 0o4711),
      closed: folder({ a: "1" }, 0o700),
      open: folder({}, 0o1777),
    });
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    for (const name of ["run", "private"]) fs.rmSync(w.path(name));
    for (const name of ["read-only", "shared", "closed", "open"]) fs.chmodSync(w.path(name), 0o750);
    const { paths } = await w.restore(checkpoint);
    expect(paths).toEqual({
      added: ["private", "run"],
      changed: ["closed/", "open/", "read-only", "shared"],
      removed: [],
    });
    expect(w.snapshot()).toEqual(then);
    await w.undo();
    expect(fs.statSync(w.path("shared")).mode & 0o7777).toBe(0o750);
  });

  it("C20 links come back as links: to files, folders, nowhere, absolute", async () => {
    const w = await openTestEngine({
      target: "x",
      folder: { in: "1" },
      ...{ file: link("target"), dir: link("folder"), dangling: link("no/where"), absolute: link("/etc/passwd") },
      up: link("../.."),
    });
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    const system = fs.statSync("/etc/passwd");
    for (const name of ["file", "dir", "dangling", "absolute", "up"]) {
      fs.rmSync(w.path(name));
      if (name !== "up") w.write(name, "a file now");
    }
    expect((await w.restore(checkpoint)).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
    expect(fs.statSync("/etc/passwd").mtimeMs).toBe(system.mtimeMs);
  });

  it("C20 a file that became a link is replaced, not written through", async () => {
    const outside = tempFolder("outside");
    fs.writeFileSync(`${outside}/victim`, "outside");
    const w = await openTestEngine({ a: "1", mode: file("1", 0o600) });
    const checkpoint = await w.checkpoint();
    for (const name of ["a", "mode"]) {
      fs.rmSync(w.path(name));
      fs.symlinkSync(`${outside}/victim`, w.path(name));
    }
    const before = snapshotTree(outside, { times: true });
    await w.restore(checkpoint);
    expect(w.snapshot()).toEqual({ a: 'file 644 "1"', mode: 'file 600 "1"' });
    expect(snapshotTree(outside, { times: true })).toEqual(before);
  });

  it("C20 a folder that became a link to outside: nothing outside is touched", async () => {
    const outside = tempFolder("outside");
    fs.mkdirSync(`${outside}/deep`);
    for (const name of ["f", "deep/g", "other"]) fs.writeFileSync(`${outside}/${name}`, "outside");
    const w = await openTestEngine({ d: { f: "1", deep: { g: "1" }, gone: "1" } });
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    fs.rmSync(w.path("d"), { recursive: true });
    fs.symlinkSync(outside, w.path("d"));
    const before = snapshotTree(outside, { times: true });
    // Of single paths behind the link nothing is restored; that would be outside.
    const part = await w.restore(checkpoint, { paths: ["d/f", "d/gone", "d/deep/g"] });
    expect(part.changes).toEqual([]);
    expect(part.kept).not.toEqual([]);
    expect((await w.restore(checkpoint)).kept).toEqual([]);
    expect(w.snapshot()).toEqual(then);
    await w.undo();
    expect(fs.readlinkSync(w.path("d"))).toBe(outside);
    expect(snapshotTree(outside, { times: true })).toEqual(before);
  });

  it("C20 empty folders come back, and those there now survive", async () => {
    const w = await openTestEngine({
      empty: {},
      deep: { er: { empty: folder({}, 0o700) } },
      ".git": { refs: {}, objects: {} },
    });
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    fs.rmSync(w.path("empty"), { recursive: true });
    fs.rmSync(w.path("deep"), { recursive: true });
    fs.mkdirSync(w.path("new/empty"), { recursive: true });
    const { paths } = await w.restore(checkpoint);
    expect(paths).toEqual({ added: ["deep/er/empty/", "empty/"], changed: [], removed: ["new/empty/"] });
    expect(w.snapshot()).toEqual(then);
    await w.undo();
    expect(w.exists("new/empty")).toBe(true);
  });

  it("C20 .gitattributes changes no byte", async () => {
    const content = "$Id$\r\nmixed\nends\r\n";
    const w = await openTestEngine({
      ".gitattributes": "* text=auto eol=lf ident\n*.bat eol=crlf\n",
      a: content,
      "b.bat": content,
    });
    const checkpoint = await w.checkpoint();
    const then = w.snapshot();
    for (const name of ["a", "b.bat"]) w.write(name, "");
    await w.restore(checkpoint);
    expect(w.snapshot()).toEqual(then);
  });

  it("C20 pipes and sockets are named, not read, and stay", async () => {
    const w = await openTestEngine({ a: "1" });
    execFileSync("mkfifo", [w.path("pipe")]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(w.path("socket"), resolve));
    try {
      const { skipped, checkpoint } = await w.save();
      expect(skipped.map((each) => [each.path, each.reason])).toEqual([
        ["pipe", "special-file"],
        ["socket", "special-file"],
      ]);
      w.write("a", "2");
      const { kept, paths } = await w.restore(checkpoint?.id ?? "");
      expect({ kept, paths }).toEqual({ kept: [], paths: { added: [], changed: ["a"], removed: [] } });
      expect(fs.lstatSync(w.path("pipe")).isFIFO()).toBe(true);
      expect(fs.lstatSync(w.path("socket")).isSocket()).toBe(true);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("C20 a pipe or socket where a file or folder was is kept, and named", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "1" } });
    const checkpoint = await w.checkpoint();
    fs.rmSync(w.path("a"));
    fs.rmSync(w.path("d"), { recursive: true });
    for (const name of ["a", "d"]) execFileSync("mkfifo", [w.path(name)]);
    const promised = await w.restore(checkpoint, { dryRun: true });
    const { kept, changes } = await w.restore(checkpoint);
    expect(promised.kept).toEqual(kept);
    expect(kept.map((each) => each.path)).toEqual(["a", "d"]);
    expect(changes).toEqual([]);
    for (const name of ["a", "d"]) expect(fs.lstatSync(w.path(name)).isFIFO()).toBe(true);
  });

  it("C20 a renamed workspace keeps its checkpoints", async () => {
    const parent = tempFolder("parent");
    const w = await openTestEngine({ a: "1" }, { workspace: `${parent}/old` });
    w.checkAfterwards = false;
    await w.checkpoint();
    fs.renameSync(`${parent}/old`, `${parent}/new`);
    await expect(w.another()).rejects.toMatchObject({ code: "workspace-missing", message: /Check that it exists/ });
    const moved = await openTestEngine({ a: "2" }, { workspace: `${parent}/new`, storeRoot: w.storeRoot });
    expect(await moved.engine.list()).toHaveLength(1);
    await moved.restore("latest");
    expect(moved.read("a")).toBe("1");
  });

  it("C20 what is shown as a number or id can be typed, also of checkpoints made in one moment", async () => {
    const w = await openTestEngine({ a: "1" });
    for (let i = 0; i < 20; i++) await w.save({ name: `n${i}` });
    for (const { id, number } of await w.engine.list()) {
      expect((await w.engine.resolve(id)).number).toBe(number);
      expect((await w.engine.resolve(String(number))).id).toBe(id);
      expect((await w.engine.resolve(`#${number}`)).id).toBe(id);
    }
  });

  it("C20 P8 a sparse file of 3 GB is saved and restored in less than 200 MB of memory", async () => {
    const workspace = tempFolder("workspace");
    const store = tempFolder("store");
    const size = 3 * 1024 ** 3;
    const fd = fs.openSync(`${workspace}/sparse`, "w");
    fs.ftruncateSync(fd, size);
    fs.writeSync(fd, "in the middle", 2 ** 31 + 5);
    fs.closeSync(fd);
    const cli = (...args: string[]): number =>
      peakMegabytes([CLI_SCRIPT, "--workspace", workspace, "--store", store, ...args]);
    expect(cli("save")).toBeLessThan(200);
    expect(directoryBytes(store)).toBeLessThan(30 * 1024 ** 2);
    fs.rmSync(`${workspace}/sparse`);
    expect(cli("restore", "latest")).toBeLessThan(200);
    const restored = fs.openSync(`${workspace}/sparse`, "r");
    const middle = Buffer.alloc(20);
    fs.readSync(restored, middle, 0, 20, 2 ** 31);
    expect(middle.toString("latin1")).toBe("\0\0\0\0\0in the middle\0\0");
    expect(fs.fstatSync(restored).size).toBe(size);
    fs.closeSync(restored);
  }, 180_000);
});

/** Runs node with a hook that prints the peak of its resident memory at the end. */
function peakMegabytes(args: string[]): number {
  const hook = "process.on('exit', () => process.stderr.write('peak=' + process.resourceUsage().maxRSS))";
  const script = `${hook}; process.argv.splice(1, 1, ${JSON.stringify(args[0])}); require(${JSON.stringify(args[0])})`;
  const result = spawnSync(process.execPath, ["-e", script, "-", ...args.slice(1)], { encoding: "utf8" });
  expect(result.status, result.stderr).toBe(0);
  return Number(/peak=(\d+)/.exec(result.stderr)?.[1]) / 1024;
}

function directoryBytes(dir: string): number {
  return fs
    .readdirSync(dir, { recursive: true, encoding: "utf8" })
    .reduce((sum, name) => sum + fs.statSync(`${dir}/${name}`).size, 0);
}
