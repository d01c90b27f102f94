/** From what a scan found and what was read to tree objects, and to what the index is to remember. */
import type { ByteString } from "../../shared/pathText";
import { isRacy } from "../scan/racy";
import { FOLDER, type IndexedEntry, type Listing, type RecordHead, SYMLINK } from "../scan/recordLayout";
import { encodeHeadPatch, encodePatch } from "../scan/recordPatches";
import type { ScannedFile, ScannedFolder } from "../scan/scannedFolder";
import type { Hash } from "../store/hash";
import { encodeTree, TREE_DIRECTORY, TREE_FILE, TREE_SYMLINK, type TreeEntry } from "../store/tree";
import type { Resolved } from "./contentReader";
import type { Store } from "./context";

/** The index vouched for content that is not in the store. */
export class StaleIndex extends Error {}

/** Builds trees bottom-up; folders in which nothing changed keep the tree they have. */
export class TreeBuilder {
  readonly newTrees = new Map<Hash, Uint8Array>();
  readonly patches: Buffer[] = [];
  /** Folders that the next scan must look at, whatever a watcher says. */
  readonly restless: ByteString[] = [];

  constructor(
    private readonly store: Store,
    private readonly resolved: Resolved,
    private readonly startedAt: number,
  ) {}

  build(folder: ScannedFolder): Hash {
    const { treePacks, blobs, index } = this.store;
    if (folder.isUntouched) return this.known(index.record(folder.path)?.treeHash);
    const children = folder.folders.map((each) => ({ folder: each, hash: this.build(each) }));
    const { record } = folder;
    const childrenSame = children.every(({ folder: child, hash }) => {
      if (child.isUntouched) return true;
      const before = child.record;
      return before !== undefined && before.treeHash === hash && before.mode === child.mode;
    });
    const listing = this.settledListing(folder);
    if (record !== undefined && folder.files === undefined && childrenSame) {
      this.known(record.treeHash);
      const isNewlyListed = listing !== undefined && !record.isListedAs(listing);
      if (record.rulesId !== folder.rulesId || record.mode !== folder.mode || isNewlyListed)
        this.patches.push(encodeHeadPatch(this.headOf(folder, record.treeHash, listing)));
      if (listing === undefined) this.restless.push(folder.path);
      return record.treeHash;
    }
    const files =
      folder.files === undefined
        ? (record?.entries() ?? []).filter((e) => e.type !== FOLDER)
        : this.indexed(folder.files);
    for (const { hash } of folder.files ?? files) if (hash !== undefined && !blobs.has(hash)) throw new StaleIndex();
    const entries: TreeEntry[] = files.map((file) => ({
      type: file.type === SYMLINK ? TREE_SYMLINK : TREE_FILE,
      mode: file.mode,
      size: file.size,
      hash: file.hash as Hash,
      name: file.name as ByteString,
    }));
    for (const { folder: child, hash } of children)
      entries.push({ type: TREE_DIRECTORY, mode: child.mode, size: 0, hash, name: child.name as ByteString });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const bytes = encodeTree(entries);
    const hash = this.store.codecs.hash(bytes);
    if (!treePacks.has(hash)) this.newTrees.set(hash, Buffer.from(bytes));
    const subfolders = folder.folders.map((child) => folderEntry(child.name));
    const remembered = [...files, ...subfolders].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.patches.push(encodePatch(this.headOf(folder, hash, listing), record, remembered));
    if (listing === undefined || files.some((file) => file.racy)) this.restless.push(folder.path);
    return hash;
  }

  /** A tree that the index vouches for. */
  private known(tree: Hash | undefined): Hash {
    if (tree === undefined || !this.store.treePacks.has(tree)) throw new StaleIndex();
    return tree;
  }

  private indexed(files: readonly ScannedFile[]): IndexedEntry[] {
    return files.flatMap((file) => {
      const entry = file.hash === undefined ? this.resolved.get(file) : { ...file, hash: file.hash, racy: false };
      return entry === undefined ? [] : [{ ...entry, racy: isRacy(entry, this.startedAt) }];
    });
  }

  /**
   * What the folder's names may be known by; nothing, if they changed only just now, or a file could not be read or had
   * another size by then: what the folder holds in all was counted from what the scan found.
   */
  private settledListing({ listing, files }: ScannedFolder): Listing | undefined {
    if (listing === undefined || isRacy(listing, this.startedAt)) return undefined;
    const isRead = (file: ScannedFile): boolean => file.hash !== undefined || this.resolved.size(file) === file.size;
    return files === undefined || files.every(isRead) ? listing : undefined;
  }

  private headOf({ path, mode, rulesId }: ScannedFolder, treeHash: Hash, listing: Listing | undefined): RecordHead {
    return { path, mode, rulesId, treeHash, listing };
  }
}

function folderEntry(name: string): IndexedEntry {
  return { name, type: FOLDER, mode: 0, size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0, hash: undefined, racy: false };
}
