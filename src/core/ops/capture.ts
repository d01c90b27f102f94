/**
 * The workspace as it is now, as a tree: scan, read what is not known, build the trees of folders that changed.
 *
 * With `store` the new content is in published packs afterwards (garbage until a catalog row refers to it); without it
 * nothing is written anywhere, which is what a dry run and a comparison with the workspace need.
 */
import { sep } from "node:path";
import type { ByteString } from "../../shared/pathText";
import type { SaveReport, ScanOptions, Skipped } from "../../shared/saves";
import { joinPath } from "../fs/osPath";
import { type Expectation, expectChanges, expectChecked } from "../scan/expectation";
import { FolderRules } from "../scan/ignoreRules";
import type { IndexUpdate } from "../scan/indexBatch";
import { SYMLINK } from "../scan/recordLayout";
import { asUntouched, type EntryCounts, type ScannedFile, type ScannedFolder } from "../scan/scannedFolder";
import { scanWorkspace } from "../scan/scanner";
import type { Hash } from "../store/hash";
import { checkFolders } from "./checkFolders";
import { ContentReader, type Contents } from "./contentReader";
import type { Operation, Store } from "./context";
import type { KnownScan } from "./lastScan";
import type { ReadOptions } from "./readingRound";
import { StaleIndex, TreeBuilder } from "./treeBuilder";

export interface CaptureOptions extends ReadOptions {
  readonly scan: ScanOptions;
  /** All that may have changed since the last capture that was remembered (`rememberCapture`). */
  readonly changedPaths?: readonly ByteString[] | undefined;
}

/** What the catalog keeps of a scan besides the ignore files, which are in the trees. */
export interface ScanRecord extends ScanOptions {
  /** Folders left out because they were marked as caches. */
  readonly caches: readonly ByteString[];
  /** Marks of paths that were taken out of the checkpoint afterwards (see `purge`). */
  readonly purged?: readonly string[];
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
  readonly scanned: "all" | "changed";
  /** To be remembered once the state is committed, see `rememberCapture`. */
  readonly indexUpdate: IndexUpdate;
  /** Of the index that the update was made from. */
  readonly generation: number;
  readonly known: KnownScan;
}

/**
 * Index and later scans go by this state from now on. The state must be committed: the index vouches for its content.
 */
export function rememberCapture(store: Store, { indexUpdate, known, generation }: Capture): void {
  // A comparison that ran meanwhile may have found the index stale: these patches are of records that are gone.
  if (store.index.generation !== generation) {
    store.lastScan.forget();
    return;
  }
  store.index.apply(indexUpdate);
  // If its records turned out to be other ones than those the update was made from, it has none now.
  if (store.index.generation === generation) store.lastScan.remember(known, generation);
  else store.lastScan.forget();
}

/** Captures the present state. Rejects with `cancelled` and on errors that concern everything; nothing is committed. */
export async function captureWorkspace(store: Store, options: CaptureOptions, operation: Operation): Promise<Capture> {
  store.index.refresh();
  try {
    return await capture(store, options, operation);
  } catch (error) {
    // A RangeError: its records are none.
    if (!(error instanceof StaleIndex || error instanceof RangeError)) throw error;
    // It vouched for content that the store does not have: everything is read again.
    store.index.discard();
    return capture(store, options, operation);
  }
}

async function capture(store: Store, options: CaptureOptions, operation: Operation): Promise<Capture> {
  const reader = new ContentReader(store, options, operation);
  try {
    return await captureWith(reader, store, options, operation);
  } catch (error) {
    if (error instanceof StaleIndex) await publishOrAbandon(reader);
    else await reader.abandon();
    throw error;
  }
}

/** What was read is of use for the second try. */
async function publishOrAbandon(reader: ContentReader): Promise<void> {
  try {
    await reader.published();
  } catch (error) {
    await reader.abandon();
    throw error;
  }
}

async function captureWith(
  reader: ContentReader,
  store: Store,
  options: CaptureOptions,
  operation: Operation,
): Promise<Capture> {
  const startedAt = store.now();
  const { generation } = store.index;
  operation.report({ phase: "scan", done: 0, total: 0 });
  // All will have to be read: the threads start while this one scans, and begin with what it has found.
  const isCold = options.store && store.index.isEmpty;
  if (isCold) store.lanes?.warmUp();
  const addUnread = (path: ByteString, files: readonly ScannedFile[]): void => {
    for (const file of files) if (file.hash === undefined) reader.add(joinPath(path, file.name), file);
  };
  const addAndBegin = (path: ByteString, files: readonly ScannedFile[]): void => {
    addUnread(path, files);
    reader.begin();
  };
  const last = store.lastScan.recall(options.scan, generation, startedAt);
  const { changedPaths } = options;
  const hint = last?.isWatchable && changedPaths !== undefined ? { last, changedPaths } : undefined;
  const expected =
    hint === undefined
      ? await expectAsChecked(store, options.scan, last, operation)
      : expectChanges(hint.last.root, hint.changedPaths, hint.last.restless);
  const { root, skipped, caches, hasDependencies } = scanWorkspace({
    fs: store.fs,
    root: store.root,
    index: store.index,
    rules: rulesFor(store, options.scan),
    expected,
    includeDependencies: options.scan.includeDependencies,
    maxFileBytes: options.scan.maxFileBytes,
    excludedFolder: storesInsideWorkspace(store),
    isCancelled: operation.isCancelled,
    onProgress: (done) => operation.report({ phase: "scan", done, total: 0 }),
    onFolder: isCold ? addAndBegin : undefined,
  });
  operation.throwIfCancelled();

  if (!isCold) forEachLookedAt(root, addUnread);
  await reader.read();
  // A clock that was set back meanwhile must not make what is fresh look old.
  const builder = new TreeBuilder(store, reader, Math.min(startedAt, store.now()));
  const rootTree = builder.build(root);
  const contents = await reader.published();
  const counts = countsAfterReading(root.all, contents);
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
      directories: counts.folders,
      symlinks: counts.symlinks,
      newObjects: contents.newObjects,
      deduplicated: contents.deduplicated,
      raw: contents.raw,
      compressed: contents.newObjects - contents.raw,
      bytesIn: contents.bytesIn,
      bytesOut: contents.newBytes,
    },
    scanned: hint === undefined ? "all" : "changed",
    indexUpdate: {
      patches: builder.patches,
      dropped: last === undefined ? foldersGone(store, root) : foldersGoneSince(last.root, root),
    },
    generation,
    known: {
      scan: options.scan,
      // Without the files it found: commit and index, which come next, need memory themselves.
      root: asUntouched(root),
      restless: builder.restless,
      scannedAllAt: hint?.last.scannedAllAt ?? startedAt,
      isWatchable:
        last?.isWatchable !== false && !hasDependencies && store.fs.tellsListingChanges?.(store.root.os("")) !== false,
    },
  };
}

async function expectAsChecked(
  store: Store,
  scan: ScanOptions,
  last: KnownScan | undefined,
  operation: Operation,
): Promise<Expectation> {
  const { settled, unsettled } = await checkFolders(store, scan.maxFileBytes, operation);
  return expectChecked(settled, unsettled, last?.root);
}

export function rulesFor(store: Store, scan: ScanOptions): FolderRules {
  return FolderRules.root(
    {
      useGitignore: scan.useGitignore,
      includeDependencies: scan.includeDependencies,
      exclude: scan.exclude,
      withoutSecrets: scan.secrets === "exclude",
      ignoreCase: store.ignoreCase,
    },
    (text) => store.codecs.xxh64(Buffer.from(text)).toString(16).padStart(16, "0"),
  );
}

/** The path of the stores within the workspace, should somebody have put them there: they are never saved. */
export function storesInsideWorkspace({ fs, layout, ignoreCase }: Store): ByteString | undefined {
  if (fs.lstat(layout.stores) === undefined) return undefined;
  const plain = (path: string): string => path.replaceAll("\\", "/");
  const stores = sep === "/" ? fs.realpath(layout.stores) : plain(fs.realpath(layout.stores));
  const prefix = `${(sep === "/" ? layout.workspace : plain(layout.workspace)).replace(/\/+$/, "")}/`;
  const folded = (path: string): string => (ignoreCase ? path.toLowerCase() : path);
  return folded(stores).startsWith(folded(prefix))
    ? (Buffer.from(stores.slice(prefix.length), "utf8").toString("latin1") as ByteString)
    : undefined;
}

function forEachLookedAt(
  folder: ScannedFolder,
  action: (path: ByteString, files: readonly ScannedFile[]) => void,
): void {
  if (folder.isUntouched) return;
  if (folder.files !== undefined) action(folder.path, folder.files);
  for (const each of folder.folders) forEachLookedAt(each, action);
}

/** What could not be read was counted by the scan; what changed meanwhile has another size by now. */
function countsAfterReading(scanned: EntryCounts, { skipped, growth }: Contents): EntryCounts {
  let { files, symlinks, bytes } = scanned;
  for (const { file } of skipped) {
    if (file.type === SYMLINK) symlinks--;
    else files--;
    bytes -= file.size;
  }
  return { files, symlinks, folders: scanned.folders, bytes: bytes + growth };
}

/** Folders of the index that a scan of everything did not find any more. */
function foldersGone(store: Store, root: ScannedFolder): ByteString[] {
  const found = new Set(pathsBelow(root));
  return store.index.paths().filter((path) => !found.has(path));
}

/** Folders of the last scan that this one did not find where it looked. */
function foldersGoneSince(before: ScannedFolder, now: ScannedFolder, into: ByteString[] = []): ByteString[] {
  if (now.isUntouched) return into;
  const found = new Map(now.folders.map((each) => [each.name, each]));
  for (const each of before.folders) {
    const present = found.get(each.name);
    if (present === undefined) into.push(...pathsBelow(each));
    else foldersGoneSince(each, present, into);
  }
  return into;
}

function pathsBelow(folder: ScannedFolder, into: ByteString[] = []): ByteString[] {
  into.push(folder.path);
  for (const each of folder.folders) pathsBelow(each, into);
  return into;
}
