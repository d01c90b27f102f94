/**
 * C16: every reader of the store, fed with what its writer wrote and then with thousands of wrong versions of it, also
 * such as carry a valid checksum: a checksum keeps accidents out, not malice. Each answers with an error that is ours, or
 * that there is nothing; nobody allocates what a forged length asks for, and all come to an end.
 */
import * as nodeFs from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { currentProcess } from "../../../src/core/fs/processIdentity";
import type { DirectoryRecord } from "../../../src/core/scan/directoryRecord";
import { FileIndex } from "../../../src/core/scan/fileIndex";
import { encodeRecord } from "../../../src/core/scan/recordEncoding";
import { Catalog } from "../../../src/core/store/catalog";
import { decodeChanges, encodeChanges } from "../../../src/core/store/changeList";
import { CheckpointLog } from "../../../src/core/store/checkpointLog";
import type { Hash } from "../../../src/core/store/hash";
import { KnownDamage } from "../../../src/core/store/knownDamage";
import { acquireLock } from "../../../src/core/store/lock";
import { decodeFrame, decodeFrameTo } from "../../../src/core/store/lz4FrameDecoder";
import { encodeFrame } from "../../../src/core/store/lz4FrameEncoder";
import { openPackSet, type PackSet } from "../../../src/core/store/packSet";
import { readIntent, writeIntent } from "../../../src/core/store/restoreJournal";
import { decodeSkipped, encodeSkipped } from "../../../src/core/store/skippedList";
import { loadSqlite } from "../../../src/core/store/sqlite";
import { describeStore } from "../../../src/core/store/storeLayout";
import { decodeTree, encodeTree } from "../../../src/core/store/tree";
import { CheckpointError } from "../../../src/shared/errors";
import type { ByteString } from "../../../src/shared/pathText";
import { Random, withSeeds } from "../../support/seeded";
import { codecs, fs, hashOf, noise, prose, tempFolder, writePack } from "./packFixture";

const sqlite = await loadSqlite(fs, new URL("../../../dist/sql-wasm.wasm", import.meta.url).pathname);
/** Everything that is read here fits into a few kilobytes; LZ4 expands them 255-fold at most. */
const MAX_ALLOCATION = 16 << 20;
const EXTREMES = [0, 1, 255, 0x7fffffff, 0x80000000, 0xffffffff];
const HUGE = [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 52, 2 ** 53 - 1, 2 ** 53];
let executions = 0;

/** Wrong in one to three places. */
function mutated(random: Random, sample: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(sample);
  for (let left = 1 + random.below(3); left > 0; left--) bytes = mutatedOnce(random, bytes);
  return bytes;
}

function mutatedOnce(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const rest = bytes.length - at;
  switch (random.below(9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(40)), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(40))]);
    case 3: {
      const from = random.below(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + random.below(80)), bytes.subarray(at)]);
    }
    case 4:
      if (rest >= 4) bytes.writeUInt32LE(random.pick(EXTREMES), at);
      return bytes;
    case 5:
      if (rest >= 8) bytes.writeBigUInt64LE(BigInt(random.pick(HUGE)), at);
      return bytes;
    case 6:
      // A number in JSON.
      return Buffer.from(bytes.toString("latin1").replace(/\d+/, String(random.pick(HUGE))), "latin1");
    case 7:
      return bytes.fill(0, at, at + random.below(64) > bytes.length ? bytes.length : at);
    default:
      if (rest > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
  }
}

/** Runs `read` on wrong versions of a sample; anything but our own errors fails the test. */
async function fuzz(
  sample: Buffer,
  runs: number,
  read: (bytes: Buffer, random: Random) => unknown,
  forge: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<void> {
  const allocations = (["alloc", "allocUnsafe", "allocUnsafeSlow"] as const).map((name) => {
    const real = Buffer[name].bind(Buffer) as (size: number, ...more: unknown[]) => Buffer;
    return vi.spyOn(Buffer, name).mockImplementation(((size: number, ...more: unknown[]) => {
      if (size > MAX_ALLOCATION) throw new Error(`somebody asks for ${size} bytes`);
      return real(size, ...more);
    }) as never);
  });
  try {
    await withSeeds(1, async (first) => {
      for (let run = 0; run < runs; run++) {
        const seed = first.below(2 ** 31);
        const random = new Random(seed);
        executions++;
        try {
          await read(forge(mutated(random, sample)), random);
        } catch (error) {
          if (CheckpointError.is(error) && ["damaged", "newer-format", "locked"].includes(error.code)) continue;
          if (error instanceof Error) error.message = `run ${run}, ${seed}: ${error.message}`;
          throw error;
        }
      }
    });
  } finally {
    for (const each of allocations) each.mockRestore();
  }
}

const CONTENTS = [Buffer.alloc(0), Buffer.from("x"), prose(700), noise(300), prose(90)];

/** All that can be asked of a set: the right bytes, nothing, or damage. */
function useSet(set: PackSet): void {
  for (const content of CONTENTS) {
    const hash = hashOf(content);
    set.has(hash);
    set.offers(hash);
    set.locate(hash);
    try {
      const found = set.read(hash);
      if (found !== undefined && !found.equals(content)) throw new Error("wrong bytes");
    } catch (error) {
      if (!CheckpointError.is(error, "damaged")) throw error;
    }
  }
  for (const id of set.list()) set.pack(id)?.verify();
  for (const pack of set.remains()) pack.verify();
  set.close();
}

describe("wrong files", () => {
  for (const chunkBytes of [0, 300])
    for (const kind of chunkBytes === 0 ? ["dat", "idx"] : ["dat.parts.json", "dat.part-000001", "idx"])
      it(`C16 a pack's ${kind}${chunkBytes === 0 ? "" : ", split"}`, async () => {
        const folder = tempFolder();
        const { id } = writePack(folder, CONTENTS, chunkBytes);
        const path = `${folder}/pack-${id}.${kind}`;
        await fuzz(nodeFs.readFileSync(path), 800, (bytes) => {
          nodeFs.writeFileSync(path, bytes);
          useSet(openPackSet({ fs, codecs, folder }));
        });
      });

  it("C16 a pack without index, of which everything is wrong", async () => {
    const folder = tempFolder();
    const { id } = writePack(folder, CONTENTS);
    nodeFs.unlinkSync(`${folder}/pack-${id}.idx`);
    await fuzz(nodeFs.readFileSync(`${folder}/pack-${id}.dat`), 800, (bytes) => {
      nodeFs.writeFileSync(`${folder}/pack-${id}.dat`, bytes);
      useSet(openPackSet({ fs, codecs, folder }));
    });
  });

  it("C16 LZ4 frames", async () => {
    const read = (bytes: Buffer): void => {
      const source = { length: bytes.length, read: (at: number, count: number) => bytes.subarray(at, at + count) };
      decodeFrame(codecs, bytes);
      decodeFrameTo(codecs, source, () => {});
    };
    for (const content of CONTENTS) await fuzz(Buffer.from(encodeFrame(codecs, content)), 1_500, read);
  });

  it("C16 frames whose header is right and announces 2^31 bytes and more", () => {
    for (const size of HUGE) {
      const frame = Buffer.from(encodeFrame(codecs, prose(700)));
      frame.writeBigUInt64LE(BigInt(size), 6);
      frame[14] = (codecs.xxh32(frame.subarray(4, 14)) >>> 8) & 0xff;
      executions++;
      expect(() => decodeFrame(codecs, frame)).toThrow(/claims more content than it can hold/);
    }
  });

  it("C16 trees", async () => {
    const entries = ["a", "bb", "d", "ü"].map((name, i) => ({
      type: (i % 3) as 0 | 1 | 2,
      mode: 0o644,
      size: 2 ** (13 * i),
      hash: hashOf(Buffer.from(name)),
      name: name as ByteString,
    }));
    await fuzz(encodeTree(entries), 10_000, (bytes) => {
      for (const { name } of decodeTree(bytes)) if (/[/\0]|^\.{0,2}$/.test(name)) throw new Error(`name ${name}`);
    });
  });

  it("C16 lists of changes and of what was skipped", async () => {
    const state = { type: "file", mode: 0o644, size: 3, hash: "ab".repeat(16) } as const;
    const changes = encodeChanges(codecs, [
      { path: "a", kind: "added", after: state },
      { path: "b", kind: "changed", before: state, after: state },
    ]);
    const skipped = encodeSkipped(codecs, [{ path: "s", reason: "unreadable", message: "m" }]);
    for (const [sample, decode] of [
      [changes, decodeChanges],
      [skipped, decodeSkipped],
    ] as const) {
      await fuzz(Buffer.from(sample), 2_000, (bytes) => decode(codecs, bytes));
      const text = decodeFrame(codecs, sample);
      await fuzz(
        text,
        4_000,
        (bytes) => decode(codecs, bytes),
        (bytes) => Buffer.from(encodeFrame(codecs, bytes)),
      );
    }
  });
});

describe("wrong files beside the packs", () => {
  it("C16 store.json", async () => {
    const folder = tempFolder();
    const text = JSON.stringify({ formatVersion: 1, workspace: "/w", root: "1:2", rootBorn: 3, hasCatalog: false });
    await fuzz(Buffer.from(text), 3_000, (bytes) => {
      nodeFs.writeFileSync(`${folder}/store.json`, bytes);
      const found = describeStore(fs, { folder });
      if (typeof found?.workspace !== "string" || typeof found.root !== "string") throw new Error("no description");
    });
  });

  it("C16 the lock's file", async () => {
    const folder = tempFolder();
    const options = { fs, folder, identity: currentProcess(), now: Date.now, timeoutMs: 0, sleep: async () => {} };
    let nonces = 0;
    const nonce = (): string => `nonce${nonces++}`;
    const held = await acquireLock({ ...options, nonce });
    const text = nodeFs.readFileSync(`${folder}/project.lock`);
    held.release();
    await fuzz(text, 1_500, async (bytes) => {
      nodeFs.writeFileSync(`${folder}/project.lock`, bytes);
      (await acquireLock({ ...options, nonce })).release();
    });
  });

  it("C16 the journal of a restore, also with a valid sum", async () => {
    const folder = tempFolder();
    const row = { at: 1, kind: "restore", beforeId: null, targetId: "t", originId: null, files: 1 } as const;
    const roots = { baseRoot: "ab".repeat(16) as Hash, resultRoot: "cd".repeat(16) as Hash };
    const deps = { fs, codecs, folder };
    writeIntent(
      deps,
      { row: { ...row, ...roots }, nonces: ["n"], folders: [{ path: "d" as ByteString, mode: 1 }] } as never,
      "n",
    );
    const read = (bytes: Buffer): void => {
      nodeFs.writeFileSync(`${folder}/restore.json`, bytes);
      const intent = readIntent(deps);
      if (intent === undefined) return;
      const isRoot = (root: string): boolean => /^[0-9a-f]{32}$/.test(root);
      if (!isRoot(intent.row.baseRoot) || !isRoot(intent.row.resultRoot)) throw new Error("roots that are none");
      if (intent.nonces.some((each) => typeof each !== "string")) throw new Error("nonces that are none");
      if (intent.folders.some(({ path, mode }) => typeof path !== "string" || typeof mode !== "number"))
        throw new Error("folders that are none");
    };
    const file = nodeFs.readFileSync(`${folder}/restore.json`);
    await fuzz(file, 1_500, read);
    const { intent } = JSON.parse(file.toString("utf8")) as { intent: object };
    await fuzz(Buffer.from(JSON.stringify(intent)), 3_000, read, (bytes) => {
      try {
        const forged = JSON.parse(bytes.toString("utf8")) as unknown;
        const sum = codecs.xxh64(Buffer.from(JSON.stringify(forged))).toString(16);
        return Buffer.from(JSON.stringify({ version: 1, sum, intent: forged }));
      } catch {
        return bytes;
      }
    });
  });

  it("C16 the catalog, also with a seal that fits", async () => {
    const folder = tempFolder();
    const path = `${folder}/catalog.sqlite`;
    let nonces = 0;
    const open = (): Catalog => Catalog.open({ fs, codecs, sqlite, nonce: () => `n${nonces++}` }, folder);
    const catalog = open();
    for (let number = 1; number <= 12; number++) catalog.insert(rowOf(number), [], [], "{}");
    catalog.addRestore({
      at: 1,
      kind: "restore",
      beforeId: "0190-1",
      targetId: "0190-2",
      baseRoot: "ab".repeat(16),
      resultRoot: "cd".repeat(16),
      originId: null,
      files: 1,
    });
    catalog.commit();
    catalog.close();
    const image = nodeFs.readFileSync(path);
    const unsealed = (bytes: Buffer): Buffer => {
      if (bytes.length >= 72) bytes.writeUInt32BE(0, 68);
      return bytes;
    };
    for (const forge of [(bytes: Buffer) => bytes, unsealed])
      await fuzz(
        image,
        600,
        (bytes) => {
          nodeFs.writeFileSync(path, bytes);
          Catalog.openAnyhow({ fs, codecs, sqlite, nonce: () => `n${nonces++}` }, folder).salvage();
          const opened = open();
          for (const { id } of opened.checkpoints) {
            opened.changesOf(id);
            opened.skippedOf(id);
            opened.rulesOf(id);
          }
          opened.restores();
          opened.close();
        },
        forge,
      );
  });

  it("C16 the log of checkpoints and the list of damage, also with valid sums", async () => {
    const folder = tempFolder();
    const log = new CheckpointLog({ fs, codecs, folder });
    const lines = [
      { version: 1, nextNumber: 3 },
      { put: { checkpoint: rowOf(1), rules: "{}", skipped: "" } },
      { gone: "x" },
      { trees: ["ab".repeat(16)] },
    ].map((line) => JSON.stringify(line));
    const summed = (bytes: Buffer): Buffer =>
      Buffer.from(
        bytes
          .toString("latin1")
          .split("\n")
          .map((line) => `${codecs.xxh64(Buffer.from(line)).toString(16).padStart(16, "0")} ${line}\n`)
          .join(""),
      );
    const read = (bytes: Buffer): void => {
      nodeFs.writeFileSync(`${folder}/checkpoints.log`, bytes);
      for (const { checkpoint } of log.read()?.records.values() ?? [])
        if (!Number.isSafeInteger(checkpoint.number) || typeof checkpoint.name === "number") throw new Error("no row");
    };
    await fuzz(summed(Buffer.from(lines.join("\n"))), 1_500, read);
    await fuzz(Buffer.from(lines.join("\n")), 3_000, read, summed);
    const damage = new KnownDamage({ fs, codecs, folder });
    damage.note("0123456789abcdef", "ab".repeat(16) as Hash);
    damage.write("n");
    await fuzz(nodeFs.readFileSync(`${folder}/damaged.list`), 1_500, (bytes) => {
      nodeFs.writeFileSync(`${folder}/damaged.list`, bytes);
      new KnownDamage({ fs, codecs, folder }).refresh(["damaged.list"]);
    });
  });

  it("C16 the index, also with valid sums", async () => {
    const folder = tempFolder();
    let nonces = 0;
    const open = (): FileIndex =>
      FileIndex.open(
        fs,
        codecs,
        folder,
        () => `${nonces++}`.padStart(16, "0"),
        () => [],
      );
    const entry = {
      name: "x",
      type: 0,
      mode: 1,
      size: 2,
      mtimeMs: 3,
      ctimeMs: 4,
      ino: 5,
      hash: "ab".repeat(16) as Hash,
      racy: false,
    } as const;
    const head = {
      path: "d" as ByteString,
      mode: 0o755,
      treeHash: "cd".repeat(16) as Hash,
      rulesId: "0".repeat(16),
      listing: undefined,
    };
    const index = open();
    index.refresh();
    for (const path of ["", "d", "e"] as ByteString[])
      index.apply({ patches: [encodeRecord({ ...head, path }, [entry, { ...entry, name: "y" }])], dropped: [] });
    const use = (): void => {
      const opened = open();
      opened.refresh();
      for (const path of opened.paths()) {
        const record = opened.record(path) as DirectoryRecord;
        try {
          record.entries();
          record.folderNames();
          void [record.listing, record.treeHash, record.rulesId, record.mode];
        } catch (error) {
          // Whoever scans by it discards the index then (see captureWorkspace).
          if (!(error instanceof RangeError)) throw error;
        }
      }
    };
    const files = { "files.base": 12, "files.log": 24 } as const;
    for (const [name, summedFrom] of Object.entries(files)) {
      const path = `${folder}/${name}`;
      const whole = nodeFs.readFileSync(path);
      const write = (bytes: Buffer): void => {
        nodeFs.writeFileSync(path, bytes);
        use();
      };
      await fuzz(whole, 1_000, write);
      await fuzz(whole.subarray(summedFrom), 2_000, write, (bytes) => {
        const forged = Buffer.concat([whole.subarray(0, summedFrom), bytes]);
        if (name === "files.base") forged.writeBigUInt64LE(codecs.xxh64(forged.subarray(summedFrom)), 4);
        else {
          forged.writeUInt32LE(bytes.length, 12);
          forged.writeBigUInt64LE(codecs.xxh64(bytes), 16);
        }
        return forged;
      });
      nodeFs.writeFileSync(path, whole);
    }
  });

  it("was all of it", () => {
    if (process.env.CHECKPOINT_TEST_COUNTS) console.log(`${executions} executions`);
    expect(executions).toBeGreaterThan(30_000);
  });
});

function rowOf(number: number) {
  return {
    ...{ id: `0190-${number}`, number, createdAt: number, kind: "manual" as const, trigger: "manual", name: "n" },
    note: null,
    ...{ pinned: false, parentId: null, rootTree: "ab".repeat(16), files: 1, bytes: 2, newObjects: 3, newBytes: 4 },
    ...{ added: 5, changed: 6, removed: 7, skipped: 8, branch: null, head: null, groupId: null },
  };
}
