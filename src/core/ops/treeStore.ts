/**
 * Trees by hash, from the tree packs, or from memory for those of a state that is not (yet) stored. Their bytes are kept,
 * which take a tenth of the memory of what they decode to: comparing two states looks at each tree once, in its bytes.
 */
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import type { Hash } from "../store/hash";
import type { PackSet } from "../store/packSet";
import { decodeTree, TREE_DIRECTORY, TreeCursor, type TreeEntry } from "../store/tree";

/** Decoded trees kept; the Linux source has 5,100, at about 10 KB each. */
const CACHED_TREES = 1_000;
/** Of trees as they are stored: those of two states of the Linux source. */
const CACHED_BYTES = 8 << 20;

export class TreeStore {
  private readonly decoded = new Map<Hash, readonly TreeEntry[]>();
  private readonly stored = new Map<Hash, Uint8Array>();
  private storedBytes = 0;

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
    const known = this.decoded.get(hash);
    if (known !== undefined) return known;
    const entries = decodeTree(this.bytes(hash));
    if (this.decoded.size >= CACHED_TREES) this.decoded.clear();
    this.decoded.set(hash, entries);
    return entries;
  }

  /** The tree as it is stored, for a `TreeCursor`; not to be changed. Throws `damaged` when it is missing. */
  bytes(hash: Hash): Uint8Array {
    const known = this.unstored.get(hash) ?? this.stored.get(hash);
    if (known !== undefined) return known;
    const bytes = this.packs.read(hash);
    if (bytes === undefined)
      throw new CheckpointError(
        "damaged",
        `A folder listing (tree ${hash}) is missing from the store. Run "Verify Store".`,
        { details: { hash } },
      );
    if (this.storedBytes + bytes.length > CACHED_BYTES) {
      this.stored.clear();
      this.storedBytes = 0;
    }
    this.stored.set(hash, bytes);
    this.storedBytes += bytes.length;
    return bytes;
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
      entry = findIn(this.bytes(tree), segment);
      if (entry === undefined) return undefined;
    }
    return entry;
  }
}

function findIn(tree: Uint8Array, name: string): TreeEntry | undefined {
  for (const cursor = new TreeCursor(tree); cursor.isAtEntry; cursor.next())
    if (cursor.isNamed(name)) return cursor.entry();
  return undefined;
}
