/** Questions about checkpoints that change nothing. */
import type {
  Change,
  Checkpoint,
  CheckpointDetail,
  DiffResult,
  EntryState,
  FileVersion,
  TreeEntry as PublicTreeEntry,
  Ref,
  ScanOptions,
  Side,
  Skipped,
  StoreStats,
} from "../../shared/api";
import { CheckpointError } from "../../shared/errors";
import { type ByteString, pathToText, textToPaths } from "../../shared/pathText";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { captureWorkspace } from "./capture";
import { entryState, toChanges } from "./changes";
import type { Operation, Store } from "./context";
import { diffTrees } from "./diffTrees";
import { EVERYTHING, selectPaths } from "./pathSelection";
import { resolveRef } from "./refs";
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
  for (const { id } of catalog.checkpoints) {
    const { useGitignore, includeDependencies, exclude, maxFileBytes } = JSON.parse(
      catalog.rulesOf(id),
    ) as Partial<ScanOptions>;
    if (useGitignore === undefined || includeDependencies === undefined || maxFileBytes === undefined) continue;
    return { useGitignore, includeDependencies, exclude: exclude ?? [], maxFileBytes };
  }
  return null;
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
  const text = path.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
  if (text === "" || text === ".")
    return { type: TREE_DIRECTORY, mode: 0o755, size: 0, hash: root, name: "" as ByteString };
  for (const candidate of textToPaths(text)) {
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
 */
export function history(store: Store, path: string, limit: number, before: number | undefined): FileVersion[] {
  const candidates = textToPaths(path.replace(/^(\.?\/)+/, "").replace(/\/+$/, ""));
  const { checkpoints } = store.catalog;
  const stateIn = (checkpoint: Checkpoint | undefined): TreeEntry | undefined => {
    if (checkpoint === undefined) return undefined;
    const root = checkpoint.rootTree as Hash;
    for (const candidate of candidates) {
      const entry = candidate === "" ? undefined : store.trees.find(root, candidate);
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  const versions: FileVersion[] = [];
  let state = stateIn(checkpoints[0]);
  for (let i = 0; i < checkpoints.length && versions.length < limit; i++) {
    const checkpoint = checkpoints[i] as Checkpoint;
    const older = checkpoints[i + 1];
    // Equal roots hold equal files: most automatic neighbours differ, but safety checkpoints and renames often do not.
    const earlier = older?.rootTree === checkpoint.rootTree ? state : stateIn(older);
    const same = state?.hash === earlier?.hash && state?.mode === earlier?.mode && state?.type === earlier?.type;
    if (!same && (before === undefined || checkpoint.number < before))
      versions.push({
        checkpoint,
        kind:
          earlier === undefined
            ? "added"
            : state === undefined
              ? "removed"
              : state.type === earlier.type
                ? "changed"
                : "typeChanged",
        ...(state === undefined ? {} : { state: entryState(state) }),
      });
    state = earlier;
  }
  return versions;
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
    oldest: catalog.checkpoints.at(-1)?.createdAt ?? null,
    newest: catalog.latest?.createdAt ?? null,
  };
}
