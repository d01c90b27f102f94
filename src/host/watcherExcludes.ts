// Whether the setting `files.watcherExclude` keeps the watcher from seeing something that is saved. Its defaults do not:
// **/.git/objects/**, **/.git/subtree-cache/**, **/.hg/store/** and, depending on the release, **/node_modules/*/**.
// Patterns are matched against absolute paths.

import { DEPENDENCIES, isNeverSaved } from "../shared/leftOutNames";
import type { ScanOptions } from "../shared/saves";

/** `excludes`: the setting's value as it is; `folder`: the path of the workspace folder, with "/". */
export function watcherHidesSaved(
  excludes: unknown,
  folder: string,
  scan: Pick<ScanOptions, "includeDependencies" | "exclude">,
): boolean {
  if (excludes === undefined || excludes === null) return false;
  if (typeof excludes !== "object") return true;
  // Ignore files that take dependencies back in are the core's business: it alone reads them.
  const dependenciesAreOut = !scan.includeDependencies && !scan.exclude.some((pattern) => pattern.startsWith("!"));
  const isOut = (name: string): boolean => isNeverSaved(name) || (dependenciesAreOut && DEPENDENCIES.has(name));
  const active = Object.entries(excludes).filter(([, value]) => value !== false);
  // A workspace folder inside, say, node_modules: there the harmless patterns cover everything.
  if (folder.split("/").some((name) => isNeverSaved(name) || DEPENDENCIES.has(name))) return active.length > 0;
  return active.some(([pattern]) => !isHarmless(pattern, isOut));
}

/** A literal segment is in every path the pattern matches; braces could offer another one in its stead. */
function isHarmless(pattern: string, isOut: (name: string) => boolean): boolean {
  return !/[{}\\]/.test(pattern) && pattern.split("/").some(isOut);
}
