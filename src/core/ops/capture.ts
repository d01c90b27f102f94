/**
 * The workspace as it is now, as a tree: scan, read what is not known, build the trees of folders that changed.
 *
 * With `store` the new content is in published packs afterwards (garbage until a catalog row refers to it); without it
 * nothing is written anywhere, which is what a dry run and a comparison with the workspace need.
 */
import { sep } from "node:path";
import type { SaveReport, ScanOptions, Skipped } from "../../shared/api";
import type { ByteString } from "../../shared/pathText";
import { joinPath } from "../fs/osPath";
import { type IndexedEntry, SYMLINK } from "../scan/directoryRecord";
import type { IndexUpdate } from "../scan/fileIndex";
import { FolderRules } from "../scan/ignoreRules";
import { type ScannedFolder, scanWorkspace } from "../scan/scanner";
import type { Hash } from "../store/hash";
import type { Operation, Store } from "./context";
import { type ReadOptions, readContents, type UnreadFile } from "./readContents";
import { StaleIndex, TreeBuilder } from "./treeBuilder";

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

/** Captures the present state. Rejects with `cancelled` and on errors that concern everything; nothing is committed. */
export async function captureWorkspace(store: Store, options: CaptureOptions, operation: Operation): Promise<Capture> {
  store.index.refresh();
  try {
    return await capture(store, options, operation);
  } catch (error) {
    if (!(error instanceof StaleIndex)) throw error;
    // It vouched for content that the store does not have: everything is read again.
    store.index.discard();
    return capture(store, options, operation);
  }
}

async function capture(store: Store, options: CaptureOptions, operation: Operation): Promise<Capture> {
  const startedAt = store.now();
  operation.report({ phase: "scan", done: 0, total: 0 });
  // All will have to be read: the threads start while this one scans.
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
function storesInsideWorkspace({ fs, layout, ignoreCase }: Store): ByteString | undefined {
  if (fs.lstat(layout.stores) === undefined) return undefined;
  const plain = (path: string): string => path.replaceAll("\\", "/");
  const stores = sep === "/" ? fs.realpath(layout.stores) : plain(fs.realpath(layout.stores));
  const prefix = `${(sep === "/" ? layout.workspace : plain(layout.workspace)).replace(/\/+$/, "")}/`;
  const folded = (path: string): string => (ignoreCase ? path.toLowerCase() : path);
  return folded(stores).startsWith(folded(prefix))
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
