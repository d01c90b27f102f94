/** What lies inside what: paths relative to one folder, joined by "/"; "" is that folder itself. */

/** Whether `path` is `folder` or lies in it. */
export function covers(folder: string, path: string): boolean {
  return folder === "" || folder === path || path.startsWith(`${folder}/`);
}

/** Whether one of `folders` covers `path`: as many look-ups as the path has names, however many folders there are. */
export function isCovered(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1))
    if (folders.has(path.slice(0, end))) return true;
  return folders.has("");
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
