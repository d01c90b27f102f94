/**
 * Puts one open store together. What it depends on (file system, clock, randomness, processes) is made here once and
 * handed down.
 */
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreAddress } from "../shared/api";
import { CheckpointError } from "../shared/errors";
import type { FileSystem } from "./fs/fileSystem";
import { nodeFileSystem } from "./fs/nodeFileSystem";
import { PathRoot } from "./fs/osPath";
import { currentProcess } from "./fs/processIdentity";
import { warmUpForScan } from "./ops/checkFolders";
import type { Store } from "./ops/context";
import { LastScan } from "./ops/lastScan";
import { ListedChanges } from "./ops/listedChanges";
import { TreeStore } from "./ops/treeStore";
import { LanePool } from "./pipeline/lanes";
import { FileIndex } from "./scan/fileIndex";
import { Catalog } from "./store/catalog";
import { loadCodecs } from "./store/codecs";
import { adoptMovedStore } from "./store/movedStore";
import { openPackSet } from "./store/packSet";
import { loadSqlite } from "./store/sqlite";
import { locateStore, readDescription } from "./store/storeLayout";

export interface StoreOptions {
  /** Bundle of `lane.ts`; absent = everything on this thread. */
  readonly laneScript?: string;
  /** Called before lanes are given work that goes on for long: for programs that can spare memory then. */
  readonly onBulk?: () => void;
  readonly laneCount?: number;
  readonly sqlWasmPath: string;
  readonly lockTimeoutMs?: number;
  /** The first operation looks at the whole workspace: threads that help with it start while the rest is opened. */
  readonly scansSoon?: boolean;
  /** Replaced by tests. */
  readonly fs?: FileSystem;
  readonly now?: () => number;
  readonly localOffsetMs?: (at: number) => number;
}

const LOCK_TIMEOUT_MS = 30_000;
/** More lanes than this only compete for the disk and for memory. */
const MAX_LANES = 8;

/** Opens what `openEngine` works on, and rejects as that does. */
export async function openStore(address: StoreAddress, options: StoreOptions): Promise<Store> {
  const fs = options.fs ?? nodeFileSystem;
  const [sqlite, codecs] = await Promise.all([loadSqlite(fs, options.sqlWasmPath), loadCodecs()]);
  const layout = locateStore(fs, codecs, address.folder, address.storeRoot);
  const nonce = (): string => randomBytes(8).toString("hex");
  const waiting = {
    identity: currentProcess(),
    now: options.now ?? Date.now,
    sleep: (ms: number) => sleep(ms),
    lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
  };
  await adoptMovedStore({ fs, nonce, ...waiting }, layout);
  refuseNewer(fs, layout.folder);
  const laneCount = Math.min(options.laneCount ?? availableParallelism(), MAX_LANES);
  const lanes =
    options.laneScript === undefined || laneCount < 1
      ? undefined
      : new LanePool(options.laneScript, laneCount, options.onBulk);
  if (options.scansSoon) warmUpForScan(fs, layout, lanes);
  const blobs = openPackSet({ fs, codecs, folder: layout.packs });
  const treePacks = openPackSet({ fs, codecs, folder: layout.trees });
  const catalog = Catalog.openAnyhow({ fs, codecs, sqlite, nonce }, layout.folder);
  return {
    fs,
    codecs,
    ...waiting,
    localOffsetMs: options.localOffsetMs ?? ((at) => -new Date(at).getTimezoneOffset() * 60_000),
    random: randomBytes,
    lanes,
    ignoreCase: process.platform === "win32" || process.platform === "darwin",
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

/**
 * Only a newer version's store is not opened. One that is damaged is, even without a usable catalog: that is how it can be
 * verified and repaired. All else that is asked of it says what is wrong.
 */
function refuseNewer(fs: FileSystem, folder: string): void {
  try {
    readDescription(fs, folder);
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
  }
}
