import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { ContentReader } from "../../../src/core/ops/contentReader";
import { Operation, type Store } from "../../../src/core/ops/context";
import { GrowingWork } from "../../../src/core/pipeline/growingWork";
import { LanePool } from "../../../src/core/pipeline/lanes";
import type { StoreTask } from "../../../src/core/pipeline/storeTask";
import { FILE } from "../../../src/core/scan/recordLayout";
import type { ScannedFile } from "../../../src/core/scan/scannedFolder";
import type { ByteString } from "../../../src/shared/pathText";
import { Random } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { LANE_SCRIPT, openTestEngine, type TestWorkspace } from "../../support/testEngine";
import { WatchedFileSystem } from "../../support/watchedFileSystem";

const MB = 1 << 20;
/** A buffer takes a slice (1 MB), and the byte after it or the headers before it. */
const BUFFER_BYTES = MB + (64 << 10);

function scanned(folder: string, name: string): ScannedFile {
  const { size, mtimeMs, ctimeMs, ino, dev, nlink, mode } = nodeFileSystem.lstat(`${folder}/${name}`)!;
  const permissions = mode & 0o7777;
  return { name, type: FILE, mode: permissions, size, mtimeMs, ctimeMs, ino, dev, nlink, hash: undefined };
}

function writeFiles(folder: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `f${i}`);
  for (const name of names) fs.writeFileSync(`${folder}/${name}`, `content of ${name}`);
  return names;
}

describe("the pipeline", () => {
  it("Z8 passes big files on in slices and small ones whole, through the same few buffers", async () => {
    const buffers = { read: new Set<ArrayBufferLike>(), write: new Set<ArrayBufferLike>() };
    let largest = 0;
    let watched: string | undefined;
    const watch = new WatchedFileSystem(({ method, path, args }) => {
      if ((method !== "read" && method !== "write") || watched === undefined || !path.includes(watched)) return;
      const { buffer, byteLength } = args[1] as Uint8Array;
      // Headers and the like are made as they are needed, and gone at once.
      if (byteLength <= 64) return;
      buffers[method].add(buffer);
      largest = Math.max(largest, args[3] as number);
    });
    const w = await openTestEngine({}, { fs: watch.fs });
    const random = new Random(8);
    for (let i = 0; i < 3; i++) w.write(`big${i}`, random.bytes(10 * MB + i));
    for (let i = 0; i < 300; i++) w.write(`small${i}`, random.bytes(100 + i * 50));

    watched = w.folder;
    const checkpoint = await w.checkpoint();
    expect(buffers.read.size).toBe(1);
    watched = "/packs/.checkpoint-tmp";
    fs.appendFileSync(w.path("big0"), "more");
    await w.checkpoint();
    expect(buffers.write.size).toBe(1);
    expect(largest).toBeLessThanOrEqual(BUFFER_BYTES);

    const before = w.snapshot();
    for (const name of fs.readdirSync(w.folder)) fs.rmSync(w.path(name));
    largest = 0;
    watched = w.folder;
    await w.restore(checkpoint);
    expect(largest).toBe(MB);
    fs.appendFileSync(w.path("big0"), "more");
    expect(w.snapshot()).toEqual(before);
  });

  it("Z8 comes to its end with every bound set to 1", async () => {
    const w = await openTestEngine({ only: "1" }, { laneScript: LANE_SCRIPT, laneCount: 1 });
    await w.checkpoint();
    const names = writeFiles(w.folder, 2_000);
    const room = { items: 1, pathBytes: 4 };
    const operation = new Operation(
      () => {},
      () => false,
    );
    const reader = new ContentReader(storeOf(w), { store: true, chunkBytes: 0 }, operation, room);
    const found = names.map((name) => scanned(w.folder, name));
    for (const file of found) {
      reader.add(file.name as ByteString, file);
      reader.begin();
    }
    await reader.read();
    const { newObjects, deduplicated, skipped } = await reader.published();
    expect({ newObjects, deduplicated, skipped }).toEqual({ newObjects: 2_000, deduplicated: 0, skipped: [] });
    expect(new Set(found.map((file) => reader.get(file)?.hash)).size).toBe(2_000);
    const { report } = await w.save();
    expect(report).toMatchObject({ files: 2_001, newObjects: 0 });
  });

  it("lanes work on a list while it grows, and stop when it is ended or cancelled", async () => {
    const folder = tempFolder();
    const names = writeFiles(folder, 40);
    const pool = new LanePool(LANE_SCRIPT, 2);
    const run = async (late: (list: GrowingWork) => void): Promise<{ list: GrowingWork; bytes: number }> => {
      const list = new GrowingWork({ items: 100, pathBytes: 1_000 });
      const task: StoreTask = { kind: "store", root: folder, work: list.work };
      const running = pool.run(tempFolder(), [task, task]);
      const add = (part: readonly string[]): void => {
        for (const name of part) expect(list.add(name as ByteString, scanned(folder, name), 0)).toBe(true);
        list.publish();
      };
      add(names.slice(0, 20));
      while (list.view.done < 20) await sleep(5);
      add(names.slice(20));
      late(list);
      const bytes = (await running).reduce((sum, { bytesIn }) => sum + bytesIn, 0);
      return { list, bytes };
    };
    try {
      const whole = await run((list) => list.end());
      expect(whole.list.view.done).toBe(40);
      expect(whole.bytes).toBe(names.reduce((sum, name) => sum + fs.statSync(`${folder}/${name}`).size, 0));
      const cancelled = await run((list) => {
        list.view.cancel();
        list.end();
      });
      expect(cancelled.list.view.done).toBeGreaterThanOrEqual(20);
      expect(cancelled.list.view.done).toBeLessThanOrEqual(40);
    } finally {
      await pool.dispose();
    }
  });

  it("a list that is full says so, and holds what was added", () => {
    const facts = { size: 1, mtimeMs: 2, ctimeMs: 3, ino: 4, mode: 5 };
    const list = new GrowingWork({ items: 3, pathBytes: 4 });
    const add = (path: string): boolean => list.add(path as ByteString, facts, 0);
    expect([add("ab"), add("cde"), add("cd"), add(""), add("")]).toEqual([true, false, true, true, false]);
    expect(list.view.total).toBe(0);
    list.end();
    expect([0, 1, 2].map((i) => list.view.path(i))).toEqual(["ab", "cd", ""]);
    expect([list.view.take(), list.view.take(), list.view.take(), list.view.take()]).toEqual([0, 1, 2, undefined]);
    expect(list.view.facts(1)).toEqual(facts);
  });
});

/** The parts of an engine, for what it does not offer: reading with bounds of one's own. */
const storeOf = (w: TestWorkspace): Store => (w.engine as unknown as { readonly store: Store }).store;
