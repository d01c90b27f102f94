/**
 * What purging does, as data: from which checkpoints which trees become which others, what of the catalog names the
 * paths, and which content goes by it. Preview, dry run and execution share it; making it changes nothing.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { PurgePlan } from "../../shared/purge";
import { lookAt } from "../fs/fileSystem";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { readIntent } from "../store/restoreJournal";
import type { RestoreRow } from "../store/restoreRows";
import { MAX_FOLDER_DEPTH, TREE_DIRECTORY, tooDeep } from "../store/tree";
import { toChanges } from "./changes";
import { journalOf, type Operation, type Store } from "./context";
import { diffTrees } from "./diffTrees";
import { naming } from "./namedDamage";
import { EVERYTHING, typedPaths } from "./pathSelection";
import { outermost, type Stripped, TreePurge } from "./purgeTrees";
import type { TreeStore } from "./treeStore";

/** Paths that hold the same bytes as one that goes: the first ones are enough to look for them. */
const MAX_LISTED_ELSEWHERE = 100;

/** A restore's row, and what becomes of it; without states it is dropped. */
export interface PurgedRestore {
  readonly row: RestoreRow;
  readonly states: Pick<RestoreRow, "baseRoot" | "resultRoot" | "files"> | undefined;
}

export interface PlannedPurge {
  readonly paths: readonly ByteString[];
  /** What each checkpoint's root becomes; those that stay as they are, too. */
  readonly roots: ReadonlyMap<string, Stripped>;
  readonly restores: readonly PurgedRestore[];
  /** To be published before anything names them. */
  readonly newTrees: ReadonlyMap<Hash, Uint8Array>;
  /** Knows these, too. */
  readonly trees: TreeStore;
  readonly answer: PurgePlan;
}

/**
 * Throws `usage` for the whole workspace and while a restore is interrupted (its journal needs both states as they are),
 * `damaged` for a checkpoint of which a folder listing cannot be read: whether it holds the paths could not be told.
 */
export function planPurge(store: Store, texts: readonly string[], operation: Operation): PlannedPurge {
  if (readIntent(journalOf(store)) !== undefined)
    throw new CheckpointError(
      "usage",
      "A restore was interrupted, and both of its states are still needed. Finish it or roll it back first, then purge.",
    );
  const { checkpoints } = store.catalog;
  const { paths, missing } = wantedPaths(store, texts);
  const purge = new TreePurge(store, paths);
  const roots = new Map<string, Stripped>();
  checkpoints.forEach((checkpoint, i) => {
    operation.throwIfCancelled();
    operation.report({ phase: "plan", done: i, total: checkpoints.length });
    roots.set(
      checkpoint.id,
      naming(checkpoint, () => purge.strip(checkpoint.rootTree as Hash)),
    );
  });
  const restores = store.catalog.restores().flatMap((row) => purgedRestore(store, purge, row) ?? []);
  const trees = store.trees.with(purge.newTrees);
  const holding = checkpoints.filter(({ id, rootTree }) => roots.get(id)?.tree !== rootTree);
  const found = paths.filter((path) => purge.found.has(path));
  const absent = paths.filter((path) => !purge.found.has(path));
  return {
    paths: found,
    roots,
    restores,
    newTrees: purge.newTrees,
    trees,
    answer: {
      paths: found.map(pathToText),
      missing: [...missing, ...absent.map(pathToText)],
      checkpoints: holding,
      versions: purge.versions,
      ...contentsThatGo(store, purge, trees, new Set([...roots.values()].map(({ tree }) => tree)), operation),
      endedRestores: restores.filter(({ states }) => states === undefined).length,
      present: found.filter((path) => lookAt(store.fs, store.root.os(path)) !== undefined).map(pathToText),
      owesSweep: store.catalog.owesSweep,
    },
  };
}

/** As typed; of a text that may be read in several ways the first reading that some checkpoint holds. */
function wantedPaths(
  store: Store,
  texts: readonly string[],
): { readonly paths: readonly ByteString[]; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const paths = texts.flatMap((text) => {
    const readings = typedPaths(text);
    if (readings.includes("" as ByteString))
      throw new CheckpointError(
        "usage",
        "The workspace itself cannot be purged. Name files or folders in it; to get rid of everything, delete the checkpoints.",
      );
    if (readings.length === 1) return readings;
    const held = readings.find((path) => isHeld(store, path));
    if (held === undefined) missing.push(text);
    return held === undefined ? [] : [held];
  });
  return { paths: outermost(paths), missing };
}

function isHeld({ catalog, trees }: Store, path: ByteString): boolean {
  return catalog.checkpoints.some(({ rootTree }: Checkpoint) => trees.find(rootTree as Hash, path) !== undefined);
}

/** Undefined: nothing of it names the paths. A row whose trees cannot be read is of no use to anybody. */
function purgedRestore(store: Store, purge: TreePurge, row: RestoreRow): PurgedRestore | undefined {
  try {
    const baseRoot = purge.strip(row.baseRoot as Hash).tree;
    const resultRoot = purge.strip(row.resultRoot as Hash).tree;
    if (baseRoot === row.baseRoot && resultRoot === row.resultRoot) return undefined;
    const trees = store.trees.with(purge.newTrees);
    const files = toChanges(trees, diffTrees(trees, baseRoot, resultRoot, EVERYTHING)).length;
    const wasAboutSomething = row.baseRoot !== row.resultRoot;
    return { row, states: files === 0 && wasAboutSomething ? undefined : { baseRoot, resultRoot, files } };
  } catch (error) {
    if (CheckpointError.is(error, "damaged")) return { row, states: undefined };
    throw error;
  }
}

/** Of what the paths hold: what nothing else holds, and where the rest is. */
function contentsThatGo(
  { blobs }: Store,
  purge: TreePurge,
  trees: TreeStore,
  roots: ReadonlySet<Hash>,
  operation: Operation,
): Pick<PurgePlan, "deadObjects" | "deadBytes" | "elsewhere"> {
  const others = new Map<Hash, ByteString>();
  const seen = new Set<Hash>();
  const visit = (tree: Hash, folder: ByteString, depth: number): void => {
    if (seen.has(tree)) return;
    if (depth > MAX_FOLDER_DEPTH) throw tooDeep();
    seen.add(tree);
    for (const entry of trees.read(tree)) {
      const path = joinPath(folder, entry.name);
      if (entry.type === TREE_DIRECTORY) visit(entry.hash, path, depth + 1);
      else if (purge.contents.has(entry.hash) && !others.has(entry.hash)) others.set(entry.hash, path);
    }
  };
  for (const root of roots) {
    operation.throwIfCancelled();
    visit(root, "" as ByteString, 0);
  }
  const dead = [...purge.contents.keys()].filter((hash) => !others.has(hash));
  return {
    deadObjects: dead.length,
    deadBytes: dead.reduce((sum, hash) => sum + (blobs.frameLength(hash) ?? 0), 0),
    elsewhere: {
      total: others.size,
      listed: [...others].slice(0, MAX_LISTED_ELSEWHERE).map(([hash, other]) => ({
        path: pathToText(purge.contents.get(hash) as ByteString),
        other: pathToText(other),
      })),
    },
  };
}
