import { type ByteString, textToPaths } from "../../shared/pathText";

/** Which paths an operation is about. */
export interface PathSelection {
  /** The path itself is meant. */
  includes(path: ByteString): boolean;
  /** The path, or something below it, may be meant. */
  mayContain(path: ByteString): boolean;
}

export const EVERYTHING: PathSelection = { includes: () => true, mayContain: () => true };

/**
 * The paths that a typed text ("src/a.ts", "./src/") may mean, likeliest first; "" is the workspace itself. (What is
 * typed with backslashes on Windows is the caller's.)
 */
export function typedPaths(text: string): ByteString[] {
  const path = text.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
  return textToPaths(path === "." ? "" : path);
}

/** Files, or folders with all that is in them; texts as typed. No texts: everything. */
export function selectPaths(texts: readonly string[] | undefined): PathSelection {
  if (texts === undefined || texts.length === 0) return EVERYTHING;
  const wanted = texts.flatMap(typedPaths);
  return wanted.includes("" as ByteString) ? EVERYTHING : selectExactly(wanted, true);
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
