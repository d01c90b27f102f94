/** What content is in use, told by the trees: what freeing space, planning that, and counting have in common. */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { Hash } from "../store/hash";
import { ENTRY_HEADER_BYTES } from "../store/packHeaders";
import { readIntent } from "../store/restoreJournal";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import { journalOf, type Operation, type Store } from "./context";
import { type PackKind, packsOf } from "./packRewrite";

/** Content in use. */
export interface Marks {
  readonly blobs: Set<Hash>;
  readonly trees: Set<Hash>;
}

export const noMarks = (): Marks => ({ blobs: new Set(), trees: new Set() });

type ReadTree = (tree: Hash) => readonly TreeEntry[];

/**
 * Adds what these states use to `marks` and answers how many bytes of the packs that is, as far as `marks` did not hold
 * it. Throws `damaged` for a tree that cannot be read, unless `read` knows better: what it names could not be told from
 * garbage.
 */
export function markUsed(
  store: Store,
  marks: Marks,
  roots: readonly Hash[],
  operation: Operation,
  read: ReadTree = (tree) => store.trees.read(tree),
): number {
  let bytes = 0;
  const add = (kind: PackKind, hash: Hash): void => {
    marks[kind].add(hash);
    bytes += storedBytes(store, kind, hash);
  };
  const visit = (root: Hash): void => {
    // No recursion: what is forged deeper than any stack can still be deleted.
    const open = [root];
    for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
      if (marks.trees.has(tree)) continue;
      add("trees", tree);
      for (const entry of read(tree)) {
        if (entry.type === TREE_DIRECTORY) open.push(entry.hash);
        else if (!marks.blobs.has(entry.hash)) add("blobs", entry.hash);
      }
    }
  };
  roots.forEach((root, i) => {
    operation.throwIfCancelled();
    operation.report({ phase: "gc", done: i, total: roots.length });
    visit(root);
  });
  operation.throwIfCancelled();
  return bytes;
}

/** What an object takes in its pack; 0 for one that no pack has. */
function storedBytes(store: Store, kind: PackKind, hash: Hash): number {
  const length = packsOf(store, kind).frameLength(hash);
  return length === undefined ? 0 : length + ENTRY_HEADER_BYTES;
}

/** What stays when the checkpoints in `gone` go: the others, and both ends of a restore that was interrupted. */
export function usedRoots(store: Store, gone: ReadonlySet<string> = new Set()): Hash[] {
  const row = readIntent(journalOf(store))?.row;
  const kept = store.catalog.checkpoints.filter((each) => !gone.has(each.id));
  return [...kept.map(rootOf), ...(row === undefined ? [] : [row.baseRoot, row.resultRoot])];
}

export const rootOf = ({ rootTree }: Checkpoint): Hash => rootTree as Hash;

/** A tree's entries; none if it is damaged. Only for what may go, or is of no use without it. */
export function readableEntries(store: Store, tree: Hash): readonly TreeEntry[] {
  try {
    return store.trees.read(tree);
  } catch (error) {
    if (CheckpointError.is(error, "damaged")) return [];
    throw error;
  }
}

/**
 * Undo and redo go by the trees of their rows, whatever checkpoints were deleted since: these stay, not their content.
 * A row with a damaged tree cannot be undone any more; it must not keep everything else from being freed. Answers what
 * they take, as far as `marks` did not hold them.
 */
export function markRestored(store: Store, marks: Marks): number {
  let bytes = 0;
  const visit = (root: Hash): void => {
    const open = [root];
    for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
      if (marks.trees.has(tree)) continue;
      marks.trees.add(tree);
      bytes += storedBytes(store, "trees", tree);
      for (const entry of readableEntries(store, tree)) if (entry.type === TREE_DIRECTORY) open.push(entry.hash);
    }
  };
  for (const { baseRoot, resultRoot } of store.catalog.restores())
    for (const root of [baseRoot, resultRoot]) visit(root as Hash);
  return bytes;
}
