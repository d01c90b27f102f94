/**
 * The workspace as it is now, as a tree: scan, read what is not known, build the trees of folders that changed.
 *
 * With `store` the new content is in published packs afterwards (garbage until a catalog row refers to it); without it
 * nothing is written anywhere, which is what a dry run and a comparison with the workspace need.
 */
import type { SaveReport, ScanOptions, Skipped } from "../../shared/api";
import type { ByteString } from "../../shared/pathText";
import { joinPath } from "../fs/osPath";
import { encodePatch, FILE, FOLDER, type IndexedEntry, SYMLINK } from "../scan/directoryRecord";
import type { IndexUpdate } from "../scan/fileIndex";
import { FolderRules } from "../scan/ignoreRules";
import { type ScannedFile, type ScannedFolder, scanWorkspace } from "../scan/scanner";
import type { Hash } from "../store/hash";
import { encodeTree, TREE_DIRECTORY, TREE_FILE, TREE_SYMLINK, type TreeEntry } from "../store/tree";
import type { Operation, Store } from "./context";
import { type ReadOptions, type Resolved, readContents, type UnreadFile } from "./readContents";

export interface CaptureOptions extends ReadOptions {
  readonly scan: ScanOptions;
}

/** What the catalog keeps of a scan besides the ignore files, which are in the trees. */
export interface ScanRecord extends ScanOptions {
  /** Folders left out because they were marked as caches. */
  readonly caches: readonly ByteString[];
}

export interface Capture {
  readonly rootTree: Hash;
  /** Trees that the store does not have. */
  readonly newTrees: ReadonlyMap<Hash, Uint8Array>;
  readonly files: number;
  readonly bytes: number;
  readonly skipped: readonly Skipped[];
  /** What the scan went by, in the form the catalog keeps (see `PastRules`). */
  readonly rules: string;
  readonly newObjects: number;
  readonly newBytes: number;
  readonly report: SaveReport;
  /** To be applied to the index once the state is committed. */
  readonly indexUpdate: IndexUpdate;
}

/**
 * A file written this shortly before it was read may be written again within the same tick of the file system's clock,
 * and look the same. Linux stamps in ticks of up to 10 ms; whole seconds mean a file system that knows no finer (FAT: 2 s).
 */
const RACY_MS = 20;
const RACY_COARSE_MS = 2_100;

export async function captureWorkspace(store: Store, options: CaptureOptions, operation: Operation): Promise<Capture> {
  const startedAt = store.now();
  store.index.refresh();
  operation.report({ phase: "scan", done: 0, total: 0 });
  if (options.store && store.index.isEmpty) store.lanes?.warmUp();
  const { root, skipped, caches } = scanWorkspace({
    fs: store.fs,
    root: store.root,
    index: store.index,
    rules: rulesFor(store, options.scan),
    includeDependencies: options.scan.includeDependencies,
    maxFileBytes: options.scan.maxFileBytes,
    excludedFolder: storesInsideWorkspace(store),
    isCancelled: operation.isCancelled,
    onProgress: (done) => operation.report({ phase: "scan", done, total: 0 }),
  });
  operation.throwIfCancelled();

  const contents = await readContents(store, unreadFiles(root), options, operation);
  const builder = new TreeBuilder(store, contents.resolved, startedAt);
  const rootTree = builder.build(root);
  const counts = { files: 0, symlinks: 0, bytes: 0, directories: -1 };
  countEntries(root, counts);
  // What could not be read was counted by the scan; what changed meanwhile has another size by now.
  for (const { file } of contents.skipped) countFile(counts, file.type, -1, -file.size);
  for (const [file, { type, size }] of contents.resolved) countFile(counts, type, 0, size - file.size);
  return {
    rootTree,
    newTrees: builder.newTrees,
    files: counts.files + counts.symlinks,
    bytes: counts.bytes,
    skipped: [...skipped, ...contents.skipped.map(({ path, reason, message }) => ({ path, reason, message }))],
    rules: JSON.stringify({ ...options.scan, caches } satisfies ScanRecord),
    newObjects: contents.newObjects,
    newBytes: contents.newBytes,
    report: {
      files: counts.files,
      directories: counts.directories,
      symlinks: counts.symlinks,
      newObjects: contents.newObjects,
      deduplicated: contents.deduplicated,
      raw: contents.raw,
      compressed: contents.newObjects - contents.raw,
      bytesIn: contents.bytesIn,
      bytesOut: contents.newBytes,
    },
    indexUpdate: { patches: builder.patches, dropped: droppedFolders(store, root) },
  };
}

export function rulesFor(store: Store, scan: ScanOptions): FolderRules {
  return FolderRules.root(
    {
      useGitignore: scan.useGitignore,
      includeDependencies: scan.includeDependencies,
      exclude: scan.exclude,
      ignoreCase: store.ignoreCase,
    },
    (text) => store.codecs.xxh64(Buffer.from(text)).toString(16).padStart(16, "0"),
  );
}

/** The path of the stores within the workspace, should somebody have put them there: they are never saved. */
function storesInsideWorkspace({ fs, layout }: Store): ByteString | undefined {
  if (fs.lstat(layout.stores) === undefined) return undefined;
  const stores = fs.realpath(layout.stores);
  const prefix = `${layout.workspace}/`;
  return stores.startsWith(prefix)
    ? (Buffer.from(stores.slice(prefix.length), "utf8").toString("latin1") as ByteString)
    : undefined;
}

function unreadFiles(folder: ScannedFolder, into: UnreadFile[] = []): UnreadFile[] {
  for (const file of folder.files ?? [])
    if (file.hash === undefined) into.push({ path: joinPath(folder.path, file.name), file });
  for (const each of folder.folders) unreadFiles(each, into);
  return into;
}

interface Counts {
  files: number;
  symlinks: number;
  bytes: number;
  directories: number;
}

function countFile(counts: Counts, type: IndexedEntry["type"], files: number, bytes: number): void {
  if (type === SYMLINK) counts.symlinks += files;
  else counts.files += files;
  counts.bytes += bytes;
}

function countEntries(folder: ScannedFolder, counts: Counts): void {
  counts.directories++;
  counts.files += folder.fileCount;
  counts.symlinks += folder.symlinkCount;
  counts.bytes += folder.bytes;
  for (const each of folder.folders) countEntries(each, counts);
}

/** Folders of the index that the scan did not find any more. */
function droppedFolders(store: Store, root: ScannedFolder): ByteString[] {
  const found = new Set<ByteString>();
  const collect = (folder: ScannedFolder): void => {
    found.add(folder.path);
    folder.folders.forEach(collect);
  };
  collect(root);
  return store.index.paths().filter((path) => !found.has(path));
}

/** Builds trees bottom-up; folders in which nothing changed keep the tree they have. */
class TreeBuilder {
  readonly newTrees = new Map<Hash, Uint8Array>();
  readonly patches: Buffer[] = [];

  constructor(
    private readonly store: Store,
    private readonly resolved: Resolved,
    private readonly startedAt: number,
  ) {}

  build(folder: ScannedFolder): Hash {
    const children = folder.folders.map((each) => ({ folder: each, hash: this.build(each) }));
    const { record } = folder;
    const childrenSame = children.every(({ folder: child, hash }) => {
      const before = child.record;
      return before !== undefined && before.treeHash === hash && before.mode === child.mode;
    });
    if (record !== undefined && folder.files === undefined && childrenSame) {
      if (record.rulesId !== folder.rulesId || record.mode !== folder.mode)
        this.remember(folder, record.treeHash, record.entries());
      return record.treeHash;
    }
    const files =
      folder.files === undefined
        ? (record?.entries() ?? []).filter((e) => e.type !== FOLDER)
        : this.indexed(folder.files);
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
    if (!this.store.treePacks.has(hash)) this.newTrees.set(hash, Buffer.from(bytes));
    const subfolders = folder.folders.map((child) => folderEntry(child.name));
    this.remember(
      folder,
      hash,
      [...files, ...subfolders].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    return hash;
  }

  private indexed(files: readonly ScannedFile[]): IndexedEntry[] {
    return files.flatMap((file) => {
      const entry = file.hash === undefined ? this.resolved.get(file) : { ...file, hash: file.hash, racy: false };
      return entry === undefined ? [] : [{ ...entry, racy: this.isRacy(entry) }];
    });
  }

  private isRacy(entry: IndexedEntry): boolean {
    if (entry.type !== FILE) return false;
    const newest = Math.max(entry.mtimeMs, entry.ctimeMs);
    return newest >= this.startedAt - (newest % 1000 === 0 ? RACY_COARSE_MS : RACY_MS);
  }

  private remember(folder: ScannedFolder, treeHash: Hash, entries: readonly IndexedEntry[]): void {
    const { path, mode, rulesId, record } = folder;
    this.patches.push(encodePatch({ path, mode, rulesId, treeHash }, record, entries));
  }
}

function folderEntry(name: string): IndexedEntry {
  return { name, type: FOLDER, mode: 0, size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0, hash: undefined, racy: false };
}
