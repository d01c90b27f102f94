/** Decoded trees by hash: from the tree packs, or from memory for those of a state that is not (yet) stored. */
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { Hash } from "../store/hash";
import type { PackSet } from "../store/packSet";
import { decodeTree, TREE_DIRECTORY, type TreeEntry } from "../store/tree";

/** Decoded trees kept; the Linux source has 5,100, at about 10 KB each. */
const CACHED_TREES = 2_000;

export class TreeStore {
  private readonly cache = new Map<Hash, readonly TreeEntry[]>();

  constructor(
    private readonly packs: PackSet,
    /** Trees that lie in no pack. */
    private readonly unstored: ReadonlyMap<Hash, Uint8Array> = new Map(),
  ) {}

  /** A view that also knows these trees. */
  with(unstored: ReadonlyMap<Hash, Uint8Array>): TreeStore {
    return new TreeStore(this.packs, new Map([...this.unstored, ...unstored]));
  }

  /** Throws `damaged` when the tree is missing or does not decode. */
  read(hash: Hash): readonly TreeEntry[] {
    const cached = this.cache.get(hash);
    if (cached !== undefined) return cached;
    const bytes = this.unstored.get(hash) ?? this.packs.read(hash);
    if (bytes === undefined)
      throw new CheckpointError(
        "damaged",
        `A folder listing (tree ${hash}) is missing from the store. Run "Verify Store".`,
        {
          details: { hash },
        },
      );
    const entries = decodeTree(bytes);
    if (this.cache.size >= CACHED_TREES) this.cache.clear();
    this.cache.set(hash, entries);
    return entries;
  }

  /** The entry at `path` below `root`; undefined when there is none. "" is not an entry. */
  find(root: Hash, path: ByteString): TreeEntry | undefined {
    let tree = root;
    let entry: TreeEntry | undefined;
    for (const segment of path.split("/")) {
      if (entry !== undefined) {
        if (entry.type !== TREE_DIRECTORY) return undefined;
        tree = entry.hash;
      }
      entry = this.read(tree).find((each) => each.name === segment);
      if (entry === undefined) return undefined;
    }
    return entry;
  }
}
