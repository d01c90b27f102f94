/**
 * Folder listings that the store has lost, made anew. A tree is what it is named for or it is not, so guesses cost
 * nothing but time: the tree of a checkpoint is what its neighbour's becomes by the list of what changed between the two.
 */
import type { Change, EntryState } from "../../shared/changes";
import { ENTRY_TYPES } from "../../shared/changes";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { type ByteString, textToPaths } from "../../shared/pathText";
import { baseName, parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, type TreeEntryType } from "../store/tree";
import type { Operation, Store } from "./context";
import { type EditedTree, editTree, type TreeEdit } from "./treeEdit";
import { TreeStore } from "./treeStore";

/** The trees among `lost` that checkpoints beside them tell of. Reads; writes nothing. */
export function treesFromNeighbours(
  store: Store,
  lost: ReadonlySet<Hash>,
  operation: Operation,
): Map<Hash, Uint8Array> {
  const found = new Map<Hash, Uint8Array>();
  const { checkpoints } = store.catalog;
  const byId = new Map(checkpoints.map((each) => [each.id, each]));
  const open = new Set(checkpoints.filter((each) => !isWhole(trees(), each.rootTree as Hash, lost)));
  // Each that is found may tell of the next one.
  for (let before = -1; before !== found.size && open.size > 0; ) {
    before = found.size;
    for (const child of checkpoints) {
      const parent = child.parentId === null ? undefined : byId.get(child.parentId);
      if (parent === undefined || open.has(parent) === open.has(child)) continue;
      operation.throwIfCancelled();
      const [target, source] = open.has(child) ? [child, parent] : [parent, child];
      if (tell(target, source, child, target === child ? "after" : "before")) open.delete(target);
    }
  }
  return found;

  function trees(): TreeStore {
    return new TreeStore(store.treePacks).with(found);
  }

  /** True: `target` is whole again. */
  function tell(target: Checkpoint, source: Checkpoint, child: Checkpoint, side: "before" | "after"): boolean {
    try {
      const edits = editsOf(store.catalog.changesOf(child.id), side);
      if (edits === undefined) return false;
      const plain = editTree(store, trees(), source.rootTree as Hash, edits);
      const edited =
        plain.root === target.rootTree ? plain : withoutEmptied(store, trees(), source.rootTree as Hash, edits, plain);
      if (edited.root !== target.rootTree) return false;
      for (const [hash, bytes] of edited.newTrees) if (lost.has(hash)) found.set(hash, bytes);
      return true;
    } catch (error) {
      if (!CheckpointError.is(error, "damaged") && !CheckpointError.is(error, "internal")) throw error;
      return false; // the neighbour, or the list, is not whole either
    }
  }
}

/**
 * Lists name no folder that came or went with what is in it: one that the edits emptied is taken out as well, with those
 * that become empty by that.
 */
function withoutEmptied(
  store: Store,
  trees: TreeStore,
  root: Hash,
  edits: readonly TreeEdit[],
  plain: EditedTree,
): EditedTree {
  const all = [...edits];
  let edited = plain;
  for (;;) {
    const view = trees.with(edited.newTrees);
    const folders = new Set(all.filter(({ after }) => after === undefined).map(({ path }) => parentPath(path)));
    const emptied = [...folders].filter((path) => path !== "" && isEmptied(view, edited.root, path));
    if (emptied.length === 0) return edited;
    all.push(...emptied.map((path) => ({ path, after: undefined })));
    edited = editTree(store, trees, root, all);
  }
}

function isEmptied(trees: TreeStore, root: Hash, path: ByteString): boolean {
  const entry = trees.find(root, path);
  return entry?.type === TREE_DIRECTORY && trees.read(entry.hash).length === 0;
}

function isWhole(trees: TreeStore, tree: Hash, lost: ReadonlySet<Hash>, seen = new Set<Hash>()): boolean {
  if (seen.has(tree)) return true;
  seen.add(tree);
  if (lost.has(tree)) return false;
  try {
    return trees.read(tree).every((entry) => entry.type !== TREE_DIRECTORY || isWhole(trees, entry.hash, lost, seen));
  } catch (error) {
    if (!CheckpointError.is(error)) throw error;
    return false;
  }
}

/** Undefined: there is no list, or a path in it can be read in several ways. */
function editsOf(changes: readonly Change[] | undefined, side: "before" | "after"): TreeEdit[] | undefined {
  const edits: TreeEdit[] = [];
  if (changes === undefined) return undefined;
  for (const change of changes) {
    const paths = textToPaths(change.path.replace(/\/$/, ""));
    const [path] = paths;
    if (path === undefined || paths.length > 1) return undefined;
    edits.push({ path, after: entryOf(path, change[side]) });
  }
  return edits;
}

function entryOf(path: ByteString, state: EntryState | undefined): TreeEdit["after"] {
  if (state === undefined) return undefined;
  const type = ENTRY_TYPES.indexOf(state.type) as TreeEntryType;
  return { type, mode: state.mode, size: state.size, hash: state.hash as Hash, name: baseName(path) };
}
