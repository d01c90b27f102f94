import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import { DirectoryRecord } from "../../../src/core/scan/directoryRecord";
import { FileIndex } from "../../../src/core/scan/fileIndex";
import type { IndexedEntry } from "../../../src/core/scan/recordLayout";
import { encodePatch } from "../../../src/core/scan/recordPatches";
import { Random } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";
import { codecs, entry, hashOf, head, path, record } from "./recordFixture";

let nonces = 0;
const open = (folder: string, disk = nodeFileSystem): FileIndex => {
  const index = FileIndex.open(
    disk,
    codecs,
    folder,
    () => `n${nonces++}`,
    () => [],
  );
  index.refresh();
  return index;
};

/** What the index knows, in a form to compare. */
function contents(index: FileIndex): Record<string, unknown> {
  return Object.fromEntries(
    index.paths().map((each) => {
      const known = index.record(each);
      return [
        each,
        { head: [known?.mode, known?.treeHash, known?.rulesId, known?.listing], entries: known?.entries() },
      ];
    }),
  );
}

describe("the index", () => {
  it("keeps what it was told, over restarts, patches and folding", () => {
    const folder = tempFolder();
    const random = new Random(5);
    const index = open(folder);
    const model = new Map<string, IndexedEntry[]>();
    let folds = 0;
    for (let round = 0; round < 120; round++) {
      const patches: Buffer[] = [];
      for (let i = 0; i < 3; i++) {
        const name = `folder-${random.below(12)}`;
        const list = Array.from({ length: 40 }, (_, k) =>
          entry(`${String(k).padStart(3, "0")}-${"x".repeat(40)}`, String(random.below(5))),
        );
        const kept = list.filter(() => random.chance(0.8));
        if (patches.some((bytes) => new DirectoryRecord(bytes).path === name)) continue;
        patches.push(encodePatch(head(name, String(round)), index.record(path(name)), kept));
        model.set(name, kept);
      }
      const gone = random.chance(0.2) ? `folder-${random.below(12)}` : undefined;
      const dropped =
        gone === undefined || patches.some((bytes) => new DirectoryRecord(bytes).path === gone) ? [] : [path(gone)];
      for (const each of dropped) model.delete(each);
      const inode = fs.lstatSync(`${folder}/files.base`, { throwIfNoEntry: false })?.ino;
      index.apply({ patches, dropped });
      if (fs.lstatSync(`${folder}/files.base`).ino !== inode) folds++;
      const fresh = open(folder);
      expect(contents(fresh)).toEqual(contents(index));
      expect(new Map(fresh.paths().map((each) => [each as string, fresh.record(each)?.entries()]))).toEqual(model);
    }
    expect(folds).toBeGreaterThan(1);
    expect(folds).toBeLessThan(60);
  });

  it("picks up what another process wrote", () => {
    const folder = tempFolder();
    const [mine, other] = [open(folder), open(folder)];
    for (let i = 0; i < 5; i++) {
      other.refresh();
      other.apply({
        patches: [encodePatch(head("d", `${i}`), other.record(path("d")), [entry("a", `${i}`)])],
        dropped: [],
      });
      mine.refresh();
      expect(contents(mine)).toEqual(contents(other));
      mine.apply({ patches: [record(`only-${i}`, entry("b"))], dropped: i > 0 ? [path(`only-${i - 1}`)] : [] });
    }
    other.refresh();
    expect(contents(other)).toEqual(contents(mine));
    expect(mine.paths().sort()).toEqual(["d", "only-4"]);
  });

  it("C8 torn or damaged anywhere, holds a state it once had, or nothing; never anything else", () => {
    const folder = tempFolder();
    const index = open(folder);
    const states: unknown[] = [{}];
    for (let i = 0; i < 4; i++) {
      index.apply({
        patches: [
          record(`f${i}`, entry("a"), entry("b")),
          encodePatch(head("d", `${i}`), index.record(path("d")), [entry("x", `${i}`)]),
        ],
        dropped: [],
      });
      states.push(contents(index));
    }
    for (const name of ["files.base", "files.log"]) {
      const whole = fs.readFileSync(`${folder}/${name}`);
      for (let at = 0; at < whole.length; at++)
        for (const damage of ["cut", "flip"] as const) {
          const bytes = damage === "cut" ? whole.subarray(0, at) : Buffer.from(whole);
          if (damage === "flip") bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
          fs.writeFileSync(`${folder}/${name}`, bytes);
          const known = contents(open(folder));
          if (!states.some((each) => JSON.stringify(each) === JSON.stringify(known)))
            expect({ name, at, damage, known }).toBeNull();
        }
      fs.writeFileSync(`${folder}/${name}`, whole);
    }
    expect(contents(open(folder))).toEqual(states[4]);
  });

  it("C8 writes on behind a torn end", () => {
    const folder = tempFolder();
    const index = open(folder);
    index.apply({ patches: [record("a", entry("x"))], dropped: [] });
    index.apply({ patches: [record("b", entry("x"))], dropped: [] });
    fs.appendFileSync(`${folder}/files.log`, Buffer.from("0500000012345678", "hex"));
    const next = open(folder);
    next.apply({ patches: [record("c", entry("x"))], dropped: [] });
    expect(open(folder).paths().sort()).toEqual(["a", "b", "c"]);
  });

  it("does not take the log of another base for its own", () => {
    const folder = tempFolder();
    open(folder).apply({ patches: [record("a", entry("x"))], dropped: [] });
    const base = fs.readFileSync(`${folder}/files.base`);
    open(folder).apply({ patches: [record("b", entry("x"))], dropped: [] });
    const log = fs.readFileSync(`${folder}/files.log`);
    fs.rmSync(`${folder}/files.base`);
    open(folder).apply({ patches: [record("c", entry("x"))], dropped: [] });
    fs.writeFileSync(`${folder}/files.log`, log);
    expect(open(folder).paths()).toEqual(["c"]);
    fs.writeFileSync(`${folder}/files.base`, base);
    expect(open(folder).paths().sort()).toEqual(["a", "b"]);
  });

  it("C12 that cannot be written is no error; what cannot be kept is read again", () => {
    const folder = tempFolder();
    const disk = new WatchedFileSystem(({ method, path: where }) => {
      if (method === "write") throw errno("ENOSPC", where);
    });
    const index = open(folder, disk.fs);
    index.apply({ patches: [record("a", entry("x"))], dropped: [] });
    expect(index.paths()).toEqual(["a"]);
    expect(open(folder).paths()).toEqual([]);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("C10 forgets content that leaves the store, also what another process noted since", () => {
    const folder = tempFolder();
    const mine = open(folder);
    const other = open(folder);
    other.apply({
      patches: [record("a", entry("live")), record("b", entry("live"), entry("dead")), record("gone", entry("live"))],
      dropped: [],
    });
    mine.retain((hash) => hash !== hashOf("dead") && hash !== hashOf("gone"));
    other.refresh();
    // A folder that loses one entry is forgotten whole: its tree would name more than is known of it.
    for (const index of [mine, other, open(folder)]) expect(index.paths()).toEqual(["a"]);
  });

  it("C10 forgets for good: an older log does not come back with a base that has the same records again", () => {
    const folder = tempFolder();
    const index = open(folder);
    index.apply({ patches: [record("a", entry("live"))], dropped: [] });
    index.apply({ patches: [record("a", entry("dead"), entry("live"))], dropped: [] });
    index.retain((hash) => hash !== hashOf("dead"));
    expect(open(folder).paths()).toEqual([]);
  });

  it("C10 that cannot forget says so: content must not be removed then", () => {
    const folder = tempFolder();
    open(folder).apply({ patches: [record("a", entry("dead"))], dropped: [] });
    const disk = new WatchedFileSystem(({ method, path: where }) => {
      if (method === "write") throw errno("ENOSPC", where);
    });
    expect(() => open(folder, disk.fs).retain(() => false)).toThrow(/ENOSPC/);
  });
});
