/**
 * What a restore wrote and the scan does not see now, because it is ignored or otherwise left out.
 *
 * Taking a restore back, or carrying on with one that was interrupted, must deal with that too. It may, as long as the
 * path holds exactly what was there before the restore or what was written: that content is in the store. Anything else
 * there is nobody's to touch.
 */
import { type ByteString, pathToText } from "../../shared/pathText";
import type { Kept } from "../../shared/restores";
import { type FileStat, isDirectory, isSymlink, lookAt, permissions } from "../fs/fileSystem";
import { parentPath } from "../fs/osPath";
import { isRacy } from "../scan/racy";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, TREE_FILE, TREE_SYMLINK, type TreeEntry } from "../store/tree";
import type { CapturedFile } from "./capturedState";
import type { Store } from "./context";
import { diffTrees } from "./diffTrees";
import { holdsContent } from "./fileContent";
import { FolderNames } from "./folderNames";
import { type PathSelection, selectExactly } from "./pathSelection";
import { RealFolders } from "./realFolders";
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

/**
 * `current` (as captured) with what is there although the scan did not see it, among `paths`: of each what it is in one
 * of the `expected` states.
 */
export function addUnseen(
  store: Store,
  current: Hash,
  expected: readonly Hash[],
  paths: readonly ByteString[],
): UnseenState {
  const names = new FolderNames(store);
  const real = new RealFolders(store);
  const selection: PathSelection = selectExactly(paths, false);
  const found = new Map<ByteString, CapturedFile>();
  const kept: Kept[] = [];
  const edits: TreeEdit[] = [];
  const lookedAt = store.now();
  for (const [path, entries] of missing(store, current, expected, selection)) {
    // What is reached through a link lies somewhere else.
    if (!real.has(parentPath(path))) continue;
    const stat = lookAt(store.fs, store.root.os(path));
    // Under another spelling the file system finds what the scan did see.
    if (stat === undefined || !names.leadTo(path)) continue;
    const entry = entries.find((each) => isThere(store, path, stat, each));
    if (entry === undefined) {
      if (entries.some((each) => each.type !== TREE_DIRECTORY))
        kept.push({ path: pathToText(path), reason: CHANGED_SINCE, code: "protected" });
      continue;
    }
    edits.push({ path, after: { ...entry, mode: isSymlink(stat) ? entry.mode : permissions(stat) } });
    if (entry.type !== TREE_DIRECTORY) found.set(path, { stat, hash: entry.hash, racy: isRacy(stat, lookedAt) });
  }
  return { ...editTree(store, store.trees, current, edits), found, kept };
}

/** What `current` lacks of the expected states, by path. */
function missing(
  store: Store,
  current: Hash,
  expected: readonly Hash[],
  selection: PathSelection,
): Map<ByteString, TreeEntry[]> {
  const entries = new Map<ByteString, TreeEntry[]>();
  for (const root of expected)
    for (const { path, before, after } of diffTrees(store.trees, current, root, selection))
      if (before === undefined && after !== undefined) entries.set(path, [...(entries.get(path) ?? []), after]);
  return entries;
}

function isThere(store: Store, path: ByteString, stat: FileStat, entry: TreeEntry): boolean {
  if (entry.type === TREE_DIRECTORY) return isDirectory(stat);
  if (entry.type !== (isSymlink(stat) ? TREE_SYMLINK : TREE_FILE)) return false;
  return store.blobs.has(entry.hash) && holdsContent(store, path, stat, entry);
}
