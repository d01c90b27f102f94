/** How much a first save would take in: for folders that are likely to be bigger than anybody means to save. */
import { CheckpointError } from "../../shared/errors";
import type { Measure, ScanOptions } from "../../shared/saves";
import { scanWorkspace } from "../scan/scanner";
import { rulesFor, storesInsideWorkspace } from "./capture";
import type { Operation, Store } from "./context";

/** Counts for `withinMs` milliseconds at most; opens nothing but ignore files, writes nothing. Rejects as a scan does. */
export function measure(store: Store, scan: ScanOptions, withinMs: number, operation: Operation): Measure {
  const endsAt = store.now() + withinMs;
  let files = 0;
  let bytes = 0;
  try {
    const { root } = scanWorkspace({
      fs: store.fs,
      root: store.root,
      index: store.index,
      rules: rulesFor(store, scan),
      expected: () => ({ what: "look" }),
      includeDependencies: scan.includeDependencies,
      maxFileBytes: scan.maxFileBytes,
      excludedFolder: storesInsideWorkspace(store),
      isCancelled: () => operation.isCancelled() || store.now() >= endsAt,
      onProgress: (done) => operation.report({ phase: "scan", done, total: 0 }),
      onFolder: (_, found) => {
        files += found.length;
        for (const { size } of found) bytes += size;
      },
    });
    return { files: root.all.files + root.all.symlinks, bytes: root.all.bytes, isComplete: true };
  } catch (error) {
    if (!CheckpointError.is(error, "cancelled")) throw error;
    operation.throwIfCancelled();
    return { files, bytes, isComplete: false };
  }
}
