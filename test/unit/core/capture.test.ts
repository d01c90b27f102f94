import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { type Capture, captureWorkspace, rememberCapture } from "../../../src/core/ops/capture";
import { Operation, type Store } from "../../../src/core/ops/context";
import type { LastScan } from "../../../src/core/ops/lastScan";
import type { FileIndex } from "../../../src/core/scan/fileIndex";
import type { Hash } from "../../../src/core/store/hash";
import type { PackSet } from "../../../src/core/store/packSet";
import type { ByteString } from "../../../src/shared/pathText";
import { expectAsInNewStore } from "../../support/newStore";
import { rest } from "../../support/rest";
import { openTestEngine, type TestWorkspace } from "../../support/testEngine";

const quiet = new Operation(
  () => {},
  () => false,
);

const storeOf = (w: TestWorkspace): Store => (w.engine as unknown as { store: Store }).store;

const recalled = (lastScan: LastScan, index: FileIndex, w: TestWorkspace) =>
  lastScan.recall(w.scan, index.generation, Date.now());

describe("what was captured", () => {
  it("C7 is relied on only if the index took it", async () => {
    const w = await openTestEngine({ a: "1", d: { b: "1" } });
    await w.save();
    await rest();
    await w.save();
    const store = storeOf(w);
    const { index, lastScan } = store;
    w.write("d/b", "2");
    const options = { scan: w.scan, store: false, chunkBytes: 0 };
    const capture: Capture = await captureWorkspace(store, options, quiet);
    expect(recalled(lastScan, index, w)).toBeDefined();
    // Its patch is of a record that is gone: the index finds that it was made from other records than it has.
    index.apply({ patches: [], dropped: ["d" as ByteString] });
    rememberCapture(store, capture);
    expect(index.isEmpty).toBe(true);
    expect(recalled(lastScan, index, w)).toBeUndefined();
    await w.checkpoint();
    await expectAsInNewStore(w);
  });

  it("C12 leaves nothing behind when it is cancelled just as the index turns out to be stale", async () => {
    const w = await openTestEngine({ a: "1" });
    await w.save();
    await rest();
    await w.save();
    const store = storeOf(w);
    const packs = fs.readdirSync(`${w.store}/packs`);
    w.write("b", "2");
    let isCancelled = false;
    const has = (hash: Hash): boolean => {
      // Of "a", which the index vouches for: by then "b" has been read.
      isCancelled ||= store.blobs.has(hash);
      return false;
    };
    const blobs = Object.assign(Object.create(store.blobs) as PackSet, { has });
    const operation = new Operation(
      () => {},
      () => isCancelled,
    );
    const capturing = captureWorkspace({ ...store, blobs }, { scan: w.scan, store: true, chunkBytes: 0 }, operation);
    await expect(capturing).rejects.toMatchObject({ code: "cancelled" });
    expect(isCancelled).toBe(true);
    expect(fs.readdirSync(`${w.store}/packs`)).toEqual(packs);
  });
});
