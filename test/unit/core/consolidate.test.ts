import * as fs from "node:fs";
import { constants } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/core/fs/nodeFileSystem";
import type { Consolidation } from "../../../src/core/ops/consolidate";
import { loadCodecs } from "../../../src/core/store/codecs";
import { PackWriter } from "../../../src/core/store/packWriter";
import { rest } from "../../support/rest";
import { tempFolder } from "../../support/tempFolders";
import { type Call, errno, WatchedFileSystem } from "../../support/watchedFileSystem";
import { expectRestorable, manyPacks, packsIn, SAVES } from "./manyPacks";

describe("merging small packs", () => {
  it("P6 leaves one pack in place of many, and every checkpoint as it was", async () => {
    const many = await manyPacks();
    const { w } = many;
    const before = await w.engine.stats();
    expect([packsIn(w, "packs").length, packsIn(w, "trees").length]).toEqual([SAVES, SAVES]);
    expect(await w.engine.gc()).toMatchObject({ deadObjects: 0, freedBytes: 0, rewrittenPacks: 2 * SAVES });
    expect([packsIn(w, "packs").length, packsIn(w, "trees").length]).toEqual([1, 1]);
    expect(await w.engine.stats()).toMatchObject({ packs: 2, objects: before.objects });
    await w.expectSound();
    await expectRestorable(many);
    await w.reopen();
    await expectRestorable(many);
  });

  it("P6 costs the next save nothing: nothing is read again", async () => {
    const disk = new WatchedFileSystem();
    const { w } = await manyPacks({ fs: disk.fs });
    await rest(); // entries as young as the save are read again in any case
    await w.save();
    await w.engine.gc();
    const read: string[] = [];
    disk.hook = ({ method, path }) => {
      if (method === "open" && path.startsWith(w.folder)) read.push(path);
    };
    expect((await w.save()).noChange).toBe(true);
    await w.reopen();
    expect((await w.save()).noChange).toBe(true);
    expect(read).toEqual([]);
  });

  it("C3 killed at any step: every object is in a published pack, and the next run finishes it", async () => {
    const disk = new WatchedFileSystem();
    const { w, states } = await manyPacks({ fs: disk.fs });
    await w.engine.close();
    const { store } = w;
    const backup = tempFolder("backup");
    fs.cpSync(store, backup, { recursive: true });
    const restoreStore = (): void => {
      fs.rmSync(store, { recursive: true });
      fs.cpSync(backup, store, { recursive: true });
    };
    /** A run that dies at its k-th step; answers its steps when it got through. */
    const run = async (k: number): Promise<Call[] | undefined> => {
      restoreStore();
      const engine = await w.another({ fs: disk.fs });
      const steps: Call[] = [];
      let killed = false;
      disk.hook = (call) => {
        const isStep = changes(call) && !call.path.includes("/locks/");
        if (isStep && !killed) steps.push(call);
        killed ||= steps.length > k;
        // A dead process does nothing any more: it does not clear up either.
        if (killed) throw errno("EIO", call.path);
      };
      const outcome = await engine.gc().catch((error: unknown) => error);
      disk.hook = () => {};
      await engine.close();
      if (killed) return undefined;
      expect(outcome).toMatchObject({ rewrittenPacks: 2 * SAVES });
      return steps;
    };
    const steps = (await run(Number.POSITIVE_INFINITY)) ?? [];
    const unlinks = steps.flatMap(({ method }, k) => (method === "unlink" ? [k] : []));
    expect(unlinks.length).toBeGreaterThanOrEqual(4 * SAVES);
    // The removals are alike: of them the first and some others.
    const kills = steps.flatMap(({ method }, k) =>
      method !== "unlink" || steps[k - 1]?.method !== "unlink" || k % 12 === 0 ? [k] : [],
    );
    for (const k of kills) {
      expect(await run(k)).toBeUndefined();
      fs.rmSync(`${store}/locks`, { recursive: true });
      const next = await w.another({ fs: { ...nodeFileSystem, fsync: () => {} } });
      expect({ k, ...(await next.verify({ full: true })) }).toMatchObject({ k, ok: true, checkpoints: SAVES });
      for (const [id, state] of states)
        expect(`file 644 "${String(await next.readFile(id, "d/e/f"))}"`).toBe(state["d/e/f"]);
      expect((await next.save({ kind: "manual", trigger: "manual", scan: w.scan })).noChange).toBe(true);
      await next.gc();
      expect({ k, ...(await next.verify({ full: true })) }).toMatchObject({ k, ok: true });
      await next.close();
    }
    w.engine = await w.another();
    await expectRestorable({ w, states });
  }, 180_000);

  it("C3 C11 another process that has the packs open reads and saves on, at every step of it", async () => {
    const many = await manyPacks();
    const { w, states } = many;
    const other = await w.another();
    const fresh: Promise<{ close(): Promise<void> }>[] = [];
    const [first, ...more] = [...states.keys()] as [string, ...string[]];
    expect(String(await other.readFile(first, "d/e/f"))).toBe("version 0");
    const answers: Promise<string>[] = [];
    let asked = 0;
    const disk = new WatchedFileSystem((call) => {
      if (!changes(call) || asked >= more.length * 3) return;
      const i = asked++ % more.length;
      // A question is answered before the call returns: here, between two steps of the merging process.
      answers.push(
        other.readFile(more[i] as string, "d/e/f").then((content) => `${i + 1}: ${Buffer.from(content).toString()}`),
      );
      if (asked % 20 === 0) fresh.push(w.another());
    });
    const merging = await w.another({ fs: disk.fs });
    expect(await merging.gc()).toMatchObject({ rewrittenPacks: 2 * SAVES });
    await merging.close();
    expect(answers.length).toBeGreaterThan(SAVES);
    for (const answer of await Promise.all(answers)) {
      const [i, text] = answer.split(": ");
      expect(text).toBe(`version ${i}`);
    }
    for (const engine of await Promise.all(fresh)) await engine.close();
    expect(await other.verify({ full: true })).toMatchObject({ ok: true, packs: 2 });
    w.write("new", "saved by the other");
    const { checkpoint } = await other.save({ kind: "manual", trigger: "manual", scan: w.scan });
    expect(checkpoint).toMatchObject({ newObjects: 1, added: 1 });
    await other.close();
    await expectRestorable(many);
  });

  it("P6 C11 another process that has the index in memory reads nothing again afterwards", async () => {
    const { w } = await manyPacks();
    await rest();
    await w.save();
    const disk = new WatchedFileSystem();
    const other = await w.another({ fs: disk.fs });
    const again = { kind: "manual", trigger: "manual", scan: w.scan } as const;
    await other.save(again);
    await w.engine.gc();
    expect(packsIn(w, "packs")).toHaveLength(1);
    const read: string[] = [];
    disk.hook = ({ method, path }) => {
      if (method === "open" && path.startsWith(w.folder)) read.push(path);
    };
    await other.save(again);
    await other.close();
    expect(read).toEqual([]);
  });

  it("C8 a pack with something damaged stays as it is and is named; the others are merged", async () => {
    const { w } = await manyPacks();
    w.checkAfterwards = false;
    const victim = `${w.store}/packs/${packsIn(w, "packs")[7]}`;
    const bytes = fs.readFileSync(victim);
    bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
    fs.writeFileSync(victim, bytes);
    await w.engine.close();
    const results: Consolidation[] = [];
    const engine = await w.another({
      housekeeping: { idleMs: 0, onClose: true, onDone: (result) => results.push(result) },
    });
    await engine.rename("latest", "changed");
    await engine.close();
    const [result] = results;
    // Without it the tier of blob packs is as full as it was: the 33 others are merged.
    expect(result).toMatchObject({ mergedPacks: 2 * SAVES - 1 });
    expect(result?.damaged).toMatchObject([
      { id: victim.slice(-20, -4), message: expect.stringMatching(/is damaged/) },
    ]);
    expect(fs.readFileSync(victim).equals(bytes)).toBe(true);
    expect(packsIn(w, "packs")).toHaveLength(2);
    w.engine = await w.another();
    const { problems } = await w.engine.verify({ full: true });
    expect(new Set(problems.map((each) => each.part))).toEqual(new Set([victim.slice(w.store.length + 1)]));
  });

  it("an object that several packs hold is in one afterwards", async () => {
    const many = await manyPacks();
    const { w } = many;
    const { objects } = await w.engine.stats();
    const codecs = await loadCodecs();
    const twice = Buffer.from("version 3");
    const writer = new PackWriter({ fs: nodeFileSystem, codecs, folder: `${w.store}/packs`, nonce: "again" });
    writer.add(codecs.hash(twice), twice);
    writer.finish();
    await w.reopen();
    expect((await w.engine.stats()).objects).toBe(objects + 1);
    await w.engine.gc();
    expect((await w.engine.stats()).objects).toBe(objects);
    await expectRestorable(many);
  });

  it("a store whose packs are cut into parts keeps them so", async () => {
    const many = await manyPacks({}, 100);
    const { w } = many;
    await w.engine.gc();
    expect(packsIn(w, "packs")).toEqual([expect.stringMatching(/parts\.json$/)]);
    const parts = fs.readdirSync(`${w.store}/packs`).filter((name) => name.includes(".part-"));
    expect(parts.length).toBeGreaterThan(SAVES);
    for (const part of parts) expect(fs.statSync(`${w.store}/packs/${part}`).size).toBeLessThanOrEqual(100);
    await expectRestorable(many);
  });
});

function changes({ method, args }: Call): boolean {
  if (method === "open") return ((args[1] as number) & constants.O_CREAT) !== 0;
  return ["write", "fsync", "ftruncate", "rename", "unlink", "mkdir"].includes(method);
}
