/**
 * The difference of two states, from their trees: equal subtrees have equal hashes and are skipped unread, so the cost
 * is that of the folders that differ.
 *
 * Every path that differs is reported once. A folder is reported itself when it came, went, changed its mode or became
 * something else; what lies in it is reported too. A folder that came is also reported when only something in it was
 * selected: that could not be there without it. A folder that went is also reported when all that was in it was
 * selected: nobody sees a difference between a folder with nothing in it and none.
 */
import type { ByteString } from "../../shared/pathText";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import type { PathSelection } from "./pathSelection";
import type { TreeStore } from "./treeStore";

export interface TreeChange {
  readonly path: ByteString;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

/** In path order: a folder before its entries, entries by name bytes. */
export function diffTrees(
  trees: TreeStore,
  before: Hash | undefined,
  after: Hash | undefined,
  selection: PathSelection,
): TreeChange[] {
  const changes: TreeChange[] = [];
  compare("" as ByteString, before, after);
  return changes;

  /** Whether every entry of the folder was reported. */
  function compare(folder: ByteString, left: Hash | undefined, right: Hash | undefined): boolean {
    if (left === right) return false;
    const a = left === undefined ? [] : trees.read(left);
    const b = right === undefined ? [] : trees.read(right);
    let i = 0;
    let j = 0;
    let all = a.length + b.length > 0;
    while (i < a.length || j < b.length) {
      const x = a[i];
      const y = b[j];
      if (y === undefined || (x !== undefined && x.name < y.name)) {
        all = visit(joinPath(folder, (x as TreeEntry).name), x, undefined) && all;
        i++;
      } else if (x === undefined || y.name < x.name) {
        all = visit(joinPath(folder, y.name), undefined, y) && all;
        j++;
      } else {
        all = visit(joinPath(folder, x.name), x, y) && all;
        i++;
        j++;
      }
    }
    return all;
  }

  /** Whether the path was reported. */
  function visit(path: ByteString, x: TreeEntry | undefined, y: TreeEntry | undefined): boolean {
    if (x !== undefined && y !== undefined && x.type === y.type && x.mode === y.mode && x.hash === y.hash) return false;
    if (!selection.mayContain(path)) return false;
    const sameFolder = x?.type === TREE_DIRECTORY && y?.type === TREE_DIRECTORY && x.mode === y.mode;
    const included = selection.includes(path);
    if (!sameFolder && included) changes.push({ path, before: x, after: y });
    const at = changes.length;
    const left = x?.type === TREE_DIRECTORY ? x.hash : undefined;
    const right = y?.type === TREE_DIRECTORY ? y.hash : undefined;
    const all = (left !== undefined || right !== undefined) && compare(path, left, right);
    const isImplied = !included && ((x === undefined && changes.length > at) || (y === undefined && all));
    if (isImplied) changes.splice(at, 0, { path, before: x, after: y });
    return isImplied || (included && !sameFolder);
  }
}
