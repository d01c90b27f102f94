import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { loadCodecs } from "../../../src/core/store/codecs";
import type { Hash } from "../../../src/core/store/hash";
import { decodeFrame } from "../../../src/core/store/lz4FrameDecoder";
import { removeIntent, writeIntent } from "../../../src/core/store/restoreJournal";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import { damageContent } from "../../support/damagedContent";
import { Random } from "../../support/seeded";
import { snapshotTree } from "../../support/snapshotTree";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const SECRET = "password=correct horse battery staple\n";

/** Everything the files of a store hold: their bytes, and whatever decodes as a frame in them. */
async function heldBy(store: string): Promise<string> {
  const codecs = await loadCodecs();
  const held: string[] = [];
  for (const path of files(store)) {
    const bytes = fs.readFileSync(path);
    held.push(bytes.toString("latin1"));
    const magic = Buffer.from([0x04, 0x22, 0x4d, 0x18]);
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      // Where a frame ends is not known here: tried at the beginning of the next one, and at the end.
      const next = bytes.indexOf(magic, at + 1);
      for (const end of [next < 0 ? bytes.length : next - 24, bytes.length])
        try {
          held.push(Buffer.from(decodeFrame(codecs, bytes.subarray(at, end))).toString("latin1"));
        } catch (error) {
          if (!CheckpointError.is(error, "damaged")) throw error;
        }
    }
  }
  return held.join("\n");
}

function files(folder: string): string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((each) => (each.isDirectory() ? files(join(folder, each.name)) : [join(folder, each.name)]));
}

const changed = async (w: TestWorkspace, ref: string): Promise<string[]> =>
  (await w.engine.show(ref)).changes.map(({ kind, path }) => `${kind} ${path}`);

/** Four checkpoints, three of which hold the secret; the second is pinned, the third was named. */
async function withSecret(options: Parameters<typeof openTestEngine>[1] = {}) {
  const w = await openTestEngine({ "a.txt": "1", config: { "keep.txt": "kept" } }, options);
  const ids = [(await w.checkpoint()).id];
  w.write("config/prod.env", SECRET);
  w.write("a.txt", "2");
  ids.push((await w.checkpoint()).id);
  await w.engine.pin("latest", true);
  w.write("config/prod.env", `${SECRET}second version\n`);
  ids.push((await w.checkpoint({ name: "named" })).id);
  fs.rmSync(w.path("config/prod.env"));
  w.write("a.txt", "3");
  ids.push((await w.checkpoint()).id);
  return { w, ids };
}

describe("purging a path", () => {
  it("V21 takes it out of all checkpoints, pinned ones too, and its content and name out of every file of the store", async () => {
    const { w, ids } = await withSecret();
    expect(await heldBy(w.store)).toContain("correct horse");
    const before = await w.engine.list();
    const planned = await w.engine.planPurge(["config/prod.env"]);
    expect(planned).toMatchObject({
      paths: ["config/prod.env"],
      missing: [],
      versions: 2,
      deadObjects: 2,
      elsewhere: { total: 0 },
      present: [],
    });
    expect(planned.checkpoints.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    const { freed, ...done } = await w.engine.purge(["config/prod.env"]);
    expect(done).toEqual(planned);
    expect(freed).toMatchObject({ damaged: [] });
    expect(freed.deadObjects).toBeGreaterThanOrEqual(2);

    const held = await heldBy(w.storeRoot);
    expect(held).not.toContain("correct horse");
    expect(held).not.toContain("prod.env");
    // What else was in the same packs is there.
    expect(held).toContain("keep.txt");

    const after = await w.engine.list();
    const identity = ({ id, number, name, createdAt, pinned, parentId, kind }: Checkpoint) => [
      id,
      number,
      name,
      createdAt,
      pinned,
      parentId,
      kind,
    ];
    expect(after.map(identity)).toEqual(before.map(identity));
    expect(after.map(({ files, bytes }) => ({ files, bytes }))).toEqual([
      { files: 2, bytes: 5 },
      { files: 2, bytes: 5 },
      { files: 2, bytes: 5 },
      { files: 2, bytes: 5 },
    ]);
    expect(await changed(w, ids[1] ?? "")).toEqual(["changed a.txt"]);
    expect(await changed(w, ids[2] ?? "")).toEqual([]);
    expect(await changed(w, ids[3] ?? "")).toEqual(["changed a.txt"]);
    expect(after.map((each) => [each.added, each.changed, each.removed])).toEqual([
      [0, 1, 0],
      [0, 0, 0],
      [0, 1, 0],
      [2, 0, 0],
    ]);
    for (const id of ids)
      await expect(w.engine.stat(id, "config/prod.env")).rejects.toMatchObject({ code: "not-found" });
    expect(await w.engine.history("config/prod.env")).toEqual([]);
    await w.restore(ids[1] ?? "");
    expect(w.read("a.txt")).toBe("2");
  });

  it("V21 an engine that knew the lists of changes from before tells the new ones", async () => {
    const { w, ids } = await withSecret();
    const other = await w.another();
    try {
      expect(await other.history("config/prod.env")).toHaveLength(3);
      await w.engine.purge(["config/prod.env"]);
      expect(await other.history("config/prod.env")).toEqual([]);
      expect(await other.history("a.txt")).toHaveLength(3);
      expect((await other.show(ids[1] ?? "")).changes).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  it("V21 a folder goes with all in it, in packs that are cut into parts as well", async () => {
    const w = await openTestEngine({
      "a.txt": "1",
      keys: { deep: { "x.pem": SECRET, same: "1" }, "y.pem": "other key" },
    });
    await w.checkpoint({ packChunkBytes: 64 });
    const { freed, ...plan } = await w.engine.purge(["keys/"]);
    expect(plan).toMatchObject({
      paths: ["keys"],
      versions: 3,
      deadObjects: 2,
      elsewhere: { total: 1, listed: [{ path: "keys/deep/same", other: "a.txt" }] },
      present: ["keys"],
    });
    expect(freed.damaged).toEqual([]);
    expect(await heldBy(w.storeRoot)).not.toMatch(/correct horse|other key|pem/);
    expect(await w.engine.readDirectory("latest", "")).toMatchObject([{ name: "a.txt" }]);
    expect(Buffer.from(await w.engine.readFile("latest", "a.txt")).toString()).toBe("1");
  });

  it("V21 equal content elsewhere stays, and is named", async () => {
    const w = await openTestEngine({ secret: SECRET, copy: { of: { it: SECRET } } });
    await w.checkpoint();
    expect(await w.engine.purge(["secret"])).toMatchObject({
      deadObjects: 0,
      elsewhere: { total: 1, listed: [{ path: "secret", other: "copy/of/it" }] },
    });
    expect(Buffer.from(await w.engine.readFile("latest", "copy/of/it")).toString()).toBe(SECRET);
  });

  it("V21 a file that is still there stays, is saved again by the next save, and no restore takes it away", async () => {
    const w = await openTestEngine({ a: "1", ".env": SECRET });
    const old = await w.checkpoint();
    w.write("a", "2");
    await w.checkpoint();
    expect(await w.engine.purge([".env"])).toMatchObject({ present: [".env"] });
    expect(await heldBy(w.storeRoot)).not.toMatch(/correct horse|\.env/);
    const { kept, removed } = await w.restore(old);
    expect(w.read("a")).toBe("1");
    expect(w.read(".env")).toBe(SECRET);
    expect(kept).toMatchObject([{ path: ".env", code: "protected" }]);
    expect(removed).toBe(0);
    // The restore saved the present state first, as any save does that no rule tells otherwise.
    expect((await w.engine.list({ limit: 1 }))[0]).toMatchObject({ kind: "safety", added: 1 });
  });

  it("V21 undo goes on working for other paths; a restore that was about nothing else can no longer be undone", async () => {
    const w = await openTestEngine({ a: "1", b: "1", secret: "one secret" });
    const first = await w.checkpoint();
    w.write("a", "2");
    w.write("secret", "another secret");
    await w.restore(first, { paths: ["a", "secret"] });
    expect(await w.engine.purge(["secret"])).toMatchObject({ endedRestores: 0 });
    expect(await heldBy(w.storeRoot)).not.toMatch(/one secret|another secret/);
    await w.undo();
    expect(w.snapshot()).toMatchObject({ a: 'file 644 "2"', secret: 'file 644 "one secret"' });
    await w.engine.purge(["secret"]);
    w.write("secret", "a third secret");
    await w.checkpoint();
    const before = await w.engine.undoState();
    w.write("secret", "a fourth secret");
    await w.restore("latest", { paths: ["secret"] });
    expect((await w.engine.undoState()).undo).not.toEqual(before.undo);
    expect(await w.engine.purge(["secret"])).toMatchObject({ endedRestores: 1 });
    expect(await heldBy(w.storeRoot)).not.toMatch(/secret/);
    expect(await w.engine.undoState()).toMatchObject({ undo: null });
  });

  it("V21 what is named by what was skipped, or as a cache, goes from the catalog as well", async () => {
    const w = await openTestEngine(
      {
        a: "1",
        customer: {
          "big.bin": "x".repeat(100),
          "list.txt": "names",
          cache: { "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55" },
        },
      },
      { scan: { maxFileBytes: 60 } },
    );
    await w.checkpoint();
    expect((await w.engine.list())[0]).toMatchObject({ skipped: 1 });
    await w.engine.purge(["customer"]);
    expect((await w.engine.list())[0]).toMatchObject({ skipped: 0, files: 1 });
    expect((await w.engine.show("latest")).skipped).toEqual([]);
    expect(await heldBy(w.storeRoot)).not.toMatch(/customer|big\.bin/);
  });

  it("V21 a dry run, and a path that no checkpoint holds, write nothing", async () => {
    const { w } = await withSecret();
    const before = snapshotTree(w.store, { times: true, without: (path) => path.startsWith("locks") });
    await w.engine.planPurge(["config"]);
    expect(snapshotTree(w.store, { times: true, without: (path) => path.startsWith("locks") })).toEqual(before);
    const answer = await w.engine.purge(["config/nothing", "../config", "a.txt/below"]);
    expect(answer).toMatchObject({
      paths: [],
      missing: ["config/nothing", "../config", "a.txt/below"],
      checkpoints: [],
    });
    expect(snapshotTree(w.store, { times: true, without: (path) => path.startsWith("locks") })).toEqual(before);
  });

  it("V21 refuses the whole workspace, and while a restore is interrupted", async () => {
    const { w } = await withSecret();
    await expect(w.engine.purge(["."])).rejects.toMatchObject({ code: "usage" });
    const [{ id, rootTree } = { id: "", rootTree: "" }] = await w.engine.list();
    const root = rootTree as Hash;
    const journal = { fs: nodeFileSystem, codecs: await loadCodecs(), folder: join(w.store, "journal") };
    const row = { at: 1, kind: "restore", targetId: id, originId: null, beforeId: id, files: 0 } as const;
    writeIntent(journal, { row: { ...row, baseRoot: root, resultRoot: root }, nonces: ["x"], folders: [] }, "n");
    await expect(w.engine.purge(["config"])).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(/interrupted/),
    });
    removeIntent(journal);
    expect(await heldBy(w.store)).toContain("correct horse");
  });

  it("V21 a little content in a large pack goes as well, however much else was freed", async () => {
    const random = new Random(7);
    const w = await openTestEngine({ live: random.bytes(2_000), gone: { big: random.bytes(300_000) } });
    await w.checkpoint();
    w.write("live-2", random.bytes(100_000));
    w.write("gone/small", SECRET);
    await w.checkpoint();
    await w.engine.purge(["gone"]);
    // Not shown when it fails: most of it is random bytes.
    expect((await heldBy(w.storeRoot)).includes("correct horse")).toBe(false);
    expect(await w.engine.readFile("latest", "live-2")).toHaveLength(100_000);
  });

  it("V21 what a repair took out of use goes as well", async () => {
    const { w } = await withSecret();
    fs.mkdirSync(join(w.store, "damaged/packs"), { recursive: true });
    fs.writeFileSync(join(w.store, "damaged/packs/pack-0.dat"), SECRET);
    await w.engine.purge(["config/prod.env"]);
    expect(await heldBy(w.storeRoot)).not.toContain("correct horse");
  });

  it("V21 a name that is no UTF-8, as it is shown", async () => {
    const w = await openTestEngine(
      new Map<string | Buffer, string>([
        [Buffer.from([0x61, 0xff]), SECRET],
        ["b", "2"],
      ]),
    );
    await w.checkpoint();
    expect(await w.engine.purge(["a\\xff"])).toMatchObject({ paths: ["a\\xff"], missing: [], deadObjects: 1 });
    expect(await heldBy(w.storeRoot)).not.toContain("correct horse");
  });

  it("C3 killed at any change of the store: nothing has happened, or the path is gone and the next gc does what is owed", async () => {
    let steps = 0;
    for (let k = 1; k === 1 || k <= steps; k++) {
      const disk = new WatchedFileSystem();
      const { w } = await withSecret({ fs: disk.fs });
      let dead = false;
      let count = 0;
      disk.hook = ({ method, path }) => {
        if (!["write", "rename", "unlink", "mkdir", "link", "fsync", "ftruncate"].includes(method)) return;
        if (!dead) count++;
        if (count >= k && k > 1) dead = true;
        if (dead) throw errno("EIO", path);
      };
      const purged = w.engine.purge(["config/prod.env"]);
      if (k === 1) {
        await purged;
        steps = count;
        expect(steps).toBeGreaterThan(10);
        continue;
      }
      const failure = await purged.then(
        () => undefined,
        (error: unknown) => error,
      );
      disk.hook = () => {};
      // As for a process that died: another one goes on.
      const other = await w.another();
      fs.rmSync(join(w.store, "locks"), { recursive: true, force: true });
      try {
        expect(failure === undefined || CheckpointError.is(failure)).toBe(true);
        const states = await Promise.all(
          (await other.list()).map(({ id }) =>
            other.stat(id, "config/prod.env").then(
              () => true,
              () => false,
            ),
          ),
        );
        expect([
          [false, false, false, false],
          [false, true, true, false],
        ]).toContainEqual(states);
        expect(await other.verify({ full: true })).toMatchObject({ ok: true });
        if (states.includes(true)) await other.purge(["config/prod.env"]);
        else await other.gc();
        expect(await heldBy(w.storeRoot)).not.toMatch(/correct horse|prod\.env/);
        expect(await other.verify({ full: true })).toMatchObject({ ok: true });
      } finally {
        await other.close();
      }
    }
  }, 300_000);
});

it("V21 C8 what a purge could not rewrite goes when the store was repaired and it is purged again", async () => {
  const w = await openTestEngine({ a: "1" });
  w.checkAfterwards = false;
  w.write("secret", SECRET);
  w.write("other", "the other content, which is lost");
  await w.checkpoint();
  await w.engine.close();
  damageContent(w.store, "the other content");
  fs.rmSync(w.path("other"));
  fs.rmSync(w.path("secret"));
  w.engine = await w.another();
  expect((await w.engine.purge(["secret"])).freed.damaged).toHaveLength(1);
  // With what was lost at hand, the pack can be written anew.
  w.write("other", "the other content, which is lost");
  expect(await w.engine.repair()).toMatchObject({ ok: true });
  expect(fs.existsSync(`${w.store}/damaged`)).toBe(false);
  expect(await heldBy(w.storeRoot)).toContain("correct horse");
  expect(await w.engine.planPurge(["secret"])).toMatchObject({ paths: [], owesSweep: true });
  fs.mkdirSync(`${w.store}/damaged`);
  fs.writeFileSync(`${w.store}/damaged/pack-0.dat`, SECRET);
  expect((await w.engine.purge([])).freed.damaged).toEqual([]);
  expect(await w.engine.planPurge(["secret"])).toMatchObject({ paths: [], owesSweep: false });
  expect(await heldBy(w.storeRoot)).not.toContain("correct horse");
  expect(fs.existsSync(`${w.store}/damaged`)).toBe(false);
});
