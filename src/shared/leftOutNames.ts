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

/** Code points that HFS+ does not see in a name. */
const UNSEEN = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Where a file system takes more than one spelling for a name (Windows, macOS): whether it may take this one for one that
 * is never saved. By case, by what is not seen, by dots and spaces at the end (".git."), by the short name ("GIT~1").
 */
export function isTakenForNeverSaved(name: string): boolean {
  const plain = name
    .replace(UNSEEN, "")
    .toLowerCase()
    .replace(/[. ]+$/, "");
  return isNeverSaved(plain) || /^(\.?git|hg|svn)~\d+$/.test(plain) || isNeverSaved(plain.split(":")[0] ?? "");
}
