/**
 * Saving. Order, so that a crash anywhere leaves the old state or the new one: blob packs → tree pack → catalog (the
 * commit point) → index. What is written before the commit and not committed is garbage that a later save may use.
 */
import { v7 as uuidv7 } from "uuid";
import type { Checkpoint } from "../../shared/checkpoints";
import { textToPaths } from "../../shared/pathText";
import type { SaveRequest, SaveResult } from "../../shared/saves";
import type { Hash } from "../store/hash";
import { PackWriter } from "../store/packWriter";
import { type Capture, captureWorkspace, rememberCapture } from "./capture";
import { describeChanges } from "./changes";
import type { Operation, Store } from "./context";
import { withUnsaved } from "./unsavedContents";
import { withLock } from "./withLock";

export function save(store: Store, request: SaveRequest, operation: Operation): Promise<SaveResult> {
  const startedAt = store.now();
  return withLock(store, operation, async () => {
    const { scan, packChunkBytes: chunkBytes = 0 } = request;
    const onDisk = await captureWorkspace(
      store,
      { scan, store: true, chunkBytes, changedPaths: request.changedPaths?.flatMap(textToPaths) },
      operation,
    );
    const { refused, ...overlaid } = withUnsaved(store, onDisk, request.unsaved ?? [], { scan, chunkBytes });
    const capture = { ...overlaid.capture, skipped: [...overlaid.capture.skipped, ...refused] };
    const answer = (checkpoint: Checkpoint | null, noChange: boolean): SaveResult => ({
      checkpoint,
      noChange,
      skipped: capture.skipped,
      durationMs: store.now() - startedAt,
      scanned: capture.scanned,
      report: capture.report,
    });
    const { latest } = store.catalog;
    if (request.name === undefined && request.note === undefined && latest?.rootTree === capture.rootTree) {
      // Only trees that the store has lost are new here: the checkpoint that names them is whole again.
      storeTrees(store, capture);
      rememberCapture(store, capture);
      return answer(latest, true);
    }
    return answer(commitCapture(store, capture, request, operation), false);
  });
}

/** Makes a captured state a checkpoint. The caller holds the lock. After an error nothing was committed. */
export function commitCapture(store: Store, capture: Capture, request: SaveRequest, operation: Operation): Checkpoint {
  const checkpoint = commitState(store, capture, request, operation);
  rememberCapture(store, capture);
  return checkpoint;
}

/** The same for a state that scans must not go by. */
export function commitState(store: Store, capture: Capture, request: SaveRequest, operation: Operation): Checkpoint {
  operation.throwIfCancelled();
  operation.report({ phase: "commit", done: 0, total: 0 });
  const treeBytes = storeTrees(store, capture);
  const parent = store.catalog.latest;
  const differences = describeChanges(
    store.trees.with(capture.newTrees),
    parent?.rootTree as Hash | undefined,
    capture.rootTree,
    capture.files,
  );
  const checkpoint: Checkpoint = {
    id: uuidv7({ msecs: store.now(), random: store.random(16) }),
    number: store.catalog.nextNumber(),
    createdAt: store.now(),
    kind: request.kind,
    trigger: request.trigger,
    name: request.name ?? null,
    note: request.note ?? null,
    pinned: false,
    parentId: parent?.id ?? null,
    rootTree: capture.rootTree,
    files: capture.files,
    bytes: capture.bytes,
    newObjects: capture.newObjects,
    newBytes: capture.newBytes + treeBytes,
    ...differences.counts,
    skipped: capture.skipped.length,
    branch: request.branch ?? null,
    head: request.head ?? null,
    groupId: request.groupId ?? null,
  };
  store.catalog.insert(checkpoint, differences.list, capture.skipped, capture.rules);
  store.catalog.commit();
  return checkpoint;
}

/** Publishes the trees of a captured state, without those that are there by now, as one pack; returns its size. */
export function storeTrees(store: Store, { newTrees: trees }: Pick<Capture, "newTrees">): number {
  const newTrees = [...trees].filter(([hash]) => !store.treePacks.has(hash));
  if (newTrees.length === 0) return 0;
  const { fs, codecs } = store;
  const writer = new PackWriter({ fs, codecs, folder: store.layout.trees, nonce: store.nonce() });
  try {
    for (const [hash, bytes] of newTrees) writer.add(hash, bytes);
    const pack = writer.finish();
    if (pack !== undefined) store.treePacks.add(pack);
    return pack?.bytes ?? 0;
  } catch (error) {
    writer.abort();
    throw error;
  }
}
