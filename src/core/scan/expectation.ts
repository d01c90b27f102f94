/**
 * What a scan may take for granted, folder by folder, so that it looks only where something may have changed.
 *
 * "look": read the names, stat the entries. "recorded": the folder's own names and files are as its index record says;
 * its subfolders are to be asked about. "untouched": so is everything below it, and the last scan knows the folders.
 */
import type { ByteString } from "../../shared/pathText";
import { parentPath } from "../fs/osPath";
import type { EntryCounts, ScannedFolder } from "./scannedFolder";

type Expected =
  | { readonly what: "look" }
  | { readonly what: "recorded"; readonly own: EntryCounts }
  | { readonly what: "untouched"; readonly folder: ScannedFolder };

/** Asked for every folder that has a record, whose rules and whose parent's record still hold. */
export type Expectation = (path: ByteString) => Expected;

const LOOK: Expected = { what: "look" };

/**
 * From checks of every folder that has a record: `unsettled` are those whose check failed. With the last scan, what has
 * nothing unsettled in it need not even be walked through.
 */
export function expectChecked(
  checks: ReadonlyMap<ByteString, EntryCounts>,
  unsettled: Iterable<ByteString>,
  last: ScannedFolder | undefined,
): Expectation {
  const above = foldersAbove(unsettled);
  const known = last && knownFolders(last);
  return (path) => {
    const own = checks.get(path);
    const folder = known?.(path);
    if (own === undefined) return LOOK;
    return folder === undefined || above.has(path) ? { what: "recorded", own } : { what: "untouched", folder };
  };
}

/**
 * From the last scan and the paths that may have changed since. A path that was a folder, or is one now, stands for all
 * that is in it: a watcher reports a moved folder, not its contents. `restless` folders are looked at too, themselves.
 */
export function expectChanges(
  last: ScannedFolder,
  changed: Iterable<ByteString>,
  restless: Iterable<ByteString>,
): Expectation {
  const whole = new Set(changed);
  const looked = new Set(restless);
  // Above a path in a folder that is new, too, the first folder that is known shows it.
  for (const path of whole) looked.add(nearestKnown(last, parentPath(path)));
  const above = foldersAbove([...whole, ...looked]);
  const known = knownFolders(last);
  return (path) => {
    const folder = known(path);
    if (folder === undefined || looked.has(path) || isInside(path, whole)) return LOOK;
    return above.has(path) ? { what: "recorded", own: folder.own } : { what: "untouched", folder };
  };
}

/** The folder itself, or the innermost one around it that the last scan knows. */
function nearestKnown(last: ScannedFolder, path: ByteString): ByteString {
  let at = last;
  for (const name of path.split("/")) {
    const next = at.folders.find((each) => each.name === name);
    if (next === undefined) break;
    at = next;
  }
  return at.path;
}

/** Every folder that has one of these somewhere in it. */
function foldersAbove(paths: Iterable<ByteString>): ReadonlySet<ByteString> {
  const above = new Set<ByteString>();
  for (const path of paths)
    for (let at = path; at !== "" && !above.has(parentPath(at)); ) {
      at = parentPath(at);
      above.add(at);
    }
  return above;
}

/**
 * Finds folders of the last scan. They are asked for from the outermost in, so a folder's parent was looked up before
 * it (or was not expected to be anything, and then neither is what lies in it).
 */
function knownFolders(last: ScannedFolder): (path: ByteString) => ScannedFolder | undefined {
  const known = new Map([[last.path, last]]);
  return (path) => {
    const found = known.get(path);
    for (const each of found?.folders ?? []) known.set(each.path, each);
    return found;
  };
}

function isInside(path: ByteString, whole: ReadonlySet<ByteString>): boolean {
  for (let at = path; ; at = parentPath(at)) {
    if (whole.has(at)) return true;
    if (at === "") return false;
  }
}
