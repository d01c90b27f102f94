/** A file's versions, page by page: what File History, the timeline and "Restore File…" all show. */
import type { FileVersion } from "../shared/changes";
import type { Root } from "./workspaceFolders";

/** Shown at first, and added by each "Load More". */
export const VERSIONS_A_PAGE = 50;

interface VersionPage {
  readonly versions: readonly {
    readonly version: FileVersion;
    /** The version before; undefined for the first one. */
    readonly older: FileVersion | undefined;
  }[];
  /** Pass as `before` for the next page; undefined at the end. */
  readonly next: number | undefined;
}

/** Versions newest first. `before` is the number of a checkpoint: only older ones follow. */
export async function versionPage(root: Root, path: string, limit: number, before?: number): Promise<VersionPage> {
  // One more than asked for: the last entry's predecessor, and whether there is a next page.
  const found = await root.engine.history(path, { limit: limit + 1, ...(before === undefined ? {} : { before }) });
  const versions = found.slice(0, limit).map((version, index) => ({ version, older: found[index + 1] }));
  return { versions, next: found.length > limit ? versions.at(-1)?.version.checkpoint.number : undefined };
}
