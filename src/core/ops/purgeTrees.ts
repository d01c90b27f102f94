/** Trees without certain paths, and what was in these. */
import { type ByteString, pathToText } from "../../shared/pathText";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { encodeTree, MAX_FOLDER_DEPTH, TREE_DIRECTORY, type TreeEntry, tooDeep } from "../store/tree";
import type { Store } from "./context";

/** A tree without the paths, and how much was in them. */
export interface Stripped {
  readonly tree: Hash;
  /** Files and links, and their bytes. */
  readonly files: number;
  readonly bytes: number;
}

/** A name on the way to a path that goes, or (`goes`) the last one of it. */
interface Branch {
  readonly branches: Map<string, Branch>;
  goes: boolean;
  /** Trees that were looked at here: checkpoints share most of theirs. */
  readonly known: Map<Hash, Stripped>;
}

const newBranch = (): Branch => ({ branches: new Map(), goes: false, known: new Map() });

export class TreePurge {
  /** Trees that the store does not have. */
  readonly newTrees = new Map<Hash, Uint8Array>();
  /** Contents that were taken out, each with one path that held it. */
  readonly contents = new Map<Hash, ByteString>();
  /** Which of the paths were there. */
  readonly found = new Set<ByteString>();
  /** Different contents of different paths. */
  versions = 0;
  private readonly top = newBranch();
  private readonly amounts = new Map<Hash, Omit<Stripped, "tree">>();
  private readonly counted = new Set<string>();

  constructor(
    private readonly store: Store,
    paths: readonly ByteString[],
  ) {
    for (const path of paths) this.branchOf(path).goes = true;
  }

  /** Throws `damaged` for a tree that cannot be read: what it names could not be told. */
  strip(root: Hash): Stripped {
    return this.stripAt(this.top, root, "" as ByteString);
  }

  private branchOf(path: ByteString): Branch {
    let at = this.top;
    for (const name of path.split("/")) {
      const next = at.branches.get(name) ?? newBranch();
      at.branches.set(name, next);
      at = next;
    }
    return at;
  }

  private stripAt(branch: Branch, tree: Hash, folder: ByteString): Stripped {
    const known = branch.known.get(tree);
    if (known !== undefined) return known;
    let files = 0;
    let bytes = 0;
    let isChanged = false;
    const entries: TreeEntry[] = [];
    for (const entry of this.store.trees.read(tree)) {
      const below = branch.branches.get(entry.name);
      const path = joinPath(folder, entry.name);
      if (below?.goes === true) {
        this.found.add(path);
        const amount = this.takeOut(entry, path);
        files += amount.files;
        bytes += amount.bytes;
        isChanged = true;
      } else if (below !== undefined && entry.type === TREE_DIRECTORY) {
        const child = this.stripAt(below, entry.hash, path);
        files += child.files;
        bytes += child.bytes;
        isChanged ||= child.tree !== entry.hash;
        entries.push({ ...entry, hash: child.tree });
      } else entries.push(entry);
    }
    const stripped = { tree: isChanged ? this.keep(entries) : tree, files, bytes };
    branch.known.set(tree, stripped);
    return stripped;
  }

  private keep(entries: readonly TreeEntry[]): Hash {
    const bytes = encodeTree(entries);
    const hash = this.store.codecs.hash(bytes);
    if (!this.store.treePacks.has(hash)) this.newTrees.set(hash, bytes);
    return hash;
  }

  /** Notes what an entry holds. The same folder in many checkpoints is gone through once. */
  private takeOut(entry: TreeEntry, path: ByteString, depth = 0): Omit<Stripped, "tree"> {
    const key = `${entry.hash}${path}`;
    const isNew = !this.counted.has(key);
    this.counted.add(key);
    if (entry.type !== TREE_DIRECTORY) {
      if (isNew) {
        this.versions++;
        this.contents.set(entry.hash, path);
      }
      return { files: 1, bytes: entry.size };
    }
    const known = this.amounts.get(entry.hash);
    if (known !== undefined && !isNew) return known;
    if (depth > MAX_FOLDER_DEPTH) throw tooDeep();
    let files = 0;
    let bytes = 0;
    for (const each of this.store.trees.read(entry.hash)) {
      const amount = this.takeOut(each, joinPath(path, each.name), depth + 1);
      files += amount.files;
      bytes += amount.bytes;
    }
    this.amounts.set(entry.hash, { files, bytes });
    return { files, bytes };
  }
}

/** The outermost of these paths: what lies in one that goes needs no mention. */
export function outermost(paths: readonly ByteString[]): ByteString[] {
  const all = new Set(paths);
  return [...all].filter((path) => {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1))
      if (all.has(path.slice(0, at) as ByteString)) return false;
    return true;
  });
}

/** Whether a path as text is one of these or lies in one of them. */
export function liesIn(paths: readonly ByteString[]): (text: string) => boolean {
  const texts = paths.map(pathToText);
  return (text) => texts.some((path) => text === path || text.startsWith(`${path}/`));
}
