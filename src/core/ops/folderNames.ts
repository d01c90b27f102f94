/**
 * The names in folders as the file system lists them. Where names are compared without case or in one Unicode form
 * (Windows, macOS), asking for "Readme.md" finds "README.md": the list tells which of the two is there.
 */
import type { ByteString } from "../../shared/pathText";
import { errnoOf, type FileStat } from "../fs/fileSystem";
import { baseName, joinPath, parentPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY } from "../store/tree";
import type { Store } from "./context";
import type { TreeStore } from "./treeStore";

/** Lists each folder once; nothing may change while one of these is in use. */
export class FolderNames {
  private readonly listed = new Map<ByteString, ReadonlySet<string>>();

  constructor(private readonly store: Store) {}

  /** Whether there is an entry of exactly this name. False, too, when the folder cannot be listed. */
  holds(path: ByteString): boolean {
    const folder = parentPath(path);
    const known = this.listed.get(folder) ?? new Set(this.list(folder));
    this.listed.set(folder, known);
    return known.has(baseName(path));
  }

  /** Whether the folders on the way are spelled so as well. */
  leadTo(path: ByteString): boolean {
    return path === "" || (this.holds(path) && this.leadTo(parentPath(path)));
  }

  private list(folder: ByteString): string[] {
    try {
      return this.store.fs.readdir(this.store.root.os(folder));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return [];
    }
  }
}

/** Entries of a captured state by what they are on disk, to find the one that is meant by another spelling. */
export class OtherSpellings {
  private readonly names: FolderNames;
  private readonly byIdentity = new Map<ByteString, ReadonlyMap<string, ByteString>>();

  constructor(
    private readonly store: Store,
    private readonly trees: TreeStore,
    private readonly captured: Hash,
  ) {
    this.names = new FolderNames(store);
  }

  /** The captured path in the same folder that `found`, seen at `path`, really is; undefined: it is its own entry. */
  of(path: ByteString, found: FileStat): ByteString | undefined {
    if (this.names.holds(path)) return undefined;
    const folder = parentPath(path);
    const known = this.byIdentity.get(folder) ?? this.identitiesIn(folder);
    this.byIdentity.set(folder, known);
    return known.get(identity(found));
  }

  private identitiesIn(folder: ByteString): ReadonlyMap<string, ByteString> {
    const { store, trees, captured } = this;
    const tree = folder === "" ? captured : trees.find(captured, folder);
    const hash = typeof tree === "string" ? tree : tree?.type === TREE_DIRECTORY ? tree.hash : undefined;
    const paths = new Map<string, ByteString>();
    for (const { name } of hash === undefined ? [] : trees.read(hash)) {
      const path = joinPath(folder, name);
      const stat = store.fs.lstat(store.root.os(path));
      if (stat !== undefined) paths.set(identity(stat), path);
    }
    return paths;
  }
}

const identity = ({ dev, ino }: FileStat): string => `${dev}:${ino}`;
