import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openPack } from "../../../src/core/store/packReader";
import { openPackSet } from "../../../src/core/store/packSet";
import { encodeTree } from "../../../src/core/store/tree";
import type { ByteString } from "../../../src/shared/pathText";
import { codecs, fs, hashOf, prose, tempFolder, writePack } from "./packFixture";

const FORMATS = `${import.meta.dirname}/../../fixtures/formats`;

/**
 * The third content is compressed: its bytes also depend on the compressor. Should a new release of it compress differently, the files
 * under `v1` stay as they are (they must stay readable), and only the first test gets new ones.
 */
const golden = {
  contents: [Buffer.alloc(0), Buffer.from("hello\n"), prose(300)],
  id: "8af590827fb7aa59",
  tree: () =>
    encodeTree([
      { type: 1, mode: 0o755, size: 0, hash: hashOf(encodeTree([])), name: "empty" as ByteString },
      { type: 0, mode: 0o644, size: 6, hash: hashOf(Buffer.from("hello\n")), name: "hello.txt" as ByteString },
      { type: 2, mode: 0o777, size: 9, hash: hashOf(Buffer.from("hello.txt")), name: "link\xff" as ByteString },
      { type: 0, mode: 0o4755, size: 2 ** 40, hash: hashOf(prose(300)), name: "z" as ByteString },
    ]),
};

describe("released formats", () => {
  it("C13 version 1: pack, index and tree are these bytes", () => {
    const folder = tempFolder();
    const pack = writePack(folder, golden.contents);
    expect(pack.id).toBe(golden.id);
    for (const name of [`pack-${golden.id}.dat`, `pack-${golden.id}.idx`])
      expect(readFileSync(`${folder}/${name}`).equals(readFileSync(`${FORMATS}/v1/${name}`)), name).toBe(true);
    expect(golden.tree().equals(readFileSync(`${FORMATS}/v1/tree`))).toBe(true);
  });

  it("C13 version 1 stays readable", () => {
    const pack = openPack({ fs, codecs, folder: `${FORMATS}/v1`, id: golden.id });
    expect(pack.verify()).toEqual([]);
    for (const content of golden.contents) expect(pack.read(hashOf(content))?.equals(content)).toBe(true);
    pack.close();
  });

  it("C13 C15 packs of chkpt 0.3 are readable", () => {
    const set = openPackSet({ fs, codecs, folder: `${FORMATS}/chkpt-0.3` });
    expect(set.damagedIndexes).toEqual([]);
    const sums: string[] = [];
    for (const id of set.list()) {
      expect(set.pack(id)!.verify()).toEqual([]);
      for (const { hash } of set.pack(id)!.entries()) {
        const content = set.read(hash)!;
        sums.push(createHash("sha256").update(content).digest("hex"));
        const blocks: Buffer[] = [];
        set.readTo(hash, (block) => blocks.push(Buffer.from(block)));
        expect(Buffer.concat(blocks).equals(content)).toBe(true);
      }
    }
    expect(sums).toHaveLength(9);
    // Of a.txt, empty, run.sh, src/bin.dat and src/deep/seq.txt in its first checkpoint.
    expect(sums).toEqual(
      expect.arrayContaining([
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "299001868fb8c02fd431c336c6d058f5558c5dff5b5af5e6fe04b870a6a9cbba",
        "49a1f6d7c9184794367a82fa9091837580bb5ae1b15b6c933e1dfc94902bbc0b",
        "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a",
      ]),
    );
    set.close();
  });
});
