import { type ByteString, textToPaths } from "../../shared/pathText";

/** Which paths an operation is about. */
export interface PathSelection {
  /** The path itself is meant. */
  includes(path: ByteString): boolean;
  /** The path, or something below it, may be meant. */
  mayContain(path: ByteString): boolean;
}

export const EVERYTHING: PathSelection = { includes: () => true, mayContain: () => true };

/** Files, or folders with all that is in them; texts as typed ("./src/", "src\\a.ts" on Windows are the caller's). No texts: everything. */
export function selectPaths(texts: readonly string[] | undefined): PathSelection {
  if (texts === undefined || texts.length === 0) return EVERYTHING;
  const wanted = texts.map((text) => text.replace(/^(\.?\/)+/, "").replace(/\/+$/, ""));
  if (wanted.includes("") || wanted.includes(".")) return EVERYTHING;
  return selectExactly(wanted.flatMap(textToPaths), true);
}

/** Exactly these paths and, if asked, what lies below them. */
export function selectExactly(paths: readonly ByteString[], withContents: boolean): PathSelection {
  const wanted = new Set(paths);
  const parents = new Set<string>();
  for (const path of wanted)
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) parents.add(path.slice(0, at));
  const includes = (path: ByteString): boolean => {
    if (wanted.has(path)) return true;
    if (!withContents) return false;
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1))
      if (wanted.has(path.slice(0, at) as ByteString)) return true;
    return false;
  };
  return { includes, mayContain: (path) => parents.has(path) || includes(path) };
}
