/** Folders that nobody means to save as a whole: they hold everything there is, of a person or of a machine. */

/** The top of a disk (or of a network share), somebody's home folder, or one that the home folder lies in. */
export type WideFolder = "top" | "home" | "aboveHome";

/** `folder` and `home` are absolute; undefined: an ordinary folder. `ignoreCase`: as the file system compares names. */
export function wideFolder(folder: string, home: string, ignoreCase: boolean): WideFolder | undefined {
  const path = comparable(folder, ignoreCase);
  // "", "c:" and "//server/share" end in no folder of their own.
  if (/^(|[a-z]:|\/\/[^/]+\/[^/]+)$/i.test(path)) return "top";
  const homePath = comparable(home, ignoreCase);
  if (path === homePath) return "home";
  return homePath.startsWith(`${path}/`) ? "aboveHome" : undefined;
}

function comparable(path: string, ignoreCase: boolean): string {
  // Where "\" separates names, the path begins with a drive or two of them.
  const isWindows = /^([a-z]:|\\\\)/i.test(path);
  const plain = (isWindows ? path.replaceAll("\\", "/") : path).replace(/\/+$/, "");
  return ignoreCase ? plain.toLowerCase() : plain;
}
