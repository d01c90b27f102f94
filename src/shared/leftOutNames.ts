/** Names that a scan leaves out by what they are called; for the host, too, which must know what no save is about. */

/** Starts the name of every unfinished file, in the store and in the workspace. */
export const TEMP_PREFIX = ".checkpoint-tmp-";

/** Never saved, never touched. As file or folder, at any level. */
const VERSION_CONTROL: ReadonlySet<string> = new Set([".git", ".hg", ".svn"]);

/** Folders that hold what was downloaded or derived; out unless asked for. */
export const DEPENDENCIES: ReadonlySet<string> = new Set([
  "node_modules",
  ".venv",
  "venv",
  "__pypackages__",
  ".tox",
  ".nox",
  ".gradle",
  ".m2",
]);

export function isNeverSaved(name: string): boolean {
  return VERSION_CONTROL.has(name) || name.startsWith(TEMP_PREFIX);
}
