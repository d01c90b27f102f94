/** A store opened from parts that are loaded once: for tests that open one a thousand times. */
import { randomBytes } from "node:crypto";
import type { FileSystem } from "../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import { PathRoot } from "../../src/core/fs/osPath";
import { currentProcess } from "../../src/core/fs/processIdentity";
import { Operation, type Store } from "../../src/core/ops/context";
import { LastScan } from "../../src/core/ops/lastScan";
import { ListedChanges } from "../../src/core/ops/listedChanges";
import { TreeStore } from "../../src/core/ops/treeStore";
import { FileIndex } from "../../src/core/scan/fileIndex";
import { Catalog } from "../../src/core/store/catalog";
import { loadCodecs } from "../../src/core/store/codecs";
import { openPackSet } from "../../src/core/store/packSet";
import { loadSqlite } from "../../src/core/store/sqlite";
import { locateStore } from "../../src/core/store/storeLayout";

const codecs = await loadCodecs();
const sqlite = await loadSqlite(nodeFileSystem, new URL("../../dist/sql-wasm.wasm", import.meta.url).pathname);

/** Syncing is what a test of a thousand stores would spend its time with. */
export const unsyncedFileSystem: FileSystem = { ...nodeFileSystem, fsync: () => {} };

export const quietOperation = new Operation(
  () => {},
  () => false,
);

/** As `openStore` does it, but for lanes. The caller closes it with `closeBareStore`. */
export function openBareStore(folder: string, storeRoot: string, fs: FileSystem = unsyncedFileSystem): Store {
  const layout = locateStore(fs, codecs, folder, storeRoot);
  const nonce = (): string => randomBytes(8).toString("hex");
  const blobs = openPackSet({ fs, codecs, folder: layout.packs });
  const treePacks = openPackSet({ fs, codecs, folder: layout.trees });
  const catalog = Catalog.openAnyhow({ fs, codecs, sqlite, nonce }, layout.folder);
  return {
    fs,
    codecs,
    identity: currentProcess(),
    now: Date.now,
    localOffsetMs: () => 0,
    random: randomBytes,
    sleep: async () => {},
    lockTimeoutMs: 0,
    lanes: undefined,
    ignoreCase: false,
    layout,
    root: new PathRoot(layout.workspace),
    blobs,
    treePacks,
    trees: new TreeStore(treePacks),
    catalog,
    listedChanges: new ListedChanges(catalog),
    index: FileIndex.open(fs, codecs, layout.index, nonce, (afresh) => {
      if (afresh) for (const packs of [blobs, treePacks]) packs.forgetSizes();
      return [...blobs.stamps(), ...treePacks.stamps()];
    }),
    lastScan: new LastScan(),
    nonce,
  };
}

export function closeBareStore(store: Store): void {
  store.blobs.close();
  store.treePacks.close();
  store.catalog.close();
}
