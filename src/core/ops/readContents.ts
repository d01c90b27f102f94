/** Reads, hashes and (if asked) stores files, on lane threads or here: the middle of every capture. */
import type { Skipped } from "../../shared/api";
import { CheckpointError, cancelled } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import { createSharedWork, WorkView } from "../pipeline/sharedWork";
import { AS_SYMLINK, runStoreTask, SKIPPED, STORED, type StoreTask, type StoreTaskResult } from "../pipeline/storeTask";
import { type IndexedEntry, SYMLINK } from "../scan/directoryRecord";
import type { ScannedFile } from "../scan/scanner";
import type { Hash } from "../store/hash";
import type { Operation, Store } from "./context";
import { runLaneWork } from "./laneWork";

export interface ReadOptions {
  /** Write new content into packs. */
  readonly store: boolean;
  readonly chunkBytes: number;
}

export interface UnreadFile {
  readonly path: ByteString;
  readonly file: ScannedFile;
}

/** What became of each file that had to be read; a missing one could not be. */
export type Resolved = ReadonlyMap<ScannedFile, IndexedEntry>;

export interface Contents {
  readonly resolved: Resolved;
  readonly skipped: readonly (Skipped & { readonly file: ScannedFile })[];
  readonly newObjects: number;
  readonly newBytes: number;
  readonly deduplicated: number;
  readonly raw: number;
  readonly bytesIn: number;
}

/** Below this, starting threads costs more than it saves (two threads: 80 ms; one core compresses 300 MB/s). */
const LANE_MIN_BYTES = 24 * 1024 * 1024;
const LANE_MIN_FILES = 1_500;

export async function readContents(
  store: Store,
  unread: readonly UnreadFile[],
  options: ReadOptions,
  operation: Operation,
): Promise<Contents> {
  const { items, aliases } = groupHardLinks(unread);
  const shared = createSharedWork(items.map((item) => item.path));
  const view = new WorkView(shared);
  items.forEach(({ file }, i) => {
    view.setFacts(i, file);
    if (file.type === SYMLINK) view.states[i] = AS_SYMLINK;
  });
  const results = items.length === 0 ? [] : await runTasks(store, items, view, shared, options, operation);
  if (operation.isCancelled()) {
    // A pack that was there before may be what a checkpoint lives on; ours nobody knows yet.
    for (const { pack } of results) if (pack?.created === true) store.blobs.remove(pack.id);
    throw cancelled();
  }
  for (const { pack } of results) if (pack !== undefined) store.blobs.add(pack);

  const resolved = new Map<ScannedFile, IndexedEntry>();
  items.forEach(({ path, file }, i) => {
    if (view.states[i] !== STORED) return;
    const hash = view.hash(i);
    if (options.store) assertStored(store, path, hash);
    for (const each of [file, ...(aliases.get(file) ?? []).map((alias) => alias.file)])
      resolved.set(each, toIndexed(each, view, i));
  });
  const skipped = results.flatMap((result) =>
    result.skipped.flatMap(({ item, reason, message }) => {
      const first = items[item];
      if (first === undefined || view.states[item] !== SKIPPED) return [];
      return [first, ...(aliases.get(first.file) ?? [])].map(({ path, file }) => ({
        path: pathToText(path),
        reason,
        message,
        file,
      }));
    }),
  );
  const sum = (pick: (result: StoreTaskResult) => number): number =>
    results.reduce((total, each) => total + pick(each), 0);
  return {
    resolved,
    skipped,
    newObjects: sum((each) => each.newObjects),
    newBytes: sum((each) => each.newBytes),
    deduplicated: sum((each) => each.deduplicated) + (unread.length - items.length),
    raw: sum((each) => each.raw),
    bytesIn: sum((each) => each.bytesIn),
  };
}

function runTasks(
  store: Store,
  items: readonly UnreadFile[],
  view: WorkView,
  shared: StoreTask["work"],
  options: ReadOptions,
  operation: Operation,
): Promise<StoreTaskResult[]> {
  const { fs, codecs, layout, blobs } = store;
  const task = (): StoreTask => ({
    kind: "store",
    root: layout.workspace,
    work: shared,
    ...(options.store
      ? { target: { folder: layout.packs, nonce: store.nonce(), chunkBytes: options.chunkBytes } }
      : {}),
  });
  const bytes = items.reduce((sum, item) => sum + item.file.size, 0);
  const here = (tick: () => void): StoreTaskResult => {
    const isKnown = (hash: Hash): boolean => {
      tick();
      return blobs.has(hash);
    };
    return runStoreTask({ fs, codecs, isKnown }, task());
  };
  const isBig = items.length >= LANE_MIN_FILES || bytes >= LANE_MIN_BYTES;
  return runLaneWork(store, { view, phase: "store", isBig, task, here }, operation);
}

/**
 * The first path of every inode, big files first (so that no lane is left with one at the end), then by inode, which is
 * roughly the order on disk; and the other paths of the same inode.
 */
function groupHardLinks(unread: readonly UnreadFile[]): {
  items: UnreadFile[];
  aliases: Map<ScannedFile, UnreadFile[]>;
} {
  const firstOf = new Map<string, ScannedFile>();
  const aliases = new Map<ScannedFile, UnreadFile[]>();
  const items = unread.filter((each) => {
    const { file } = each;
    // Inodes beyond 2^53 (NTFS, some overlays) arrive rounded: two files may then seem to be one.
    if (file.nlink < 2 || file.type === SYMLINK || !Number.isSafeInteger(file.ino)) return true;
    const key = `${file.dev}:${file.ino}:${file.size}:${file.mtimeMs}:${file.ctimeMs}`;
    const first = firstOf.get(key);
    if (first === undefined) {
      firstOf.set(key, file);
      return true;
    }
    const list = aliases.get(first);
    if (list === undefined) aliases.set(first, [each]);
    else list.push(each);
    return false;
  });
  const isBig = (item: UnreadFile): number => (item.file.size > 1024 * 1024 ? 0 : 1);
  items.sort((a, b) => isBig(a) - isBig(b) || a.file.ino - b.file.ino);
  return { items, aliases };
}

function toIndexed(file: ScannedFile, view: WorkView, item: number): IndexedEntry {
  const { size, mtimeMs, ctimeMs, ino, mode } = view.facts(item);
  return { name: file.name, type: file.type, mode, size, mtimeMs, ctimeMs, ino, hash: view.hash(item), racy: false };
}

/** Every hash a tree will name must be somewhere; checked before a commit relies on it. */
function assertStored(store: Store, path: ByteString, hash: Hash): void {
  if (store.blobs.has(hash)) return;
  // A lane may have known it from a pack that somebody published after this set was opened.
  store.blobs.refresh();
  if (!store.blobs.has(hash))
    throw new CheckpointError(
      "internal",
      `${pathToText(path)} was read but not stored. Nothing was saved; please report it.`,
    );
}
