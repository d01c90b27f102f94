import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { canonicalText, hashFromBytes, writeHash } from "../../../src/core/store/hash";
import { CheckpointError } from "../../../src/shared/errors";
import { codecs, noise, prose } from "./packFixture";

describe("codecs", () => {
  it("hash like xxhsum -H2, bytes reversed", () => {
    for (const content of [Buffer.alloc(0), Buffer.from("a"), prose(300), prose(100_000)]) {
      const printed = execFileSync("xxhsum", ["-H2", "-"], { input: content, encoding: "utf8" }).split(" ")[0]!;
      const hash = codecs.hash(content);
      expect(canonicalText(hash)).toBe(printed);
      expect(hash).toBe(Buffer.from(printed, "hex").reverse().toString("hex"));
    }
  });

  it("convert hashes to bytes and back", () => {
    const hash = codecs.hash(prose(10));
    const bytes = Buffer.alloc(20);
    writeHash(hash, bytes, 3);
    expect(hashFromBytes(bytes, 3)).toBe(hash);
  });

  it("keep interleaved stream hashers apart, whatever one-shot hashes come between", () => {
    const contents = [prose(300_000), noise(200_000), Buffer.alloc(0), noise(5)];
    const hashers = contents.map(() => codecs.createHasher());
    for (let offset = 0; offset < 300_000; offset += 7_001) {
      contents.forEach((content, i) => {
        hashers[i]!.update(content.subarray(offset, offset + 7_001));
      });
      codecs.hash(Buffer.from(String(offset)));
    }
    expect(hashers.map((hasher) => hasher.digest())).toEqual(contents.map((content) => codecs.hash(content)));
    expect(() => hashers[0]!.digest()).toThrow();
  });

  it("compress and decompress blocks; the view stays whole until the next call", () => {
    for (const content of [prose(1), prose(5_000), noise(5_000), prose(1 << 20), noise(1 << 20), prose(4 << 20)]) {
      const block = Buffer.from(codecs.compressBlock(content));
      expect(content.equals(codecs.decompressBlock(block, content.length))).toBe(true);
    }
  });

  it("refuse a wrong content length or broken blocks, ten thousand times, and work on", () => {
    const content = prose(5_000);
    const block = Buffer.from(codecs.compressBlock(content));
    const attempts: (readonly [Uint8Array, number])[] = [
      [block, content.length + 1],
      [block, content.length - 1],
      [block.subarray(0, block.length - 9), content.length],
      [Buffer.alloc(40, 0xff), content.length],
      [Buffer.alloc(0), 10],
    ];
    for (let i = 0; i < 10_000; i++) {
      const [bytes, length] = attempts[i % attempts.length]!;
      let thrown: unknown;
      try {
        codecs.decompressBlock(bytes, length);
      } catch (error) {
        thrown = error;
      }
      if (!CheckpointError.is(thrown, "damaged")) throw new Error(`attempt ${i}: ${String(thrown)}`);
    }
    expect(content.equals(codecs.decompressBlock(block, content.length))).toBe(true);
  });

  it("know XXH32 and XXH64 by their reference values", () => {
    expect(codecs.xxh32(Buffer.alloc(0))).toBe(0x02cc5d05);
    expect(codecs.xxh64(Buffer.alloc(0))).toBe(0xef46db3751d8e999n);
  });
});
