/**
 * C8: every file of a store goes wrong in every way, thousands of times. Never a crash, a hang or a wrong byte; verify
 * names what is damaged, what it does not name can be read, and a repair heals what the workspace still has.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import type { Store } from "../../../src/core/ops/context";
import { repair } from "../../../src/core/ops/repair";
import { verify } from "../../../src/core/ops/verify";
import type { Hash } from "../../../src/core/store/hash";
import { writeIntent } from "../../../src/core/store/restoreJournal";
import { TREE_DIRECTORY } from "../../../src/core/store/tree";
import { CheckpointError } from "../../../src/shared/errors";
import type { VerifyResult } from "../../../src/shared/upkeep";
import { closeBareStore, openBareStore, quietOperation } from "../../support/bareStore";
import { DAMAGES, damagedBytes } from "../../support/fileDamage";
import { type Random, withSeeds } from "../../support/seeded";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

/** CHECKPOINT_TEST_DAMAGE: another number, for a long run. */
const CASES_PER_FILE = Number(process.env.CHECKPOINT_TEST_DAMAGE ?? 30);

interface Sample {
  readonly w: TestWorkspace;
  /** Path in the store → bytes. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Of all contents, by hash; and which of them lie in the workspace. */
  readonly contents: ReadonlyMap<Hash, Buffer>;
  readonly present: ReadonlySet<Hash>;
}

async function makeSample(random: Random): Promise<Sample> {
  const prose = (n: number): string => `${n} some text that shrinks `.repeat(30 + n);
  const w = await openTestEngine({
    text: prose(1),
    empty: "",
    noise: random.bytes(900),
    d: { a: "in a folder", e: { b: prose(2), c: "deep" } },
  });
  w.checkAfterwards = false;
  await w.checkpoint({ name: "first" });
  w.write("noise", random.bytes(1200));
  await w.checkpoint({ packChunkBytes: 500 });
  w.write("d/e/c", "deeper");
  await w.checkpoint({ name: "third", note: "a note" });
  fs.rmSync(w.path("text"));
  w.write("d/a", prose(3));
  await w.checkpoint();
  const [last, , first] = await w.engine.list();
  await w.engine.close();
  const contents = new Map<Hash, Buffer>();
  const store = openBareStore(w.folder, w.storeRoot);
  for (const { rootTree } of store.catalog.checkpoints)
    for (const hash of hashesIn(store, rootTree as Hash)) contents.set(hash, store.blobs.read(hash) as Buffer);
  const present = hashesIn(store, last?.rootTree as Hash);
  const row = { at: 1, kind: "restore", beforeId: null, targetId: first?.id ?? "", originId: null, files: 1 } as const;
  const roots = { baseRoot: last?.rootTree as Hash, resultRoot: first?.rootTree as Hash };
  const journal = { fs: nodeFileSystem, codecs: store.codecs, folder: store.layout.journal };
  writeIntent(journal, { row: { ...row, ...roots }, nonces: ["n"], folders: [] } as never, "nonce");
  closeBareStore(store);
  return { w, files: filesBelow(w.store), contents, present };
}

function hashesIn(store: Store, tree: Hash, into = new Set<Hash>()): Set<Hash> {
  for (const entry of store.trees.read(tree))
    if (entry.type === TREE_DIRECTORY) hashesIn(store, entry.hash, into);
    else into.add(entry.hash);
  return into;
}

function filesBelow(folder: string): Map<string, Buffer> {
  const paths = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return new Map(
    paths.flatMap((path) =>
      fs.statSync(`${folder}/${path}`).isFile() ? [[path, fs.readFileSync(`${folder}/${path}`)] as const] : [],
    ),
  );
}

/** Puts the store back as it was, but for one file. */
function putBack(store: string, files: ReadonlyMap<string, Buffer>, damaged: string, bytes: Buffer): void {
  fs.rmSync(store, { recursive: true, force: true });
  for (const [path, content] of files) {
    fs.mkdirSync(dirname(`${store}/${path}`), { recursive: true });
    fs.writeFileSync(`${store}/${path}`, path === damaged ? bytes : content);
  }
}

/** What the problem of a damaged file must name; undefined for files that may go without a word. */
function nameToFind(path: string): string | undefined {
  const pack = /pack-[0-9a-f]{16}/.exec(path);
  if (pack !== null) return pack[0];
  if (path === "catalog.sqlite" || path === "journal/restore.json") return path;
  return undefined;
}

/** Reads every file of every checkpoint: the right bytes, or an error that is ours. Answers the damaged checkpoints. */
function readEverything(store: Store, contents: Sample["contents"]): Set<number> {
  const damaged = new Set<number>();
  for (const { number, rootTree } of store.catalog.checkpoints) {
    const visit = (tree: Hash): void => {
      for (const entry of store.trees.read(tree)) {
        if (entry.type === TREE_DIRECTORY) visit(entry.hash);
        else {
          const read = store.blobs.read(entry.hash);
          if (read === undefined) damaged.add(number);
          else if (!contents.get(entry.hash)?.equals(read)) throw new Error(`wrong bytes for ${entry.hash}`);
        }
      }
    };
    try {
      visit(rootTree as Hash);
    } catch (error) {
      if (!CheckpointError.is(error, "damaged")) throw error;
      damaged.add(number);
    }
  }
  return damaged;
}

function verified(store: Store): VerifyResult | "newer" {
  try {
    return verify(store, true, quietOperation);
  } catch (error) {
    // A flipped bit may make another version of this one.
    if (!CheckpointError.is(error, "newer-format")) throw error;
    return "newer";
  }
}

async function runCase({ w, files, contents, present }: Sample, store: string, path: string, bytes: Buffer) {
  putBack(store, files, path, bytes);
  let opened = openBareStore(w.folder, w.storeRoot);
  const found = verified(opened);
  closeBareStore(opened);
  if (found === "newer") return "newer" as const;
  const expected = nameToFind(path);
  const named = found.problems.map(({ part }) => part);
  if (expected !== undefined) expect(named.some((part) => part.includes(expected))).toBe(true);
  opened = openBareStore(w.folder, w.storeRoot);
  if (!named.includes("catalog.sqlite")) {
    const unreadable = readEverything(opened, contents);
    expect(new Set(found.damaged.map(({ checkpoint }) => checkpoint.number))).toEqual(unreadable);
  }
  const mended = await repair(opened, quietOperation);
  closeBareStore(opened);
  opened = openBareStore(w.folder, w.storeRoot);
  readEverything(opened, contents);
  expect(opened.catalog.checkpoints.map(({ number }) => number)).toEqual([4, 3, 2, 1]);
  for (const hash of present) expect(opened.blobs.read(hash)?.equals(contents.get(hash) as Buffer)).toBe(true);
  const again = verify(opened, true, quietOperation);
  closeBareStore(opened);
  expect(again.damaged.map(({ paths }) => paths)).toEqual(mended.damaged.map(({ paths }) => paths));
  // A journal is for the user to decide about; and a flipped bit may make a manifest one of a later version.
  const stays = path === "journal/restore.json" || path.endsWith(".parts.json");
  if (again.damaged.length === 0 && !stays) expect(again.problems).toEqual([]);
  return again.damaged.length === 0 ? ("healed" as const) : ("partly" as const);
}

it("C8 C16 each file flipped, cut off, extended, zeroed: named, nothing wrong is read, healed as far as possible", async () => {
  await withSeeds(1, async (random) => {
    const sample = await makeSample(random);
    const store = sample.w.store;
    const outcomes: Record<string, number> = {};
    for (const [path, bytes] of sample.files) {
      if (bytes.length === 0) continue;
      for (let i = 0; i < CASES_PER_FILE; i++) {
        const damage = DAMAGES[Math.min(3, Math.max(0, (i % 6) - 2))] as (typeof DAMAGES)[number];
        const changed = damagedBytes(random, bytes, damage);
        let outcome: string;
        try {
          outcome = await runCase(sample, store, path, changed);
        } catch (error) {
          if (error instanceof Error) error.message = `${path}, ${damage}, case ${i}: ${error.message}`;
          throw error;
        }
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    }
    const cases = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    if (process.env.CHECKPOINT_TEST_COUNTS) console.log(`${cases} cases: ${JSON.stringify(outcomes)}`);
    expect(cases).toBeGreaterThan(20 * CASES_PER_FILE);
  });
}, 600_000);

it("C8 C10 content that a damaged index calls by another name is not taken for garbage", async () => {
  const w = await openTestEngine({ a: "kept", b: "dropped" });
  w.checkAfterwards = false;
  await w.checkpoint();
  fs.rmSync(w.path("b"));
  await w.checkpoint();
  await w.engine.close();
  const [name] = fs.readdirSync(`${w.store}/packs`).filter((each) => each.endsWith(".idx"));
  const index = fs.readFileSync(`${w.store}/packs/${name}`);
  const store = openBareStore(w.folder, w.storeRoot);
  const kept = Buffer.from(store.codecs.hash(Buffer.from("kept")), "hex");
  closeBareStore(store);
  const at = index.indexOf(kept);
  // The last bit of its hash: the index is still sorted.
  index[at + 15] = (index[at + 15] ?? 0) ^ 1;
  fs.writeFileSync(`${w.store}/packs/${name}`, index);
  w.engine = await w.another();
  await w.engine.delete(["1"]);
  await w.engine.gc();
  expect(await w.engine.repair()).toMatchObject({ ok: true });
  expect(String(await w.engine.readFile("2", "a"))).toBe("kept");
  await w.engine.gc();
  w.checkAfterwards = true;
});
