/** Writes content out of the store into the workspace, on lane threads or here: the middle of every restore. */
import type { ByteString } from "../../shared/pathText";
import {
  type ContentReader,
  type ExtractFailure,
  type ExtractTask,
  type ExtractTaskResult,
  LINK,
  runExtractTask,
  SYNC,
} from "../pipeline/extractTask";
import { createSharedWork, WorkView } from "../pipeline/sharedWork";
import { TREE_SYMLINK, type TreeEntry } from "../store/tree";
import type { Operation, Store } from "./context";
import { isWorthLanes, runLaneWork } from "./laneWork";

export interface Extraction {
  /** Where it is written; nothing may be there. */
  readonly path: ByteString;
  readonly entry: TreeEntry;
  /** The path that the written file will replace. */
  readonly replaces?: ByteString;
}

export interface Extracted {
  readonly failed: readonly {
    readonly extraction: Extraction;
    readonly failure: ExtractFailure;
    readonly message: string;
  }[];
}

/** Creating a small file takes about as long as reading so many. */
const READS_PER_FILE = 4;
/** Writing a block of this size takes about as long as LARGE_BLOCK_COST small files. */
const LARGE_BLOCK_BYTES = 1 << 20;
const LARGE_BLOCK_COST = 8;
/** More replacements than this are not synced one by one: their old content is in the safety checkpoint. */
const SYNCED_REPLACEMENTS = 256;

/**
 * Writes `wanted`. Problems of single files are in the answer; an error that concerns everything is thrown when all
 * lanes have stopped. `onStart` hands out the shared list, whose states tell what was written.
 */
export async function extract(
  store: Store,
  wanted: readonly Extraction[],
  operation: Operation,
  onStart?: (started: { view: WorkView; work: readonly Extraction[] }) => void,
): Promise<Extracted> {
  if (wanted.length === 0) return { failed: [] };
  const work = inPackOrder(store, wanted);
  const shared = createSharedWork(work.map((each) => each.path));
  const view = new WorkView(shared);
  const sync = work.filter((each) => each.replaces !== undefined).length <= SYNCED_REPLACEMENTS;
  work.forEach(({ entry, replaces }, i) => {
    view.setHash(i, entry.hash);
    view.setFacts(i, { size: entry.size, mtimeMs: 0, ctimeMs: 0, ino: 0, mode: entry.mode });
    view.states[i] = (entry.type === TREE_SYMLINK ? LINK : 0) | (sync && replaces !== undefined ? SYNC : 0);
  });
  onStart?.({ view, work });
  const task: ExtractTask = { kind: "extract", root: store.layout.workspace, work: shared };
  const bytes = work.reduce((sum, each) => sum + each.entry.size, 0);
  const isBig = isWorthLanes(READS_PER_FILE * work.length, bytes);
  const here = (tick: (cost?: number) => void): ExtractTaskResult => {
    const read: ContentReader = (hash, onBlock) => {
      tick();
      return store.blobs.readTo(hash, (block) => {
        if (block.length >= LARGE_BLOCK_BYTES) tick(LARGE_BLOCK_COST);
        onBlock(block);
      });
    };
    return runExtractTask({ fs: store.fs, read }, task);
  };
  const results = await runLaneWork(store, { view, phase: "restore", isBig, task: () => task, here }, operation);
  if (isBig) store.lanes?.release();
  const failed = results.flatMap((result) => result.failed);
  // Lanes have packs of their own: what they found damaged there is known here from now on.
  for (const { item, failure } of failed) if (failure === "damaged") store.blobs.noteUnreadable(view.hash(item));
  return {
    failed: failed.flatMap(({ item, failure, message }) => {
      const extraction = work[item];
      return extraction === undefined ? [] : [{ extraction, failure, message }];
    }),
  };
}

/** Packs are read front to back: content that was saved together is restored together. */
function inPackOrder(store: Store, wanted: readonly Extraction[]): Extraction[] {
  const located = wanted.map((extraction) => {
    const found = store.blobs.locate(extraction.entry.hash);
    return { extraction, pack: found?.pack ?? "", offset: found?.offset ?? 0 };
  });
  located.sort((a, b) => (a.pack < b.pack ? -1 : a.pack > b.pack ? 1 : a.offset - b.offset));
  return located.map((each) => each.extraction);
}
