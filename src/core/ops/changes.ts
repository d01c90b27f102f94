/** Tree differences in the words of the public API. */
import { type Change, type ChangeKind, ENTRY_TYPES, type EntryState } from "../../shared/changes";
import { CheckpointError } from "../../shared/errors";
import { pathToText } from "../../shared/pathText";
import { type Differences, MAX_LISTED_CHANGES } from "../store/changeList";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, TreeCursor, type TreeEntry } from "../store/tree";
import { forEachDifference, type TreeChange } from "./diffTrees";
import type { TreeStore } from "./treeStore";

export function entryState(entry: TreeEntry): EntryState {
  return { type: ENTRY_TYPES[entry.type], mode: entry.mode, size: entry.size, hash: entry.hash };
}

/**
 * What people see of a difference: files, symlinks, and folders only where nothing else tells of them (an empty one
 * that came or went, or one that changed its mode); those end with "/".
 */
export function toChanges(trees: TreeStore, differences: readonly TreeChange[]): Change[] {
  return differences.flatMap((difference) => seenChange(trees, difference) ?? []);
}

function seenChange(trees: TreeStore, { path, before, after }: TreeChange): Change | undefined {
  const kind = changeKind(before, after);
  if (kind === "typeChanged" || (before?.type !== TREE_DIRECTORY && after?.type !== TREE_DIRECTORY))
    return toChange(pathToText(path), kind, before, after);
  const folder = after ?? before;
  if (kind !== "changed" && folder !== undefined && !isEmpty(trees, folder.hash)) return undefined;
  return toChange(`${pathToText(path)}/`, kind, before, after);
}

const isEmpty = (trees: TreeStore, tree: Hash): boolean => !new TreeCursor(trees.bytes(tree)).isAtEntry;

function changeKind(before: TreeEntry | undefined, after: TreeEntry | undefined): ChangeKind {
  if (before === undefined) return "added";
  if (after === undefined) return "removed";
  return before.type === after.type ? "changed" : "typeChanged";
}

function toChange(path: string, kind: ChangeKind, before: TreeEntry | undefined, after: TreeEntry | undefined): Change {
  return {
    path,
    kind,
    ...(before === undefined ? {} : { before: entryState(before) }),
    ...(after === undefined ? {} : { after: entryState(after) }),
  };
}

/** Numbers for "+3 ~2 −1"; a change of type counts as a change. */
export function countChanges(changes: readonly Change[]): { added: number; changed: number; removed: number } {
  const counts = { added: 0, changed: 0, removed: 0 };
  for (const change of changes) counts[countedAs(change)]++;
  return counts;
}

const countedAs = ({ kind }: Change): "added" | "changed" | "removed" => (kind === "typeChanged" ? "changed" : kind);

/** `files`: how many the state has, which for a first checkpoint all count as added. */
export function describeChanges(trees: TreeStore, parent: Hash | undefined, root: Hash, files: number): Differences {
  // For a first checkpoint the list would be the whole workspace.
  if (parent === undefined) return { counts: { added: files, changed: 0, removed: 0 }, list: undefined };
  const counts = { added: 0, changed: 0, removed: 0 };
  const list: Change[] = [];
  try {
    forEachDifference(trees, parent, root, (difference) => {
      const change = seenChange(trees, difference);
      if (change === undefined) return;
      counts[countedAs(change)]++;
      // One more than are kept tells that they are too many.
      if (list.length <= MAX_LISTED_CHANGES) list.push(change);
    });
  } catch (error) {
    // A damaged parent must not keep the present from being saved: like a first checkpoint, it stands for itself.
    if (CheckpointError.is(error, "damaged")) return describeChanges(trees, undefined, root, files);
    throw error;
  }
  return { counts, list: list.length > MAX_LISTED_CHANGES ? undefined : list };
}
