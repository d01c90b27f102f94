/**
 * What a restore wrote and the scan does not see now, because it is ignored or otherwise left out.
 *
 * Taking a restore back must take that back too. It may, as long as the path still holds exactly what was written:
 * that content is in the store. Anything else there is nobody's to touch.
 */
import { type ByteString, pathToText } from "../../shared/pathText";
import type { Kept } from "../../shared/restores";
import { isDirectory, isSymlink, lookAt, permissions } from "../fs/fileSystem";
import { isRacy } from "../scan/racy";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, TREE_FILE, TREE_SYMLINK } from "../store/tree";
import type { CapturedFile } from "./capturedState";
import type { Store } from "./context";
import { diffTrees } from "./diffTrees";
import { holdsContent } from "./fileContent";
import { FolderNames } from "./folderNames";
import { type PathSelection, selectExactly } from "./pathSelection";
import { type EditedTree, editTree, type TreeEdit } from "./treeEdit";

export interface UnseenState extends EditedTree {
  /** What was found at each path added to the state, files and links only. */
  readonly found: ReadonlyMap<ByteString, CapturedFile>;
  /** Written by the restore, unseen, and no longer what was written. */
  readonly kept: readonly Kept[];
}

const CHANGED_SINCE = "it was changed since and is in no checkpoint (it is ignored now), so it was left alone";

export function nothingUnseen(root: Hash): UnseenState {
  return { root, newTrees: new Map(), found: new Map(), kept: [] };
}

/** `current` (as captured) with what is there of `expected` although the scan did not see it, among `paths`. */
export function addUnseen(store: Store, current: Hash, expected: Hash, paths: readonly ByteString[]): UnseenState {
  const names = new FolderNames(store);
  const selection: PathSelection = selectExactly(paths, false);
  const found = new Map<ByteString, CapturedFile>();
  const kept: Kept[] = [];
  const edits: TreeEdit[] = [];
  const lookedAt = store.now();
  for (const { path, before, after } of diffTrees(store.trees, current, expected, selection)) {
    if (before !== undefined || after === undefined) continue;
    const stat = lookAt(store.fs, store.root.os(path));
    // Under another spelling the file system finds what the scan did see.
    if (stat === undefined || !names.holds(path)) continue;
    if (after.type === TREE_DIRECTORY) {
      if (isDirectory(stat)) edits.push({ path, after: { ...after, mode: permissions(stat) } });
    } else if (
      store.blobs.has(after.hash) &&
      after.type === (isSymlink(stat) ? TREE_SYMLINK : TREE_FILE) &&
      holdsContent(store, path, stat, after)
    ) {
      edits.push({ path, after: { ...after, mode: isSymlink(stat) ? after.mode : permissions(stat) } });
      found.set(path, { stat, hash: after.hash, racy: isRacy(stat, lookedAt) });
    } else kept.push({ path: pathToText(path), reason: CHANGED_SINCE, code: "protected" });
  }
  return { ...editTree(store, store.trees, current, edits), found, kept };
}
