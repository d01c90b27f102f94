import { readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openPack, openPackByWalking } from "../../../src/core/store/packReader";
import type { PartsManifest } from "../../../src/core/store/splitPack";
import { codecs, fs, hashOf, noise, prose, tempFolder, writePack } from "./packFixture";

const contents = [Buffer.alloc(0), Buffer.from("x"), prose(5000), noise(700), noise(2000, 2)];
/** A pack of about 400 bytes, for chunks of single bytes. */
const smallContents = [Buffer.alloc(0), Buffer.from("x"), prose(500), noise(70)];

function splitPack(chunkBytes = 500, stored = contents) {
  const folder = tempFolder();
  const pack = writePack(folder, stored, chunkBytes);
  const path = `${folder}/pack-${pack.id}.dat.parts.json`;
  return { folder, pack, path, manifest: JSON.parse(readFileSync(path, "utf8")) as PartsManifest };
}

describe("split packs", () => {
  it("C14 are read across part borders at every chunk size", () => {
    const whole = writePack(tempFolder(), smallContents);
    for (const chunkBytes of [1, 2, 7, 8, 9, 23, 24, 25, 31, 64, 100, 199, whole.bytes - 1]) {
      const { folder, pack, manifest } = splitPack(chunkBytes, smallContents);
      expect(pack).toEqual(whole);
      expect(manifest).toMatchObject({
        version: 1,
        pack_hash: whole.hash,
        dat_size: whole.bytes,
        chunk_bytes: chunkBytes,
      });
      expect(manifest.parts[0]!.path).toBe(`pack-${pack.id}.dat.part-000000`);
      expect(readdirSync(folder)).not.toContain(`pack-${pack.id}.dat`);
      const reader = openPack({ fs, codecs, folder, id: pack.id });
      for (const content of smallContents) expect(reader.read(hashOf(content))?.equals(content)).toBe(true);
      expect(reader.verify()).toEqual([]);
      reader.close();
      const walked = openPackByWalking({ fs, codecs, folder, id: pack.id });
      expect(walked.index.bytes.equals(pack.index)).toBe(true);
      walked.close();
    }
  });

  it("are not made of packs that fit into one part", () => {
    const folder = tempFolder();
    const { id, bytes } = writePack(folder, contents);
    writePack(folder, contents, bytes);
    expect(readdirSync(folder).sort()).toEqual([`pack-${id}.dat`, `pack-${id}.idx`]);
  });

  it("C14 each invalid manifest is refused by its own message", () => {
    const { folder, pack, path, manifest } = splitPack();
    const first = manifest.parts[0]!;
    const rest = manifest.parts.slice(1);
    const withFirst = (change: object): object => ({ ...manifest, parts: [{ ...first, ...change }, ...rest] });
    const cases: [RegExp, object | string][] = [
      [/its version is 2/, { ...manifest, version: 2 }],
      [/names no pack hash/, { ...manifest, pack_hash: "xyz" }],
      [/belongs to another pack, f{32}/, { ...manifest, pack_hash: "f".repeat(32) }],
      [/smaller than a pack's header/, { ...manifest, dat_size: 7 }],
      [/chunk size is zero/, { ...manifest, chunk_bytes: 0 }],
      [/chunk size is no size/, { ...manifest, chunk_bytes: -1 }],
      [
        /gap before .*part-000001/,
        {
          ...manifest,
          parts: [first, ...rest.slice(1)].map((part, i) => (i === 1 ? { ...part, path: rest[0]!.path } : part)),
        },
      ],
      [/part-000000 is empty/, withFirst({ size: 0 })],
      [/not one plain file name \("\.\.\/x"\)/, withFirst({ path: "../x" })],
      [/not one plain file name/, withFirst({ path: "/etc/passwd" })],
      [/not one plain file name/, withFirst({ path: "a\\b" })],
      [/not one plain file name/, withFirst({ path: ".." })],
      [/not one plain file name/, withFirst({ path: "" })],
      [/not one plain file name/, withFirst({ path: 5 })],
      [/not one plain file name/, { ...manifest, parts: [null] }],
      [/part-000000 has 500 bytes instead of 499/, withFirst({ size: 499 })],
      [/add up to \d+ bytes, but the pack has/, { ...manifest, dat_size: manifest.dat_size + 1 }],
      [/add up to \d+ bytes, but the pack has/, { ...manifest, parts: manifest.parts.slice(0, -1) }],
      [/part-999999 is missing/, withFirst({ path: `pack-${pack.id}.dat.part-999999` })],
      [/size of .* is no size/, withFirst({ size: 1.5 })],
      [/lists no parts/, { ...manifest, parts: {} }],
      [/no JSON object/, "[]"],
      [/is no JSON/, "{"],
    ];
    for (const [message, content] of cases) {
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
      expect(() => openPack({ fs, codecs, folder, id: pack.id }), String(message)).toThrow(message);
    }
    writeFileSync(path, JSON.stringify(manifest));
    expect(openPack({ fs, codecs, folder, id: pack.id }).verify()).toEqual([]);
  });

  it("C14 a part that is cut short or gone is named", () => {
    const { folder, pack, manifest } = splitPack();
    const part = manifest.parts[1]!.path;
    truncateSync(`${folder}/${part}`, 10);
    expect(() => openPack({ fs, codecs, folder, id: pack.id })).toThrow(/part-000001 has 10 bytes instead of 500/);
    unlinkSync(`${folder}/${part}`);
    expect(() => openPack({ fs, codecs, folder, id: pack.id })).toThrow(/part-000001 is missing/);
  });
});
