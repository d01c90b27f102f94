import type { FileStat } from "../fs/fileSystem";

/**
 * A file written this shortly before it was read may be written again within the same tick of the file system's clock,
 * and look the same. Linux stamps in ticks of up to 10 ms; whole seconds mean a file system that knows no finer (FAT:
 * 2 s).
 */
const RACY_MS = 20;
const RACY_COARSE_MS = 2_100;

/** Whether a file (or folder) with these times, looked at `at` or later, may have changed since and look the same. */
export function isRacy({ mtimeMs, ctimeMs }: Pick<FileStat, "mtimeMs" | "ctimeMs">, at: number): boolean {
  const newest = Math.max(mtimeMs, ctimeMs);
  return newest >= at - (newest % 1000 === 0 ? RACY_COARSE_MS : RACY_MS);
}
