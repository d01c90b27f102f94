import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../src/core/fs/fileSystem";
import { canonicalText, type Hash } from "../../../src/core/store/hash";
import { decodeFrame } from "../../../src/core/store/lz4FrameDecoder";
import { openPack, openPackByWalking } from "../../../src/core/store/packReader";
import { openPackSet } from "../../../src/core/store/packSet";
import { PackWriter } from "../../../src/core/store/packWriter";
import { CheckpointError } from "../../../src/shared/errors";
import {
  codecs,
  fs,
  hashOf,
  newWriter,
  noise,
  prose,
  tempFolder,
  tempsIn,
  variedContents,
  writePack,
} from "./packFixture";

describe("packs", () => {
  it("C14 every entry decodes with lz4 -d and hashes to its name with xxhsum -H2", () => {
    const folder = tempFolder();
    const contents = variedContents();
    const pack = writePack(folder, contents);
    expect(pack.entries).toBe(contents.length);
    const dat = readFileSync(`${folder}/pack-${pack.id}.dat`);
    expect(dat.length).toBe(pack.bytes);
    expect(dat.toString("latin1", 0, 4)).toBe("CHKL");
    expect(dat.readUInt32LE(4)).toBe(contents.length);
    let offset = 8;
    for (const content of contents) {
      const name = dat.subarray(offset, offset + 16);
      const length = Number(dat.readBigUInt64LE(offset + 16));
      const frame = dat.subarray(offset + 24, offset + 24 + length);
      const decoded = execFileSync("lz4", ["-d", "-c"], { input: frame, maxBuffer: 1 << 26 });
      expect(decoded.equals(content)).toBe(true);
      const printed = execFileSync("xxhsum", ["-H2", "-"], { input: decoded, encoding: "utf8" }).slice(0, 32);
      expect(Buffer.from(name).reverse().toString("hex")).toBe(printed);
      offset += 24 + length;
    }
    expect(offset).toBe(dat.length);
    const nameInput = Buffer.concat([dat.subarray(8), dat.subarray(0, 8)]);
    const ownName = execFileSync("xxhsum", ["-H2", "-"], { input: nameInput, encoding: "utf8" }).slice(0, 32);
    expect(pack.hash).toBe(ownName);
    expect(pack.id).toBe(ownName.slice(0, 16));
    expect(statSync(`${folder}/pack-${pack.id}.dat`).mode & 0o777).toBe(0o600);
  });

  it("give back every entry, in memory and streamed; absent is not corrupt", () => {
    const folder = tempFolder();
    const contents = variedContents();
    const { id, index } = writePack(folder, contents);
    expect(readFileSync(`${folder}/pack-${id}.idx`).equals(index)).toBe(true);
    const pack = openPack({ fs, codecs, folder, id });
    for (const content of contents) {
      const hash = hashOf(content);
      expect(pack.has(hash)).toBe(true);
      expect(pack.read(hash)?.equals(content)).toBe(true);
      const blocks: Buffer[] = [];
      expect(pack.readTo(hash, (block) => blocks.push(Buffer.from(block)))).toBe(true);
      expect(Buffer.concat(blocks).equals(content)).toBe(true);
      const pieces: Buffer[] = [];
      expect(pack.copyFrame(hash, (_, each) => each((piece) => pieces.push(Buffer.from(piece))))).toBe(true);
      expect(decodeFrame(codecs, Buffer.concat(pieces)).equals(content)).toBe(true);
    }
    const absent = hashOf(Buffer.from("absent"));
    expect(pack.has(absent)).toBe(false);
    expect(pack.read(absent)).toBeUndefined();
    expect(pack.readTo(absent, () => {})).toBe(false);
    expect(pack.copyFrame(absent, () => {})).toBe(false);
    expect(pack.verify()).toEqual([]);
    expect([...pack.entries()].map((entry) => entry.hash)).toEqual(contents.map(hashOf).sort());
    pack.close();
    expect(openPackByWalking({ fs, codecs, folder, id }).index.bytes.equals(index)).toBe(true);
  });

  it("are the same bytes whether content was added or streamed, and whatever was abandoned between", () => {
    const contents = variedContents();
    const added = writePack(tempFolder(), contents);
    for (const step of [1 << 20, 70_001, 5_000_000]) {
      const folder = tempFolder();
      const writer = newWriter(folder);
      contents.forEach((content, i) => {
        const hash = hashOf(content);
        if (i % 3 === 0) {
          writer.beginStream(4_000_000);
          for (let sent = 0; sent < (i % 2) * 3_000_000; sent += 1_000_000) writer.writeStream(noise(1_000_000, i + 1));
          writer.abandonStream();
        }
        if (i % 4 === 3) writer.add(hash, content);
        else {
          writer.beginStream(content.length);
          for (let at = 0; at < content.length; at += step) writer.writeStream(content.subarray(at, at + step));
          const { storedBytes } = writer.endStream(hash);
          expect(storedBytes).toBe(openedLength(added.index, hash));
        }
        expect(writer.has(hash)).toBe(true);
        expect(writer.entryCount).toBe(i + 1);
      });
      const streamed = writer.finish();
      expect(streamed).toEqual(added);
      expect(tempsIn(folder)).toEqual([]);
      expect(openPack({ fs, codecs, folder, id: added.id }).verify()).toEqual([]);
    }
  });

  it("Z9 report what they stored: raw where nothing shrinks or asked for, never more than content and overhead", () => {
    const writer = newWriter(tempFolder());
    for (const content of variedContents()) {
      const before = writer.bytes;
      const { storedBytes } = writer.add(hashOf(content), content);
      expect(writer.bytes - before).toBe(storedBytes);
      expect(storedBytes).toBeLessThanOrEqual(content.length + 43 + 4 * Math.ceil(content.length / (1 << 20)));
    }
    expect(writer.add(hashOf(noise(500, 9)), noise(500, 9)).raw).toBe(true);
    expect(writer.add(hashOf(prose(501)), prose(501)).raw).toBe(false);
    expect(writer.add(hashOf(prose(502)), prose(502), { raw: true }).raw).toBe(true);
    writer.beginStream(3_000_000);
    writer.writeStream(noise(3_000_000, 7));
    expect(writer.endStream(hashOf(noise(3_000_000, 7))).raw).toBe(true);
    writer.abort();
  });

  it("equal to one that exists are success; a damaged one is replaced", () => {
    const folder = tempFolder();
    const contents = [prose(1000), noise(1000)];
    const first = writePack(folder, contents);
    const names = readdirSync(folder);
    expect(writePack(folder, contents)).toEqual({ ...first, created: false });
    expect(readdirSync(folder)).toEqual(names);
    const path = `${folder}/pack-${first.id}.dat`;
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.from(bytes).fill(0, 40, 50));
    expect(writePack(folder, contents)).toEqual(first);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    writeFileSync(path, bytes.subarray(0, 20));
    expect(writePack(folder, contents, 300)).toEqual(first);
    expect(openPackSet({ fs, codecs, folder }).partBytes).toBe(300);
    expect(writePack(folder, contents)).toEqual({ ...first, created: false });
    expect(openPack({ fs, codecs, folder, id: first.id }).verify()).toEqual([]);
    expect(tempsIn(folder)).toEqual([]);
  });

  it("P8 of many small files are written out a megabyte at a time", () => {
    const folder = tempFolder();
    let most = 0;
    const counting: FileSystem = {
      ...fs,
      write: (fd, bytes, offset, length, position) => {
        most = Math.max(most, length);
        return fs.write(fd, bytes, offset, length, position);
      },
    };
    const writer = new PackWriter({ fs: counting, codecs, folder, nonce: "counted" });
    for (let i = 0; i < 400; i++) {
      const content = noise(10_000, i + 1);
      writer.add(codecs.hash(content), content);
    }
    const pack = writer.finish();
    expect(pack?.bytes).toBeGreaterThan(3 << 20);
    expect(most).toBeGreaterThan(1 << 19);
    expect(most).toBeLessThan((1 << 20) + 20_000);
    expect(openPack({ fs, codecs, folder, id: pack!.id }).verify()).toEqual([]);
  });

  it("that stay empty or are aborted leave nothing", () => {
    const folder = tempFolder();
    expect(newWriter(folder).finish()).toBeUndefined();
    const abandoned = newWriter(folder);
    abandoned.beginStream(3_000_000);
    abandoned.writeStream(noise(2_500_000));
    abandoned.abandonStream();
    expect(abandoned.finish()).toBeUndefined();
    const aborted = newWriter(folder);
    aborted.add(hashOf(prose(10)), prose(10));
    aborted.beginStream(3_000_000);
    aborted.writeStream(noise(2_500_000));
    aborted.abort();
    aborted.abort();
    expect(readdirSync(folder)).toEqual([]);
    expect(() => aborted.add(hashOf(prose(11)), prose(11))).toThrow(CheckpointError);
  });

  it("that fail while being written leave nothing but the first error, at every step", () => {
    const contents = [prose(1000), noise(3_000_000), prose(2_000_000)];
    for (const chunkBytes of [0, 1_000_000]) {
      let step = 0;
      for (let finished = false; !finished; step++) {
        const folder = tempFolder();
        const writer = new PackWriter({ fs: failingAt(step), codecs, folder, nonce: "failing" });
        try {
          for (const content of contents) writer.add(hashOf(content), content);
          writer.beginStream(5);
          writer.writeStream(Buffer.from("12345"));
          writer.endStream(hashOf(Buffer.from("12345")));
          writer.finish({ chunkBytes });
          finished = true;
        } catch (error) {
          expect((error as { code: string }).code).toBe("ENOSPC");
          expect(() => writer.finish()).toThrow(error as Error);
          writer.abort();
          // Once the data is there the pack exists; syncing the folder may still have failed.
          const left = readdirSync(folder);
          if (left.length > 0) expect(openPack({ fs, codecs, folder, id: left[0]!.slice(5, 21) }).verify()).toEqual([]);
        }
        expect(tempsIn(folder)).toEqual([]);
      }
      expect(step).toBeGreaterThan(15);
    }
  });

  it("C8 with a flipped bit or cut short never give wrong bytes, name pack and hash, and verify finds it", () => {
    const folder = tempFolder();
    const contents = [Buffer.alloc(0), prose(40), prose(3000), noise(300)];
    const { id } = writePack(folder, contents);
    const path = `${folder}/pack-${id}.dat`;
    const intact = readFileSync(path);
    const seed = 20_261_120;
    fc.assert(
      fc.property(fc.nat({ max: 8 * intact.length - 1 }), (bit) => {
        const bytes = Buffer.from(intact);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        writeFileSync(path, bytes);
        const pack = openPack({ fs, codecs, folder, id });
        let damaged = 0;
        for (const content of contents) damaged += readsDamaged(() => pack.read(hashOf(content)), content, id) ? 1 : 0;
        expect(damaged).toBe(bit >> 3 < 8 ? 0 : 1);
        expect(pack.verify().length).toBe(damaged + 1);
        pack.close();
      }),
      { numRuns: 400, seed },
    );
    for (let length = 0; length < intact.length; length += 7) {
      writeFileSync(path, intact.subarray(0, length));
      expect(() => openPack({ fs, codecs, folder, id }), `cut at ${length}`).toThrow(CheckpointError);
    }
  });

  it("C8 indexes with a flipped bit or cut short are refused or change no answer", () => {
    const folder = tempFolder();
    const contents = [prose(40), prose(3000), noise(300)];
    const { id, index } = writePack(folder, contents);
    const path = `${folder}/pack-${id}.idx`;
    for (let bit = 0; bit < 8 * index.length; bit++) {
      const bytes = Buffer.from(index);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, bytes);
      try {
        const pack = openPack({ fs, codecs, folder, id });
        expect(pack.verify(), `bit ${bit}`).not.toEqual([]);
        for (const content of contents) {
          const read = pack.has(hashOf(content)) ? readsDamaged(() => pack.read(hashOf(content)), content, id) : true;
          expect(typeof read).toBe("boolean");
        }
        pack.close();
      } catch (error) {
        if (!CheckpointError.is(error, "damaged")) throw error;
      }
    }
    for (let length = 0; length < index.length; length++) {
      writeFileSync(path, index.subarray(0, length));
      expect(() => openPack({ fs, codecs, folder, id }), `cut at ${length}`).toThrow(/is damaged/);
    }
  });
});

function openedLength(index: Buffer, hash: Hash): number {
  for (let at = 0; at < index.length; at += 32)
    if (index.toString("hex", at, at + 16) === hash) return 24 + Number(index.readBigUInt64LE(at + 24));
  throw new Error(`${hash} is not in the index`);
}

/** True: refused as damaged, naming pack and object. False: the right bytes. Anything else fails the test. */
function readsDamaged(read: () => Buffer | undefined, content: Buffer, id: string): boolean {
  try {
    expect(read()?.equals(content)).toBe(true);
    return false;
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
    expect(error.message).toContain(id);
    expect(error.message).toContain(canonicalText(hashOf(content)));
    return true;
  }
}

/** The real file system, but its n-th call that changes something fails once, as on a full disk. */
function failingAt(step: number): FileSystem {
  let calls = 0;
  const failing = <A extends unknown[], R>(action: (...args: A) => R) => {
    return (...args: A): R => {
      if (calls++ === step) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      return action(...args);
    };
  };
  return {
    ...fs,
    open: failing(fs.open),
    write: failing(fs.write),
    fsync: failing(fs.fsync),
    rename: failing(fs.rename),
  };
}
