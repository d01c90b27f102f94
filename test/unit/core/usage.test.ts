import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";

describe("where the room goes", () => {
  it("counts each content once, by the path that has it in the newest checkpoint", async () => {
    const random = new Random(31);
    const one = random.bytes(9_000);
    const w = await openTestEngine({ old: one, d: { log: random.bytes(20_000), small: "s" } });
    await w.checkpoint();
    fs.renameSync(w.path("old"), w.path("renamed"));
    fs.copyFileSync(w.path("renamed"), w.path("zcopy"));
    w.write("d/log", random.bytes(20_000));
    await w.checkpoint();
    w.write("d/log", random.bytes(20_000));
    await w.checkpoint();
    const usage = await w.engine.usage({ limit: 2 });
    expect(usage.largest).toMatchObject([
      { path: "d/log", versions: 3 },
      { path: "renamed", versions: 1 },
    ]);
    expect(usage.paths).toBe(3);
    expect(usage.largest[0]?.bytes).toBeGreaterThan(60_000);
    expect(usage.largest[0]?.bytes).toBeLessThan(61_000);
    // All contents there are, without what packs take for themselves.
    const { packBytes } = await w.engine.stats();
    expect(usage.bytes).toBeGreaterThan(packBytes - 500);
    expect(usage.bytes).toBeLessThan(packBytes);
  });

  it("can be stopped", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.checkpoint();
    const stopped = w.engine.observed({ isCancelled: () => true });
    await expect(stopped.usage({ limit: 5 })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("stores below the storage root", () => {
  it("are listed with what they take and whose they are, and one whose folder is gone can be deleted", async () => {
    const storeRoot = tempFolder("store");
    const w = await openTestEngine({ a: "1" }, { storeRoot });
    await w.checkpoint();
    const other = await openTestEngine({ b: new Random(32).bytes(50_000) }, { storeRoot });
    other.checkAfterwards = false;
    await other.checkpoint();
    await other.engine.close();
    const [first, second] = await w.engine.stores();
    expect(first).toMatchObject({ workspace: other.folder, state: "other", changedAt: expect.any(Number) });
    expect(second).toMatchObject({ workspace: w.folder, state: "open" });
    expect(first?.bytes).toBeGreaterThan(50_000);
    // Neither the one that is open nor one whose folder is there.
    for (const each of [first, second])
      await expect(w.engine.deleteStore(each?.id ?? "")).rejects.toMatchObject({ code: "usage" });
    fs.renameSync(other.folder, `${other.folder}-away`);
    try {
      expect(await w.engine.stores()).toMatchObject([{ state: "gone" }, { state: "open" }]);
      expect(await w.engine.deleteStore(first?.id ?? "")).toBeGreaterThan(50_000);
    } finally {
      fs.rmSync(`${other.folder}-away`, { recursive: true });
    }
    expect(fs.readdirSync(`${storeRoot}/stores`)).toEqual([second?.id]);
    await expect(w.engine.deleteStore(first?.id ?? "")).rejects.toMatchObject({ code: "not-found" });
    await expect(w.engine.deleteStore("../x")).rejects.toMatchObject({ code: "not-found" });
  });

  it("a store that does not say whose it is stays, and what a crash left of a deleted one goes with the next", async () => {
    const storeRoot = tempFolder("store");
    const w = await openTestEngine({ a: "1" }, { storeRoot });
    await w.checkpoint();
    const stores = `${storeRoot}/stores`;
    fs.mkdirSync(`${stores}/00112233445566aa/packs`, { recursive: true });
    fs.mkdirSync(`${stores}/.checkpoint-tmp-0011223344556677-x/packs`, { recursive: true });
    fs.writeFileSync(`${stores}/.checkpoint-tmp-0011223344556677-x/packs/pack`, "x");
    fs.mkdirSync(`${stores}/0011223344556677`);
    fs.writeFileSync(
      `${stores}/0011223344556677/store.json`,
      JSON.stringify({ formatVersion: 1, workspace: `${storeRoot}/nowhere`, root: "1:1", rootBorn: 1 }),
    );
    await expect(w.engine.deleteStore("00112233445566aa")).rejects.toMatchObject({ code: "usage" });
    await w.engine.deleteStore("0011223344556677");
    expect(fs.readdirSync(stores).sort()).toEqual(["00112233445566aa", (await w.engine.stores())[0]?.id].sort());
    fs.rmSync(`${stores}/00112233445566aa`, { recursive: true });
  });
});
