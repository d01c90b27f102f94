import * as fs from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import {
  applyPatches,
  DirectoryRecord,
  encodeHeadPatch,
  encodePatch,
  encodeRecord,
  FILE,
  FOLDER,
  type IndexedEntry,
  SYMLINK,
} from "../../../src/core/scan/directoryRecord";
import { FileIndex } from "../../../src/core/scan/fileIndex";
import { loadCodecs } from "../../../src/core/store/codecs";
import type { Hash } from "../../../src/core/store/hash";
import type { ByteString } from "../../../src/shared/pathText";
import { Random } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { errno, WatchedFileSystem } from "../../support/watchedFileSystem";

const codecs = await loadCodecs();
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
const hashOf = (text: string): Hash => codecs.hash(Buffer.from(text));
const path = (text: string): ByteString => text as ByteString;

const entry = (name: string, content = name, changes: Partial<IndexedEntry> = {}): IndexedEntry => ({
  ...{ name, type: FILE, mode: 0o644, size: content.length, mtimeMs: 1.25, ctimeMs: 2.5, ino: 2 ** 40 + 1 },
  hash: hashOf(content),
  racy: false,
  ...changes,
});
const head = (folder: string, tree = folder) => ({
  path: path(folder),
  mode: 0o755,
  treeHash: hashOf(tree),
  rulesId: "0123456789abcdef",
  listing: { mtimeMs: 3.5, ctimeMs: 4.25, ino: 77 },
});
const record = (folder: string, ...entries: IndexedEntry[]): Buffer => encodeRecord(head(folder), entries);

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

const nameBytes = fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const facts = fc.record({
  type: fc.constantFrom(FILE, SYMLINK),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  size: fc.maxSafeNat(),
  mtimeMs: fc.double({ noNaN: true }),
  ctimeMs: fc.double({ noNaN: true }),
  ino: fc.maxSafeNat(),
  hash: fc.string({ maxLength: 3 }).map(hashOf),
  racy: fc.boolean(),
});
const folderFacts = fc.constant({
  type: FOLDER,
  mode: 0,
  size: 0,
  mtimeMs: 0,
  ctimeMs: 0,
  ino: 0,
  hash: undefined,
  racy: false,
} as const);
const entries = fc
  .uniqueArray(fc.tuple(nameBytes, fc.oneof(facts, folderFacts)), { selector: ([name]) => name, maxLength: 12 })
  .map((list) =>
    list.map(([name, each]): IndexedEntry => ({ name, ...each })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  );

describe("records of folders", () => {
  it("hold what was put into them", () => {
    fc.assert(
      fc.property(entries, (list) => {
        const decoded = new DirectoryRecord(encodeRecord(head("some/folder"), list));
        expect(decoded.entries()).toEqual(list);
        expect([decoded.path, decoded.mode, decoded.treeHash, decoded.rulesId, decoded.count]).toEqual([
          ...["some/folder", 0o755, hashOf("some/folder"), "0123456789abcdef", list.length],
        ]);
        expect(decoded.listing).toEqual(head("").listing);
        expect(decoded.folderNames()).toEqual(list.filter(({ type }) => type === FOLDER).map(({ name }) => name));
      }),
    );
  });

  it("become by a patch what the patch was made for", () => {
    fc.assert(
      fc.property(entries, entries, entries, (before, between, after) => {
        const base = new DirectoryRecord(encodeRecord(head("f", "1"), before));
        const first = new DirectoryRecord(encodePatch(head("f", "2"), base, between));
        const middle = applyPatches(base, [first]);
        const second = new DirectoryRecord(encodePatch(head("f", "3"), middle, after));
        const all = applyPatches(base, [first, second]);
        expect(all.entries()).toEqual(after);
        expect(all.treeHash).toBe(hashOf("3"));
        expect(all.bytes.equals(encodeRecord(head("f", "3"), after))).toBe(true);
      }),
    );
  });

  it("know by which times of the folder their names are known, if any", () => {
    const { listing } = head("f");
    const settled = new DirectoryRecord(record("f"));
    expect(settled.isListedAs(listing)).toBe(true);
    for (const change of [{ mtimeMs: 3.25 }, { ctimeMs: 4 }, { ino: 78 }])
      expect(settled.isListedAs({ ...listing, ...change })).toBe(false);
    const unsettled = new DirectoryRecord(encodeRecord({ ...head("f"), listing: undefined }, []));
    expect([unsettled.listing, unsettled.isListedAs(listing), unsettled.isListedAs(undefined)]).toEqual([
      ...[undefined, false, false],
    ]);
  });

  it("take another head alone", () => {
    fc.assert(
      fc.property(entries, (list) => {
        const other = { ...head("f", "2"), mode: 0o700, rulesId: "fedcba9876543210", listing: undefined };
        const patched = applyPatches(new DirectoryRecord(encodeRecord(head("f", "1"), list)), [
          new DirectoryRecord(encodeHeadPatch({ ...other, mode: 0o711 })),
          new DirectoryRecord(encodeHeadPatch(other)),
        ]);
        expect(patched.bytes.equals(encodeRecord(other, list))).toBe(true);
      }),
    );
  });

  it("refuse a patch that was made from a record which is not here", () => {
    const base = new DirectoryRecord(record("f", entry("a")));
    const patch = new DirectoryRecord(encodePatch(head("f", "2"), base, [entry("a"), entry("b")]));
    expect(() => applyPatches(undefined, [patch])).toThrow(RangeError);
    const whole = new DirectoryRecord(record("f", entry("c")));
    expect(applyPatches(base, [patch, whole]).entries()).toEqual([entry("c")]);
  });

  it("make small patches of small changes", () => {
    const many = Array.from({ length: 1_000 }, (_, i) => entry(`file-${String(i).padStart(4, "0")}`));
    const base = new DirectoryRecord(record("f", ...many));
    const changed = many.map((each, i) => (i === 500 ? { ...each, mtimeMs: 9 } : each)).filter((_, i) => i !== 7);
    expect(encodePatch(head("f"), base, changed).length).toBeLessThan(250);
  });
});

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
