import { readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openPackSet } from "../../../src/core/store/packSet";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";
import { withSeeds } from "../../support/seeded";
import { codecs, fs, hashOf, noise, prose, tempFolder, writePack } from "./packFixture";

const text = (value: string): Buffer => Buffer.from(value);

describe("pack sets", () => {
  it("find and read everything in whole and split packs, listing each once", () => {
    const folder = tempFolder();
    const one = writePack(folder, [text("a"), prose(3000)]);
    const two = writePack(folder, [text("b"), noise(5000)], 1000);
    writeFileSync(`${folder}/notes.txt`, "not a pack");
    const set = openPackSet({ fs, codecs, folder });
    expect(set.list()).toEqual([one.id, two.id].sort());
    expect(set.entryCount).toBe(4);
    expect(set.bytes).toBe(one.bytes + two.bytes);
    for (const content of [text("a"), prose(3000), text("b"), noise(5000)]) {
      expect(set.has(hashOf(content))).toBe(true);
      expect(set.read(hashOf(content))?.equals(content)).toBe(true);
    }
    const blocks: Buffer[] = [];
    expect(set.readTo(hashOf(noise(5000)), (block) => blocks.push(Buffer.from(block)))).toBe(true);
    expect(Buffer.concat(blocks).equals(noise(5000))).toBe(true);
    const place = set.locate(hashOf(text("b")))!;
    expect(place.pack).toBe(two.id);
    expect(set.locateIn(two.id, hashOf(text("b")))).toMatchObject({ offset: place.offset, length: place.length });
    expect(set.locateIn(one.id, hashOf(text("b")))).toBeUndefined();
    expect(set.frameLength(hashOf(text("b")))).toBe(place.length);
    const absent = hashOf(text("absent"));
    expect([set.has(absent), set.locate(absent), set.read(absent), set.frameLength(absent)]).toEqual([
      false,
      undefined,
      undefined,
      undefined,
    ]);
    expect(set.readTo(absent, () => {})).toBe(false);
    set.close();
    const selected = openPackSet({ fs, codecs, folder, ids: [one.id] });
    expect(selected.list()).toEqual([one.id]);
    expect(selected.has(hashOf(text("b")))).toBe(false);
  });

  it("of a folder that does not exist are empty", () => {
    expect(openPackSet({ fs, codecs, folder: `${tempFolder()}/none` }).list()).toEqual([]);
  });

  it("find each of 20,000 hashes, and none that is not there", () => {
    const folder = tempFolder();
    const contents = Array.from({ length: 20_000 }, (_, i) => text(`content ${i}`));
    writePack(folder, contents.slice(0, 7_000));
    const set = openPackSet({ fs, codecs, folder });
    set.add(writePack(folder, contents.slice(7_000)));
    expect(set.entryCount).toBe(20_000);
    expect(contents.every((content) => set.has(hashOf(content)))).toBe(true);
    expect(contents.some((_, i) => set.has(hashOf(text(`other ${i}`))))).toBe(false);
  });

  it("take in new packs, notice those that appeared or vanished, and remove all files of one", () => {
    const folder = tempFolder();
    const set = openPackSet({ fs, codecs, folder });
    const one = writePack(folder, [text("a")]);
    set.add(one);
    set.add(one);
    expect(set.entryCount).toBe(1);
    expect(set.read(hashOf(text("a")))?.toString()).toBe("a");
    const two = writePack(folder, [text("b"), noise(3000)], 1000);
    expect(set.has(hashOf(text("b")))).toBe(false);
    set.refresh();
    expect(set.read(hashOf(text("b")))?.toString()).toBe("b");
    set.remove(two.id);
    expect(set.has(hashOf(text("b")))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual([`pack-${one.id}.dat`, `pack-${one.id}.idx`]);
    set.remove(two.id);
    rmSync(`${folder}/pack-${one.id}.dat`);
    set.refresh();
    expect(set.list()).toEqual([]);
    expect(set.has(hashOf(text("a")))).toBe(false);
  });

  it("follow content that another process moved to another pack", () => {
    const folder = tempFolder();
    const old = writePack(folder, [text("kept"), text("dropped")]);
    const set = openPackSet({ fs, codecs, folder });
    writePack(folder, [text("kept")]);
    openPackSet({ fs, codecs, folder }).remove(old.id);
    expect(set.read(hashOf(text("kept")))?.toString()).toBe("kept");
    expect(set.read(hashOf(text("dropped")))).toBeUndefined();
    expect(set.list()).not.toContain(old.id);
  });

  it("C8 read from another pack what one holds damaged; name the damage when there is no other", () => {
    const folder = tempFolder();
    const shared = prose(3000);
    const one = writePack(folder, [shared]);
    const path = `${folder}/pack-${one.id}.dat`;
    writeFileSync(path, readFileSync(path).fill(0, 100, 110));
    const set = openPackSet({ fs, codecs, folder });
    expect(() => set.read(hashOf(shared))).toThrow(new RegExp(`Object .* in pack ${one.id} is damaged`));
    set.add(writePack(folder, [text("more"), shared]));
    expect(set.read(hashOf(shared))?.equals(shared)).toBe(true);
  });

  it("C8 a missing, cut or unreadable index is rebuilt from the pack and does not take down others", () => {
    const folder = tempFolder();
    const packs = [writePack(folder, [text("a"), prose(400)]), writePack(folder, [text("b"), prose(900)], 50)];
    const intact = writePack(folder, [text("c")]);
    unlinkSync(`${folder}/pack-${packs[0]!.id}.idx`);
    writeFileSync(`${folder}/pack-${packs[1]!.id}.idx`, packs[1]!.index.subarray(0, 40));
    const set = openPackSet({ fs, codecs, folder });
    expect(set.damagedIndexes.map(({ id, rebuilt }) => [id, rebuilt]).sort()).toEqual(
      packs.map(({ id }) => [id, true]).sort(),
    );
    for (const name of ["a", "b", "c"]) expect(set.read(hashOf(text(name)))?.toString()).toBe(name);
    set.close();
    const dat = `${folder}/pack-${packs[0]!.id}.dat`;
    writeFileSync(dat, readFileSync(dat).subarray(0, 60));
    const less = openPackSet({ fs, codecs, folder });
    expect(less.list()).toEqual([packs[1]!.id, intact.id].sort());
    expect(less.damagedIndexes.find(({ id }) => id === packs[0]!.id)).toMatchObject({ rebuilt: false });
    expect(less.has(hashOf(text("a")))).toBe(false);
    expect(less.read(hashOf(text("c")))?.toString()).toBe("c");
  });

  it("sweep temp files, lone indexes and lone parts, and nothing else", () => {
    const folder = tempFolder();
    const whole = writePack(folder, [text("a")]);
    const split = writePack(folder, [text("b"), noise(3000)], 1000);
    writeFileSync(`${folder}/notes.txt`, "somebody else's");
    const kept = readdirSync(folder).sort();
    const id = "0123456789abcdef";
    const garbage = [
      `${TEMP_PREFIX}x`,
      `pack-${id}.idx`,
      `pack-${id}.dat.part-000000`,
      `pack-${whole.id}.dat.part-000003`,
    ];
    for (const name of garbage) writeFileSync(`${folder}/${name}`, "left over");
    const set = openPackSet({ fs, codecs, folder });
    expect(set.list()).toEqual([whole.id, split.id].sort());
    const later = writePack(folder, [text("c")]);
    const damaged = `${tempFolder()}/damaged`;
    set.sweepAndRefresh(damaged);
    // Parts with an index may have been a pack.
    expect(readdirSync(damaged).sort()).toEqual([`pack-${id}.dat.part-000000`, `pack-${id}.idx`]);
    expect(readdirSync(folder).sort()).toEqual([...kept, `pack-${later.id}.dat`, `pack-${later.id}.idx`].sort());
    expect(set.ids()).toEqual([whole.id, split.id, later.id].sort());
  });

  it("keep few files open, however many packs are read", () => {
    const folder = tempFolder();
    const contents = Array.from({ length: 150 }, (_, i) => text(`pack ${i}`));
    for (const content of contents) writePack(folder, [content]);
    let open = 0;
    let most = 0;
    const counting = {
      ...fs,
      open: (...args: Parameters<typeof fs.open>) => {
        most = Math.max(most, ++open);
        return fs.open(...args);
      },
      close: (fd: number) => {
        open--;
        fs.close(fd);
      },
    };
    const set = openPackSet({ fs: counting, codecs, folder });
    for (let round = 0; round < 2; round++)
      for (const content of contents) expect(set.read(hashOf(content))?.equals(content)).toBe(true);
    expect(most).toBeLessThanOrEqual(66);
    set.close();
    expect(open).toBe(0);
  });

  it("read a pack that was split after the set was opened", () => {
    const folder = tempFolder();
    const contents = [noise(3000), prose(500)];
    const { id } = writePack(folder, contents);
    const set = openPackSet({ fs, codecs, folder });
    renameSync(`${folder}/pack-${id}.dat`, `${folder}/away`);
    writePack(folder, contents, 700);
    expect(set.read(hashOf(contents[0]!))?.equals(contents[0]!)).toBe(true);
  });

  it("read nothing before they are asked, and each index once after", () => {
    const folder = tempFolder();
    const contents = Array.from({ length: 5 }, (_, i) => text(`pack ${i}`));
    const ids = contents.map((content) => writePack(folder, [content]).id);
    const opened: string[] = [];
    const watching = {
      ...fs,
      open: (...args: Parameters<typeof fs.open>) => {
        opened.push(String(args[0]).slice(folder.length + 1));
        return fs.open(...args);
      },
    };
    const set = openPackSet({ fs: watching, codecs, folder });
    set.refresh();
    expect(set.ids()).toEqual([...ids].sort());
    expect(set.stamps()).toHaveLength(5);
    expect(set.bytes).toBeGreaterThan(0);
    expect(opened).toEqual([]);
    expect(set.pack(ids[2]!)?.entryCount).toBe(1);
    expect(opened).toEqual([`pack-${ids[2]}.idx`]);
    for (let round = 0; round < 2; round++) for (const content of contents) expect(set.has(hashOf(content))).toBe(true);
    set.remove(ids[0]!);
    expect(contents.map((content) => set.has(hashOf(content)))).toEqual([false, true, true, true, true]);
    expect(opened.sort()).toEqual(ids.map((id) => `pack-${id}.idx`).sort());
  });

  it("give the same answers to the first question and to the thousandth", async () => {
    await withSeeds(3, (random) => {
      const folder = tempFolder();
      const contents = Array.from({ length: 600 }, (_, i) => text(`content ${i}`));
      // Some are in several packs.
      const packs = Array.from({ length: 7 }, () => contents.filter((_, i) => i < 550 && random.chance(0.3)));
      for (const each of packs) if (each.length > 0) writePack(folder, each);
      const set = openPackSet({ fs, codecs, folder });
      const holders = (content: Buffer): number => packs.filter((each) => each.includes(content)).length;
      for (let round = 0; round < 4; round++) {
        const late = text(`late ${round}`);
        for (const content of contents) {
          expect(set.has(hashOf(content))).toBe(holders(content) > 0);
          const place = set.locate(hashOf(content));
          expect(place !== undefined).toBe(holders(content) > 0);
          if (place === undefined) continue;
          const { pack, offset, length } = place;
          expect(set.locateIn(pack, hashOf(content))).toEqual({ hash: hashOf(content), offset, length });
        }
        set.add(writePack(folder, [late]));
        expect(set.read(hashOf(late))?.equals(late)).toBe(true);
      }
      set.close();
    });
  });

  it("follow packs that were merged before they were opened", () => {
    const folder = tempFolder();
    const contents = Array.from({ length: 4 }, (_, i) => text(`pack ${i}`));
    const old = contents.map((content) => writePack(folder, [content]).id);
    const set = openPackSet({ fs, codecs, folder });
    const opened = openPackSet({ fs, codecs, folder });
    expect(opened.has(hashOf(contents[0]!))).toBe(true);
    const merging = openPackSet({ fs, codecs, folder });
    const { id } = writePack(folder, contents);
    for (const each of old) merging.remove(each);
    expect(contents.map((content) => set.has(hashOf(content)))).toEqual([true, true, true, true]);
    expect(set.list()).toEqual([id]);
    for (const content of contents) expect(opened.read(hashOf(content))?.equals(content)).toBe(true);
    expect(opened.list()).toEqual([id]);
  });

  it("C8 have other stamps once a pack was cut off or lost", () => {
    const folder = tempFolder();
    const one = writePack(folder, [text("a"), noise(500)]);
    const two = writePack(folder, [text("b"), noise(3000)], 1000);
    const stamps = (): string[] => openPackSet({ fs, codecs, folder }).stamps();
    const before = stamps();
    expect(before).toEqual([`${one.id} ${one.bytes}`, `${two.id} ${two.bytes}`].sort());
    expect(openPackSet({ fs, codecs, folder }).stamps(new Set([one.id]))).toEqual([`${two.id} ${two.bytes}`]);
    const dat = `${folder}/pack-${one.id}.dat`;
    writeFileSync(dat, readFileSync(dat).subarray(0, 100));
    expect(stamps()).toContain(`${one.id} 100`);
    unlinkSync(`${folder}/pack-${two.id}.dat.part-000001`);
    expect(stamps()).toContain(`${two.id} 0`);
    unlinkSync(dat);
    expect(stamps()).toHaveLength(1);
  });

  it("C8 read a pack that was written anew in place of a damaged one", () => {
    const folder = tempFolder();
    const contents = [noise(3000), prose(500)];
    const { id } = writePack(folder, contents);
    const path = `${folder}/pack-${id}.dat`;
    writeFileSync(path, readFileSync(path).fill(0, 100, 110));
    const set = openPackSet({ fs, codecs, folder });
    expect(() => set.read(hashOf(contents[0]!))).toThrow(/is damaged/);
    set.add(writePack(folder, contents));
    expect(set.read(hashOf(contents[0]!))?.equals(contents[0]!)).toBe(true);
  });
});
