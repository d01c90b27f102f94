/**
 * Every content that any checkpoint holds, once, with the places where it lies: the list that a search goes through.
 *
 * Checkpoints are walked from the newest to the oldest. Of the newest all trees are read; of an older one only what the
 * list of changes says that the next newer one replaced or removed. Where there is no such list, its trees are read,
 * but only those that no newer checkpoint had at the same path: a folder remembers which trees it has been seen with.
 * Of a tree that is read, only those entries are looked at that the one read before it (for this folder) does not have.
 *
 * Lists say what differs, so all that was not listed must be known from the trees of a newer checkpoint. Where one of
 * those cannot be read, an older one may still tell what was in the folder, and all are read.
 */
import type { Change } from "../../shared/changes";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { type ByteString, pathToText, textToPaths } from "../../shared/pathText";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import { EMPTY_TREE, MAX_FOLDER_DEPTH, TREE_DIRECTORY, TREE_FILE, TreeCursor, tooDeep } from "../store/tree";
import type { Operation, Store } from "./context";

/** A path at which a content lay. */
export interface Place {
  /** Places count up in path order, and at one path from the newest version to the oldest. */
  readonly order: number;
  readonly path: ByteString;
  /** The newest one that has this content here. */
  readonly checkpoint: Checkpoint;
  /** The newest checkpoint of all has nothing at this path. */
  readonly deleted: boolean;
}

export interface StoredContent {
  readonly hash: Hash;
  /** As the first tree that names it has it. */
  readonly size: number;
  /** In order; never empty. */
  readonly places: readonly Place[];
}

export interface StoredContents {
  /** By the first place of each. */
  readonly contents: readonly StoredContent[];
  /** Paths that were selected. */
  readonly files: number;
  /** Folders whose tree cannot be read: what they held is missing from the list. */
  readonly damaged: readonly { readonly path: string; readonly checkpoint: Checkpoint; readonly message: string }[];
}

/** Contents of regular files at the paths that `select` wants. Throws `cancelled`. */
export function storedContents(
  store: Store,
  select: (path: ByteString, deleted: boolean) => boolean,
  operation: Operation,
): StoredContents {
  let walk = walkCheckpoints(store, true, operation);
  if (walk.damaged.length > 0) walk = walkCheckpoints(store, false, operation);
  const list = new ContentList(store.catalog.checkpoints[0], select);
  list.addFolder(walk.root, false);
  return { contents: list.contents, files: list.files, damaged: walk.damaged };
}

/** With or without lists of changes. */
function walkCheckpoints(store: Store, byLists: boolean, operation: Operation) {
  const { checkpoints } = store.catalog;
  const root = new Folder("" as ByteString);
  const damaged: StoredContents["damaged"][number][] = [];
  checkpoints.forEach((checkpoint, age) => {
    operation.throwIfCancelled();
    const replaced = byLists ? replacedFiles(store, age) : undefined;
    if (replaced === undefined) visit(root, checkpoint.rootTree as Hash, age, 0);
    else for (const { path, hash, size } of replaced) root.addVersionAt(path, hash, size, checkpoint);
  });
  return { root, damaged };

  function visit(folder: Folder, tree: Hash, age: number, depth: number): void {
    if (folder.seen.has(tree)) return;
    folder.seen.add(tree);
    try {
      if (depth > MAX_FOLDER_DEPTH) throw tooDeep();
      const bytes = store.trees.bytes(tree);
      addEntries(folder, bytes, checkpoints[age] as Checkpoint, age, depth);
      folder.last = bytes;
      if (age === 0) folder.newest = bytes;
    } catch (error) {
      if (!CheckpointError.is(error, "damaged")) throw error;
      if (age === 0) folder.isUnknown = true;
      damaged.push({
        path: `${pathToText(folder.path)}/`,
        checkpoint: checkpoints[age] as Checkpoint,
        message: error.message,
      });
    }
  }

  /** Those that the tree before does not have as well: they, and what lies below them, have been seen. */
  function addEntries(folder: Folder, tree: Uint8Array, checkpoint: Checkpoint, age: number, depth: number): void {
    operation.throwIfCancelled();
    const known = new TreeCursor(folder.last, true);
    for (const cursor = new TreeCursor(tree); cursor.isAtEntry; cursor.next()) {
      while (known.isAtEntry && known.compareName(cursor) < 0) known.next();
      if (known.isAtEntry && known.equals(cursor)) continue;
      if (cursor.type === TREE_FILE) folder.addVersion(cursor.name, cursor.hash, cursor.size, checkpoint);
      else if (cursor.type === TREE_DIRECTORY) visit(folder.child(cursor.name), cursor.hash, age, depth + 1);
    }
  }
}

interface ReplacedFile {
  readonly path: ByteString;
  readonly hash: Hash;
  readonly size: number;
}

/** Files that the checkpoint at `age` has and the next newer one does not have so; undefined: no list tells. */
function replacedFiles({ catalog, listedChanges }: Store, age: number): ReplacedFile[] | undefined {
  const newer = catalog.checkpoints[age - 1];
  if (newer === undefined || newer.parentId !== catalog.checkpoints[age]?.id) return undefined;
  const replaced: ReplacedFile[] = [];
  let changes: readonly Change[] | undefined;
  ignoreFailure(() => {
    changes = listedChanges.of(age - 1);
  }, "where a list cannot be read, the trees tell as well");
  if (changes === undefined) return undefined;
  for (const { path, before } of changes) {
    if (before === undefined || before.type !== "file") continue;
    const paths = textToPaths(path);
    // A name that may be read in several ways: the tree knows.
    if (paths.length !== 1) return undefined;
    replaced.push({ path: paths[0] as ByteString, hash: before.hash as Hash, size: before.size });
  }
  return replaced;
}

/**
 * What a file was in some checkpoints; the first one with its content also stands for that. There are a hundred
 * thousand of these, so it is all in one object, and texts are made when they are asked for.
 */
class Version implements Place, StoredContent {
  order = 0;
  deleted = false;
  /** The next older one of the same file. */
  older: Version | undefined;
  /** Others with the same content. */
  private more: Version[] | undefined;

  constructor(
    readonly hash: Hash,
    readonly size: number,
    readonly checkpoint: Checkpoint,
    private readonly folder: Folder,
    private readonly name: ByteString,
  ) {}

  get path(): ByteString {
    return joinPath(this.folder.path, this.name);
  }

  get places(): readonly Place[] {
    return [this, ...(this.more ?? [])];
  }

  addPlace(place: Version): void {
    this.more ??= [];
    this.more.push(place);
  }
}

/** What lay in a folder, over all checkpoints. */
class Folder {
  readonly seen = new Set<Hash>();
  readonly folders = new Map<ByteString, Folder>();
  /** The newest version of each, which leads to those before. */
  readonly files = new Map<ByteString, Version>();
  /** The tree read last: no tree that is older has been read. */
  last: Uint8Array = EMPTY_TREE;
  /** Its tree in the newest checkpoint. */
  newest: Uint8Array = EMPTY_TREE;
  /** Nobody can tell what it has there. */
  isUnknown = false;

  constructor(readonly path: ByteString) {}

  child(name: ByteString): Folder {
    let folder = this.folders.get(name);
    if (folder === undefined) {
      folder = new Folder(joinPath(this.path, name));
      this.folders.set(name, folder);
    }
    return folder;
  }

  /** Versions are added from the newest to the oldest; one that is there already changes nothing. */
  addVersion(name: ByteString, hash: Hash, size: number, checkpoint: Checkpoint): void {
    let version = this.files.get(name);
    if (version === undefined) {
      this.files.set(name, new Version(hash, size, checkpoint, this, name));
      return;
    }
    while (version.hash !== hash) {
      version.older ??= new Version(hash, size, checkpoint, this, name);
      version = version.older;
    }
  }

  addVersionAt(path: ByteString, hash: Hash, size: number, checkpoint: Checkpoint): void {
    const names = path.split("/") as ByteString[];
    const name = names.pop() as ByteString;
    names.reduce<Folder>((folder, each) => folder.child(each), this).addVersion(name, hash, size, checkpoint);
  }

  newestNames(): Set<ByteString> {
    const names = new Set<ByteString>();
    for (const cursor = new TreeCursor(this.newest, true); cursor.isAtEntry; cursor.next()) names.add(cursor.name);
    return names;
  }
}

class ContentList {
  readonly contents: Version[] = [];
  files = 0;
  private readonly byHash = new Map<Hash, Version>();
  private places = 0;

  constructor(
    private readonly latest: Checkpoint | undefined,
    private readonly select: (path: ByteString, deleted: boolean) => boolean,
  ) {}

  /**
   * `isUnknown`: whether the newest checkpoint has something below here cannot be told, so nothing counts as deleted.
   */
  addFolder(folder: Folder, isUnknown: boolean): void {
    const unknown = isUnknown || folder.isUnknown;
    // A name may have been both, at different times.
    const names = new Set([...folder.files.keys(), ...folder.folders.keys()]);
    let inNewest: Set<ByteString> | undefined;
    const isGone = (name: ByteString): boolean => {
      inNewest ??= folder.newestNames();
      return !inNewest.has(name);
    };
    for (const name of [...names].sort()) {
      const newest = folder.files.get(name);
      if (newest !== undefined) this.addFile(newest, newest.checkpoint !== this.latest && !unknown && isGone(name));
      const child = folder.folders.get(name);
      if (child !== undefined) this.addFolder(child, unknown);
    }
    // Versions know their folder; what it was needed for is over.
    for (const each of [folder.files, folder.folders, folder.seen]) each.clear();
    folder.last = EMPTY_TREE;
    folder.newest = EMPTY_TREE;
  }

  private addFile(newest: Version, deleted: boolean): void {
    if (!this.select(newest.path, deleted)) return;
    this.files++;
    for (let version: Version | undefined = newest; version !== undefined; version = version.older) {
      version.order = this.places++;
      version.deleted = deleted;
      const content = this.byHash.get(version.hash);
      if (content !== undefined) {
        content.addPlace(version);
        continue;
      }
      this.byHash.set(version.hash, version);
      this.contents.push(version);
    }
  }
}
