/** A state made of another one by changing some paths: what a restore made of the workspace, as a tree. */
import type { ByteString } from "../../shared/pathText";
import { joinPath, parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { encodeTree, TREE_DIRECTORY, type TreeEntry } from "../store/tree";
import type { Store } from "./context";
import type { TreeStore } from "./treeStore";

export interface TreeEdit {
  readonly path: ByteString;
  /** Undefined: the path is gone, with all below it. Of a folder only the mode counts; what is in it has edits of its own. */
  readonly after: TreeEntry | undefined;
}

export interface EditedTree {
  readonly root: Hash;
  /** Trees that the store does not have. */
  readonly newTrees: ReadonlyMap<Hash, Uint8Array>;
}

/** For a folder that the edits name no mode for and that was not there: it is only on the way to what they name. */
const UNKNOWN_FOLDER_MODE = 0o755;

/** The tree `root` (read through `trees`) after the edits. Costs what the folders concerned cost; writes nothing. */
export function editTree(store: Store, trees: TreeStore, root: Hash, edits: readonly TreeEdit[]): EditedTree {
  const newTrees = new Map<Hash, Uint8Array>();
  if (edits.length === 0) return { root, newTrees };
  const byPath = new Map(edits.map((edit) => [edit.path, edit]));
  const concerned = concernedNames(byPath.keys());
  return { root: build("" as ByteString, root), newTrees };

  function build(folder: ByteString, before: Hash | undefined): Hash {
    const entries = new Map((before === undefined ? [] : trees.read(before)).map((entry) => [entry.name, entry]));
    for (const name of concerned.get(folder) ?? []) {
      const path = joinPath(folder, name);
      const edit = byPath.get(path);
      const known = entries.get(name);
      if (edit !== undefined && edit.after === undefined) entries.delete(name);
      else if (edit?.after !== undefined && edit.after.type !== TREE_DIRECTORY)
        entries.set(name, { ...edit.after, name });
      else {
        const isFolder = known?.type === TREE_DIRECTORY;
        const mode = edit?.after?.mode ?? (isFolder ? known.mode : UNKNOWN_FOLDER_MODE);
        const hash = build(path, isFolder ? known.hash : undefined);
        entries.set(name, { type: TREE_DIRECTORY, mode, size: 0, hash, name });
      }
    }
    const bytes = encodeTree([...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
    const hash = store.codecs.hash(bytes);
    if (!store.treePacks.has(hash)) newTrees.set(hash, bytes);
    return hash;
  }
}

/** Folder → names in it that are edited, or hold something that is. */
function concernedNames(paths: Iterable<ByteString>): Map<ByteString, Set<ByteString>> {
  const names = new Map<ByteString, Set<ByteString>>();
  for (const path of paths)
    for (let at = path; at !== ""; at = parentPath(at)) {
      const folder = parentPath(at);
      const known = names.get(folder);
      const name = at.slice(folder === "" ? 0 : folder.length + 1) as ByteString;
      if (known?.has(name) === true) break;
      if (known === undefined) names.set(folder, new Set([name]));
      else known.add(name);
    }
  return names;
}
