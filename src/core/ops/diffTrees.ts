/**
 * The difference of two states, from their trees: equal subtrees have equal hashes and are skipped unread, so the cost
 * is that of the folders that differ. In those, entries are compared as bytes; only one that differs becomes an object.
 *
 * Every path that differs is reported once. A folder is reported itself when it came, went, changed its mode or became
 * something else; what lies in it is reported too. A folder that came is also reported when only something in it was
 * selected: that could not be there without it. A folder that went is also reported when all that was in it was
 * selected: nobody sees a difference between a folder with nothing in it and none.
 */
import type { ByteString } from "../../shared/pathText";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { EMPTY_TREE, MAX_FOLDER_DEPTH, TREE_DIRECTORY, TreeCursor, type TreeEntry, tooDeep } from "../store/tree";
import { EVERYTHING, type PathSelection } from "./pathSelection";
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
  compareTrees(trees, before, after, selection, (change, place) => void changes.splice(place, 0, change));
  return changes;
}

/** The same for everything, one by one: 80,000 differences as a list take 30 MB. */
export function forEachDifference(
  trees: TreeStore,
  before: Hash | undefined,
  after: Hash | undefined,
  onChange: (change: TreeChange) => void,
): void {
  // Where everything is selected a folder is reported before what lies in it.
  compareTrees(trees, before, after, EVERYTHING, onChange);
}

/** `place`: how many of the differences reported so far come before this one in path order. */
type OnDifference = (change: TreeChange, place: number) => void;

function compareTrees(
  trees: TreeStore,
  before: Hash | undefined,
  after: Hash | undefined,
  selection: PathSelection,
  onDifference: OnDifference,
): void {
  let reported = 0;
  const report = (change: TreeChange, place = reported): void => {
    reported++;
    onDifference(change, place);
  };
  compare("" as ByteString, before, after, 0);

  /** Whether every entry of the folder was reported. */
  function compare(folder: ByteString, left: Hash | undefined, right: Hash | undefined, depth: number): boolean {
    if (left === right) return false;
    if (depth > MAX_FOLDER_DEPTH) throw tooDeep();
    const a = new TreeCursor(left === undefined ? EMPTY_TREE : trees.bytes(left));
    const b = new TreeCursor(right === undefined ? EMPTY_TREE : trees.bytes(right));
    let all = a.count + b.count > 0;
    while (a.isAtEntry || b.isAtEntry) {
      const order = !b.isAtEntry ? -1 : !a.isAtEntry ? 1 : a.equals(b) ? 0 : a.compareName(b);
      if (order === 0 && isSame(a, b)) all = false;
      else {
        const x = order > 0 ? undefined : a.entry();
        const y = order < 0 ? undefined : b.entry();
        all = visit(joinPath(folder, (x ?? (y as TreeEntry)).name), x, y, depth) && all;
      }
      if (order <= 0) a.next();
      if (order >= 0) b.next();
    }
    return all;
  }

  /** Whether the path, at which something differs, was reported. */
  function visit(path: ByteString, x: TreeEntry | undefined, y: TreeEntry | undefined, depth: number): boolean {
    if (!selection.mayContain(path)) return false;
    const sameFolder = x?.type === TREE_DIRECTORY && y?.type === TREE_DIRECTORY && x.mode === y.mode;
    const included = selection.includes(path);
    if (!sameFolder && included) report({ path, before: x, after: y });
    const at = reported;
    const left = x?.type === TREE_DIRECTORY ? x.hash : undefined;
    const right = y?.type === TREE_DIRECTORY ? y.hash : undefined;
    const all = (left !== undefined || right !== undefined) && compare(path, left, right, depth + 1);
    const isImplied = !included && ((x === undefined && reported > at) || (y === undefined && all));
    if (isImplied) report({ path, before: x, after: y }, at);
    return isImplied || (included && !sameFolder);
  }
}

/** Of two entries with one name. Sizes follow from hashes, but for folders, where they mean nothing. */
const isSame = (a: TreeCursor, b: TreeCursor): boolean => a.type === b.type && a.mode === b.mode && a.hasHashOf(b);
