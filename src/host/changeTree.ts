/** A flat list of changes as folders and files. No vscode. */
import type { Change } from "../shared/api";

export interface ChangeFolder {
  readonly type: "folder";
  /** May span several levels: folders with nothing but one folder in them are joined, "src/host". */
  readonly name: string;
  readonly path: string;
  /** Made when first asked for: of a large list, people open a few folders. */
  readonly children: readonly ChangeNode[];
  /** Changes below, at any depth. */
  readonly count: number;
}

export interface ChangeLeaf {
  readonly type: "leaf";
  readonly name: string;
  readonly path: string;
  readonly change: Change;
}

export type ChangeNode = ChangeFolder | ChangeLeaf;

interface Level {
  readonly folders: Map<string, Level>;
  readonly leaves: ChangeLeaf[];
  /** Changes here and below. */
  count: number;
}

/**
 * Folders first, then files, each in the order people expect ("a2" before "a10"). Sorting is what costs, so it waits
 * until a folder is opened.
 */
export function buildChangeTree(changes: readonly Change[]): readonly ChangeNode[] {
  const top = emptyLevel();
  for (const change of changes) {
    const path = change.path.replace(/\/$/, "");
    const segments = path.split("/");
    const name = segments.pop() ?? path;
    let level = top;
    for (const segment of segments) {
      let next = level.folders.get(segment);
      if (!next) {
        next = emptyLevel();
        level.folders.set(segment, next);
      }
      next.count++;
      level = next;
    }
    level.leaves.push({ type: "leaf", name, path, change });
  }
  return nodesOf(top, "");
}

/** Every change below the nodes. */
export function leavesOf(nodes: readonly ChangeNode[]): ChangeLeaf[] {
  return nodes.flatMap((node) => (node.type === "leaf" ? [node] : leavesOf(node.children)));
}

function nodesOf(level: Level, prefix: string): readonly ChangeNode[] {
  const folders = [...level.folders].map(([name, below]) => joinedFolder(name, below, prefix));
  return [...folders.sort(byName), ...level.leaves.sort(byName)];
}

function joinedFolder(name: string, level: Level, prefix: string): ChangeFolder {
  let joined = name;
  let current = level;
  while (current.leaves.length === 0 && current.folders.size === 1) {
    const [only] = current.folders;
    if (!only) break;
    joined = `${joined}/${only[0]}`;
    current = only[1];
  }
  const path = prefix === "" ? joined : `${prefix}/${joined}`;
  let children: readonly ChangeNode[] | undefined;
  return {
    type: "folder",
    name: joined,
    path,
    count: current.count,
    get children() {
      children ??= nodesOf(current, path);
      return children;
    },
  };
}

function emptyLevel(): Level {
  return { folders: new Map(), leaves: [], count: 0 };
}

const collator = new Intl.Collator(undefined, { numeric: true });

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return collator.compare(a.name, b.name);
}
