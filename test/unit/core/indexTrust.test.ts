/** The index is a cache that must never vouch for what is not so, whatever went wrong while it was written or since. */
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/core/engine";
import { expectAsInNewStore } from "../../support/newStore";
import { rest } from "../../support/rest";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const TREE = { a: "1", d: { b: "1", e: { f: "1" } } };

describe("the index, when writing it fails", () => {
  it("C12 C7 misses no later edit, whichever of its calls failed, and how often", async () => {
    let failures = 0;
    for (const method of ["open", "write", "rename", "close", "ftruncate"] as const)
      for (let nth = 1; nth <= 3; nth++)
        for (const times of [1, 100]) {
          const disk = new WatchedFileSystem();
          const w = await openTestEngine(TREE, { fs: disk.fs });
          await w.save();
          await rest();
          await w.save();
          let left = times;
          let seen = 0;
          disk.hook = (call) => {
            if (call.method !== method || !`${call.path} ${call.to ?? ""}`.includes("/index/")) return;
            if (++seen < nth || left-- <= 0) return;
            failures++;
            throw errno("ENOSPC", call.path);
          };
          w.write("d/new", "1");
          fs.mkdirSync(w.path("d/sub"));
          w.write("d/sub/s", "1");
          await w.save();
          disk.hook = () => {};
          await rest();
          w.write("a", "2");
          await w.save();
          await rest();
          for (const path of ["d/new", "d/sub/s"]) w.write(path, "2");
          await w.reopen();
          await w.save();
          await expectAsInNewStore(w);
        }
    expect(failures).toBeGreaterThan(12);
  });
});

describe("the index, when packs were lost", () => {
  it("C8 is void after a deletion, too: what the lost pack held is stored anew", async () => {
    const w = await openTestEngine(TREE);
    w.checkAfterwards = false;
    await w.checkpoint();
    w.write("a", "2");
    const second = await w.checkpoint();
    await rest();
    await w.save();
    loseFirstPack(w, second.number);
    await w.reopen();
    await w.engine.delete(["latest"]);
    await w.reopen();
    const { checkpoint } = await w.save({ name: "now" });
    const { changes } = await w.engine.diff({ ref: "latest" }, { workspace: w.scan });
    expect(changes).toEqual([]);
    await expectReadable(w, checkpoint?.id ?? "");
  });

  it("C8 is void after merging packs in the background, too", async () => {
    const w = await openTestEngine(TREE);
    w.checkAfterwards = false;
    await w.checkpoint();
    for (let i = 0; i < 34; i++) {
      w.write("a", `v${i}`);
      await w.checkpoint();
    }
    await rest();
    await w.save();
    loseFirstPack(w, 2);
    await w.engine.close();
    const merging = await w.another({ housekeeping: { idleMs: 0, onClose: true } });
    await merging.rename("latest", "changed");
    await merging.close();
    w.engine = await w.another();
    w.write("a", "last");
    const { checkpoint } = await w.save();
    await expectReadable(w, checkpoint?.id ?? "");
  });
});

describe("the index, when it is found stale while a save is under way", () => {
  it("C11 takes nothing in that was made from records that are gone", async () => {
    const w = await openTestEngine(TREE);
    await w.save();
    await rest();
    await w.save();
    w.write("d/e/f", "2");
    const { index } = (w.engine as unknown as { store: { index: { discard(): void } } }).store;
    let discarded = false;
    const engine = w.engine.observed({
      onProgress: ({ phase }) => {
        if (phase === "commit" && !discarded) {
          discarded = true;
          index.discard();
        }
      },
    });
    await save(engine, w);
    expect(discarded).toBe(true);
    await rest();
    w.write("d/e/f", "3");
    expect(await w.save({ changedPaths: ["d/e/f"] })).toMatchObject({ checkpoint: { changed: 1 } });
    await expectAsInNewStore(w);
  });
});

function save(engine: Engine, w: TestWorkspace) {
  return engine.save({ kind: "manual", trigger: "manual", scan: w.scan });
}

async function expectReadable(w: TestWorkspace, id: string): Promise<void> {
  for (const path of ["a", "d/b", "d/e/f"])
    expect(Buffer.from(await w.engine.readFile(id, path)).toString()).toBe(w.read(path));
}

/** The blob pack that only the first checkpoint made: the one that was there before all others. */
function loseFirstPack(w: TestWorkspace, checkpoints: number): void {
  const packs = fs
    .readdirSync(`${w.store}/packs`)
    .filter((name) => name.endsWith(".dat"))
    .map((name) => ({ name, at: fs.statSync(`${w.store}/packs/${name}`).mtimeMs }))
    .sort((a, b) => a.at - b.at);
  expect(packs.length).toBeGreaterThanOrEqual(Math.min(2, checkpoints));
  const first = packs[0]?.name.slice(0, -".dat".length);
  for (const end of [".dat", ".idx"]) fs.rmSync(`${w.store}/packs/${first}${end}`);
}

it("C7 C8 C12 files that miss a change are not blessed when content goes: another process trusts none of it", async () => {
  const disk = new WatchedFileSystem();
  const w = await openTestEngine({ a: "1", d: { x: "x", y: "y" } }, { fs: disk.fs, housekeeping: { idleMs: 0 } });
  const first = await w.checkpoint();
  await rest();
  w.write("a", "2");
  await rest();
  // Undo keeps the trees of both states, whatever becomes of their content.
  await w.restore(first);
  await rest();
  await w.save();
  const aside = tempFolder("aside");
  fs.renameSync(w.path("d"), `${aside}/d`);
  // Only memory knows that the folder went.
  disk.hook = ({ method, path, to, args }) => {
    const writes = method === "rename" || (method === "open" && ((args[1] as number) & fs.constants.O_WRONLY) !== 0);
    if (writes && `${path} ${to ?? ""}`.includes("/index/")) throw errno("EIO", path);
  };
  const last = await w.checkpoint();
  disk.hook = () => {};
  const others = (await w.engine.list()).filter(({ id }) => id !== last.id);
  await w.engine.delete(others.map(({ id }) => id));
  expect(others.map(({ id }) => id)).toContain(first.id);
  fs.renameSync(`${aside}/d`, w.path("d"));
  const other = await w.another();
  try {
    await other.save({ kind: "manual", trigger: "manual", scan: w.scan });
    expect((await other.verify({ full: true })).damaged).toEqual([]);
  } finally {
    await other.close();
  }
});
