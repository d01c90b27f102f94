/** Questions about checkpoints that change nothing. */
import type {
  Change,
  ChangeKind,
  CheckpointDetail,
  DiffResult,
  EntryState,
  FileVersion,
  TreeEntry as PublicTreeEntry,
  Side,
} from "../../shared/changes";
import type { Checkpoint, Ref } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { ScanOptions, Skipped } from "../../shared/saves";
import type { StoreStats } from "../../shared/upkeep";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { captureWorkspace } from "./capture";
import { entryState, toChanges } from "./changes";
import type { Operation, Store } from "./context";
import { diffTrees } from "./diffTrees";
import { freeDiskBytes } from "./freeDisk";
import { EVERYTHING, selectPaths, typedPaths } from "./pathSelection";
import { resolveRef } from "./refs";
import { scanRecordOf } from "./scanRecord";
import type { TreeStore } from "./treeStore";

export function show(store: Store, ref: Ref, limit: number): CheckpointDetail {
  const checkpoint = resolveRef(store.catalog.checkpoints, ref);
  const changes = changesOf(store, checkpoint);
  return {
    checkpoint,
    changes: changes.slice(0, limit),
    totalChanges: changes.length,
    skipped: store.catalog.skippedOf(checkpoint.id).listed,
  };
}

/** What the newest checkpoint was scanned with; imported ones do not say. */
export function newestScanOptions({ catalog }: Store): ScanOptions | null {
  for (const checkpoint of newestFirst(catalog)) {
    const { useGitignore, includeDependencies, exclude, maxFileBytes, secrets } = scanRecordOf({ catalog }, checkpoint);
    if (useGitignore === undefined || includeDependencies === undefined || maxFileBytes === undefined) continue;
    const told = { useGitignore, includeDependencies, exclude: exclude ?? [], maxFileBytes };
    return secrets === undefined ? told : { ...told, secrets };
  }
  return null;
}

/** The others are read only if the newest does not do. */
function* newestFirst(catalog: Store["catalog"]): Iterable<Checkpoint> {
  const { latest } = catalog;
  if (latest === undefined) return;
  yield latest;
  yield* catalog.checkpoints;
}

/** What a checkpoint changed against the one before it. */
export function changesOf(store: Store, checkpoint: Checkpoint): readonly Change[] {
  const listed = store.catalog.changesOf(checkpoint.id);
  if (listed !== undefined) return listed;
  const parent = store.catalog.checkpoints.find((each) => each.id === checkpoint.parentId);
  const before = parent?.rootTree as Hash | undefined;
  return toChanges(store.trees, diffTrees(store.trees, before, checkpoint.rootTree as Hash, EVERYTHING));
}

export async function diff(
  store: Store,
  from: Side,
  to: Side,
  paths: readonly string[] | undefined,
  operation: Operation,
): Promise<DiffResult> {
  const skipped: Skipped[] = [];
  const unstored = new Map<Hash, Uint8Array>();
  const rootOf = async (side: Side): Promise<Hash> => {
    if ("ref" in side) return resolveRef(store.catalog.checkpoints, side.ref).rootTree as Hash;
    const capture = await captureWorkspace(store, { scan: side.workspace, store: false, chunkBytes: 0 }, operation);
    skipped.push(...capture.skipped);
    for (const [hash, bytes] of capture.newTrees) unstored.set(hash, bytes);
    return capture.rootTree;
  };
  const before = await rootOf(from);
  const after = await rootOf(to);
  const trees: TreeStore = unstored.size === 0 ? store.trees : store.trees.with(unstored);
  return { changes: toChanges(trees, diffTrees(trees, before, after, selectPaths(paths))), skipped };
}

export function stat(store: Store, ref: Ref, path: string): EntryState {
  return entryState(findEntry(store, resolveRef(store.catalog.checkpoints, ref), path));
}

export function readDirectory(store: Store, ref: Ref, path: string): PublicTreeEntry[] {
  const entry = findEntry(store, resolveRef(store.catalog.checkpoints, ref), path);
  if (entry.type !== TREE_DIRECTORY)
    throw new CheckpointError("not-found", `"${path}" is not a folder in that checkpoint.`);
  return store.trees.read(entry.hash).map((each) => ({ ...entryState(each), name: pathToText(each.name) }));
}

export function readFile(store: Store, ref: Ref, path: string): Uint8Array {
  const entry = findEntry(store, resolveRef(store.catalog.checkpoints, ref), path);
  if (entry.type === TREE_DIRECTORY)
    throw new CheckpointError("not-found", `"${path}" is a folder in that checkpoint; name a file.`);
  const content = store.blobs.read(entry.hash);
  if (content === undefined)
    throw new CheckpointError("damaged", `The content of "${path}" is missing from the store. Run "Verify Store".`, {
      details: { path },
    });
  return content;
}

function findEntry(store: Store, checkpoint: Checkpoint, path: string): TreeEntry {
  const root = checkpoint.rootTree as Hash;
  for (const candidate of typedPaths(path)) {
    if (candidate === "") return { type: TREE_DIRECTORY, mode: 0o755, size: 0, hash: root, name: candidate };
    const entry = store.trees.find(root, candidate);
    if (entry !== undefined) return entry;
  }
  throw new CheckpointError("not-found", `"${path}" is not in checkpoint #${checkpoint.number}. Check the path.`, {
    details: { path },
  });
}

/**
 * Versions of a path, newest first: each checkpoint in which its content, type or mode differs from the one before. A
 * folder counts as different when anything in it is.
 *
 * Trees are read only where the catalog's lists of changes do not tell: of 1,000 checkpoints they would be a few
 * thousand, each in another pack.
 */
export function history(store: Store, path: string, limit: number, before: number | undefined): FileVersion[] {
  const candidates = typedPaths(path).filter((each) => each !== "");
  // A path that may be read in several ways has no one text to look for in the lists.
  const listedPath = candidates.length === 1 ? pathToText(candidates[0] as ByteString) : undefined;
  const { checkpoints } = store.catalog;
  const stateIn = stateReader(store.trees, candidates);
  const versions: FileVersion[] = [];
  for (let i = 0; i < checkpoints.length && versions.length < limit; i++) {
    const checkpoint = checkpoints[i] as Checkpoint;
    const older = checkpoints[i + 1];
    if (before !== undefined && checkpoint.number >= before) continue;
    // Equal roots hold equal files: most automatic neighbours differ, but safety checkpoints and renames often do not.
    if (older?.rootTree === checkpoint.rootTree) continue;
    const listed = listedPath === undefined ? "unknown" : listedChange(store, i, listedPath);
    if (listed === "none") continue;
    if (typeof listed === "object") {
      const { kind, after } = listed;
      versions.push({ checkpoint, kind, ...(after === undefined ? {} : { state: after }) });
      continue;
    }
    const state = stateIn(checkpoint);
    const kind = listed === "within" ? "changed" : changeKind(stateIn(older), state);
    if (kind !== undefined)
      versions.push({ checkpoint, kind, ...(state === undefined ? {} : { state: entryState(state) }) });
  }
  return versions;
}

/**
 * What the list of the checkpoint at `i` says about a path: what happened to it; that nothing did; that something in it
 * changed, so that it was a folder and still is ("within"); or "unknown": there is no list against the one before, or
 * something in the path came or went, and with it maybe the path itself.
 */
function listedChange(
  { catalog, listedChanges }: Store,
  i: number,
  path: string,
): Change | "none" | "within" | "unknown" {
  const { checkpoints } = catalog;
  const older = checkpoints[i + 1];
  if (older === undefined || checkpoints[i]?.parentId !== older.id) return "unknown";
  const changes = listedChanges.of(i, path);
  if (changes === undefined) return "unknown";
  let found: "none" | "within" | "unknown" = "none";
  for (const change of changes) {
    if (!change.path.startsWith(path)) continue;
    if (change.path.length === path.length) return change;
    if (change.path[path.length] !== "/") continue;
    if (change.before !== undefined && change.after !== undefined) found = "within";
    else if (found === "none") found = "unknown";
  }
  return found;
}

/** Reads what lies at a path that may be spelled in several ways. Remembers its last answer: neighbours ask twice. */
function stateReader(
  trees: TreeStore,
  paths: readonly ByteString[],
): (checkpoint: Checkpoint | undefined) => TreeEntry | undefined {
  let last: { readonly root: string; readonly entry: TreeEntry | undefined } | undefined;
  return (checkpoint) => {
    if (checkpoint === undefined) return undefined;
    const root = checkpoint.rootTree as Hash;
    if (last?.root !== root) {
      let entry: TreeEntry | undefined;
      for (const path of paths) entry ??= trees.find(root, path);
      last = { root, entry };
    }
    return last.entry;
  };
}

function changeKind(before: TreeEntry | undefined, after: TreeEntry | undefined): ChangeKind | undefined {
  if (before === undefined) return after === undefined ? undefined : "added";
  if (after === undefined) return "removed";
  if (before.type !== after.type) return "typeChanged";
  return before.hash === after.hash && before.mode === after.mode ? undefined : "changed";
}

export function stats(store: Store): StoreStats {
  const { catalog, blobs, treePacks, index, layout } = store;
  const bytes = {
    packBytes: blobs.bytes,
    treeBytes: treePacks.bytes,
    indexBytes: index.bytes,
    catalogBytes: catalog.bytes,
  };
  return {
    folder: layout.folder,
    checkpoints: catalog.checkpoints.length,
    packs: blobs.list().length + treePacks.list().length,
    objects: blobs.entryCount + treePacks.entryCount,
    ...bytes,
    totalBytes: Object.values(bytes).reduce((sum, each) => sum + each, 0),
    freeDiskBytes: freeDiskBytes(store),
    oldest: catalog.checkpoints.at(-1)?.createdAt ?? null,
    newest: catalog.latest?.createdAt ?? null,
  };
}
