/**
 * A catalog made anew, from what tells of checkpoints besides it:
 *
 *   1. `checkpoints.log` (see checkpointLog): each checkpoint with all that is known of it but the undo stack
 *   2. the damaged image itself, as far as SQLite can still read it: checkpoints that the log does not know
 *   3. the tree packs: a tree that no other tree names is the root of a state. One that neither of the others knows was
 *      saved last before a power cut, or belongs to a store whose log is lost; its name and time are not known
 *
 * All of 3 are taken for checkpoints: one too many can be deleted, one too few would make garbage of what it holds. The
 * damaged image is kept in `damaged/`.
 */
import { v7 as uuidv7 } from "uuid";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { makeFolders, publishFile, readWholeFile } from "../fs/publishFile";
import type { CheckpointRecord } from "../store/checkpointLog";
import type { Hash } from "../store/hash";
import { datName, manifestName } from "../store/packFiles";
import { readIntent } from "../store/restoreJournal";
import { CATALOG_FILE } from "../store/storeLayout";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { journalOf, type Operation, type Store } from "./context";
import { TreeStore } from "./treeStore";

/** How a checkpoint that only its trees tell of came into being. */
const FOUND_TRIGGER = "repair";
const FOUND_NOTE = "Found in the store when its catalog was made anew: its name and its exact time are not known.";

/** Where the checkpoints of a new catalog come from. Plain data. */
export interface CatalogPlan {
  /** Oldest first. */
  readonly records: readonly CheckpointRecord[];
  readonly nextNumber: number;
  /** A purge was not over (see `Catalog.owesSweep`). */
  readonly owesSweep: boolean;
  readonly fromLog: number;
  readonly fromImage: number;
  readonly fromTrees: number;
}

/** What a new catalog would hold. Reads all trees. Throws `newer-format` for a log of a later version. */
export function planCatalog(store: Store, operation: Operation): CatalogPlan {
  const logged = store.catalog.readLog();
  const records = new Map(logged?.records);
  const fromLog = records.size;
  // One whose id cannot be read right is known by its state and its time.
  const momentOf = ({ checkpoint }: CheckpointRecord): string => `${checkpoint.createdAt} ${checkpoint.rootTree}`;
  const moments = new Set([...records.values()].map(momentOf));
  for (const record of store.catalog.salvage()) {
    const { id } = record.checkpoint;
    const isKnown = records.has(id) || moments.has(momentOf(record));
    if (!isKnown && logged?.gone.has(id) !== true) records.set(id, record);
  }
  const fromImage = records.size - fromLog;
  // A line that is lost may be that of a checkpoint with just such a tree: restores go from and to checkpoints.
  const isWhole = logged !== undefined && logged.badLines === 0 && !logged.isTorn;
  const known = new Set(isWhole ? [...logged.trees, ...restoredTrees(store)] : []);
  for (const { checkpoint } of records.values()) known.add(checkpoint.rootTree as Hash);
  const found = unknownRoots(store, known, operation);
  const numbered = numberAnew([...records.values(), ...found]);
  const nextNumber = Math.max(logged?.nextNumber ?? 1, ...numbered.map(({ checkpoint }) => checkpoint.number + 1));
  const owesSweep = logged?.owesSweep ?? false;
  return { records: numbered, nextNumber, owesSweep, fromLog, fromImage, fromTrees: found.length };
}

/** Makes the new catalog and commits it. The caller holds the lock. After an error all is as it was. */
export function executeCatalogPlan(store: Store, plan: CatalogPlan): void {
  const { fs, layout, catalog } = store;
  const image = readWholeFile(fs, `${layout.folder}/${CATALOG_FILE}`);
  if (image !== undefined) {
    makeFolders(fs, layout.damaged);
    publishFile(fs, layout.damaged, `catalog-${store.now()}.sqlite`, image, store.nonce());
  }
  catalog.rebuild(plan.records, plan.nextNumber);
  catalog.owesSweep = plan.owesSweep;
  catalog.commit();
}

/** Both ends of an interrupted restore: no checkpoints, but recorded elsewhere. */
function restoredTrees(store: Store): Hash[] {
  try {
    const row = readIntent(journalOf(store))?.row;
    return row === undefined ? [] : [row.baseRoot, row.resultRoot];
  } catch (error) {
    if (!CheckpointError.is(error)) throw error;
    return []; // named by whoever looks at the journal
  }
}

/** States that only their trees tell of, oldest first. */
function unknownRoots(store: Store, known: ReadonlySet<Hash>, operation: Operation): CheckpointRecord[] {
  const trees = new TreeStore(store.treePacks);
  const all = new Map<Hash, number>();
  const named = new Set<Hash>();
  const ids = store.treePacks.ids();
  ids.forEach((id, i) => {
    operation.throwIfCancelled();
    operation.report({ phase: "verify", done: i, total: ids.length });
    const files = [datName(id), manifestName(id)].map((name) => store.fs.lstat(`${store.layout.trees}/${name}`));
    const at = Math.round(files.find((stat) => stat !== undefined)?.mtimeMs ?? 0);
    for (const { hash } of store.treePacks.entriesOf(id)) {
      const entries = entriesOrNot(trees, hash);
      if (entries === undefined) continue;
      all.set(hash, Math.min(at, all.get(hash) ?? at));
      for (const entry of entries) if (entry.type === TREE_DIRECTORY) named.add(entry.hash);
    }
  });
  return [...all]
    .filter(([hash]) => !named.has(hash) && !known.has(hash))
    .sort((a, b) => a[1] - b[1])
    .map(([hash, at]) => foundRecord(store, trees, hash, at));
}

function entriesOrNot(trees: TreeStore, hash: Hash): readonly TreeEntry[] | undefined {
  try {
    return trees.read(hash);
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
    return undefined; // the check that follows names it
  }
}

function foundRecord(store: Store, trees: TreeStore, rootTree: Hash, at: number): CheckpointRecord {
  const { files, bytes } = amountIn(trees, rootTree);
  const checkpoint: Checkpoint = {
    id: uuidv7({ msecs: at, random: store.random(16) }),
    number: 0,
    createdAt: at,
    kind: "import",
    trigger: FOUND_TRIGGER,
    name: null,
    note: FOUND_NOTE,
    pinned: false,
    parentId: null,
    rootTree,
    files,
    bytes,
    newObjects: 0,
    newBytes: 0,
    added: files,
    changed: 0,
    removed: 0,
    skipped: 0,
    branch: null,
    head: null,
    groupId: null,
  };
  return { checkpoint, rules: "{}", skipped: new Uint8Array() };
}

/** Files and links with their bytes, as far as the trees can be read. */
function amountIn(trees: TreeStore, tree: Hash): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const entry of entriesOrNot(trees, tree) ?? []) {
    if (entry.type === TREE_DIRECTORY) {
      const below = amountIn(trees, entry.hash);
      files += below.files;
      bytes += below.bytes;
    } else {
      files++;
      bytes += entry.size;
    }
  }
  return { files, bytes };
}

/** Those found without a number, or with another one's, get numbers above all others. */
function numberAnew(records: readonly CheckpointRecord[]): CheckpointRecord[] {
  const used = new Set<number>();
  let next = Math.max(0, ...records.map(({ checkpoint }) => checkpoint.number)) + 1;
  const numbered = records.map((record) => {
    const { number } = record.checkpoint;
    const isFree = number > 0 && !used.has(number);
    const kept = isFree ? number : next++;
    used.add(kept);
    return isFree ? record : { ...record, checkpoint: { ...record.checkpoint, number: kept } };
  });
  return numbered.sort((a, b) => a.checkpoint.number - b.checkpoint.number);
}
