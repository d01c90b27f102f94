/** The room on the disk of a store. */
import { CheckpointError } from "../../shared/errors";
import type { SaveRequest, SaveResult } from "../../shared/saves";
import { errnoOf } from "../fs/fileSystem";
import type { Store } from "./context";

/** Bytes that may still be written; null where the system does not say. The store's folder need not exist yet. */
export function freeDiskBytes({ fs, layout }: Pick<Store, "fs" | "layout">): number | null {
  for (let folder = layout.folder; folder !== ""; folder = folder.slice(0, lastSeparator(folder)))
    try {
      return fs.freeBytes?.(folder) ?? null;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      if (errnoOf(error) !== "ENOENT") return null;
    }
  return null;
}

const lastSeparator = (path: string): number => Math.max(0, path.lastIndexOf("/"), path.lastIndexOf("\\"));

/**
 * A save, if there is room for it: an automatic one rejects with `disk-low` where less is free than is to stay free;
 * what somebody asked for is done, and says so.
 */
export async function savedWithRoom(
  store: Store,
  { kind, minFreeDiskBytes = 0 }: SaveRequest,
  save: () => Promise<SaveResult>,
): Promise<SaveResult> {
  const free = minFreeDiskBytes > 0 ? freeDiskBytes(store) : null;
  if (free === null || free >= minFreeDiskBytes) return save();
  if (kind === "auto") throw diskLow(free, minFreeDiskBytes);
  return { ...(await save()), lowDiskBytes: free };
}

function diskLow(freeBytes: number, minFreeBytes: number): CheckpointError {
  return new CheckpointError(
    "disk-low",
    `Automatic saves pause: ${megabytes(freeBytes)} MB are free on the disk of the checkpoints, and ${megabytes(minFreeBytes)} MB are to stay free. Free some space, or save by hand.`,
    { details: { freeBytes, minFreeBytes } },
  );
}

const megabytes = (bytes: number): string => String(Math.floor(bytes / 1e6));
