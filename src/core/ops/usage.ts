/** Where the room goes: paths by what their different contents take in the packs. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { PathUsage, StoreUsage } from "../../shared/retention";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { MAX_FOLDER_DEPTH, TREE_DIRECTORY } from "../store/tree";
import type { Operation, Store } from "./context";
import { readableEntries, rootOf } from "./usedContent";

/** The event loop turns this often: whoever cancels, or asks for something small meanwhile, is heard. */
const CHECKPOINTS_A_TURN = 20;

/**
 * Counts each content once, for the path that has it in the newest checkpoint in which it is. A tree that was met at one
 * path is not walked again at another: all that is in it was counted there. So this costs as much as there are different
 * trees, however many checkpoints share them. What is damaged counts as nothing; `verify` names it.
 */
export async function measureUsage(store: Store, limit: number, operation: Operation): Promise<StoreUsage> {
  const trees = new Set<Hash>();
  const contents = new Set<Hash>();
  const paths = new Map<ByteString, { bytes: number; versions: number }>();
  const visit = (tree: Hash, folder: ByteString, depth: number): void => {
    // Nothing that was saved lies deeper; a forged tree must not end the program.
    if (trees.has(tree) || depth > MAX_FOLDER_DEPTH) return;
    trees.add(tree);
    for (const { type, name, hash } of readableEntries(store, tree)) {
      const path = joinPath(folder, name);
      if (type === TREE_DIRECTORY) visit(hash, path, depth + 1);
      else if (!contents.has(hash)) {
        contents.add(hash);
        const known = paths.get(path);
        const bytes = store.blobs.frameLength(hash) ?? 0;
        if (known === undefined) paths.set(path, { bytes, versions: 1 });
        else {
          known.bytes += bytes;
          known.versions++;
        }
      }
    }
  };
  const { checkpoints } = store.catalog;
  for (const [i, checkpoint] of checkpoints.entries()) {
    if (i % CHECKPOINTS_A_TURN === 0) await nextTurn();
    operation.throwIfCancelled();
    operation.report({ phase: "plan", done: i, total: checkpoints.length });
    visit(rootOf(checkpoint), "" as ByteString, 0);
  }
  let bytes = 0;
  for (const each of paths.values()) bytes += each.bytes;
  return { largest: largest(paths, limit), paths: paths.size, bytes };
}

function largest(paths: ReadonlyMap<ByteString, Omit<PathUsage, "path">>, limit: number): PathUsage[] {
  return [...paths]
    .sort(([a, { bytes: aBytes }], [b, { bytes: bBytes }]) => bBytes - aBytes || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([path, { bytes, versions }]) => ({ path: pathToText(path), bytes, versions }));
}
