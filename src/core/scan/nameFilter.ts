import { starRuns, wildcardTest } from "./wildcards";

/** One more star, as in `*a*a*a*b`, and a regular expression takes 1.2 s for a name of 255 bytes (measured 2026-11). */
const MAX_STARS = 2;
const MAX_LENGTH = 1_000;

/** False: no pattern of the set can match a path that ends in this name. True: maybe; ask the real matcher. */
export type NameFilter = (name: string) => boolean;

/**
 * A cheap, one-sided test made from gitignore patterns: from each only the last segment counts, as a literal name, as
 * `*.suffix`, or as anything more complicated (then as a regular expression that may match too much, never too little; or,
 * if that could take long, without one).
 */
export function nameFilter(patterns: readonly string[], ignoreCase: boolean): NameFilter {
  const names = new Set<string>();
  const suffixes = new Set<string>();
  const globs: string[] = [];
  const slow: NameFilter[] = [];
  for (const pattern of patterns) {
    const segment = lastSegment(pattern);
    if (segment === undefined) continue;
    const folded = ignoreCase ? segment.toLowerCase() : segment;
    if (/^[^*?[\\]+$/.test(folded)) names.add(folded);
    else if (/^\*\.[^*?[\\.]+$/.test(folded)) suffixes.add(folded.slice(1));
    else if (loosened(folded).length > MAX_LENGTH || starRuns(loosened(folded)) > MAX_STARS)
      slow.push(wildcardTest(loosened(folded)));
    else globs.push(looseExpression(folded));
  }
  const glob = globs.length === 0 ? undefined : new RegExp(`^(?:${globs.join("|")})$`, "s");
  return (name) => {
    const folded = ignoreCase ? name.toLowerCase() : name;
    if (names.has(folded)) return true;
    const dot = folded.lastIndexOf(".");
    if (dot >= 0 && suffixes.has(folded.slice(dot))) return true;
    // A name that is no ASCII is compared as text by the matcher and as bytes here: leave it to the matcher.
    if (glob?.test(folded) === true || slow.some((matches) => matches(folded))) return true;
    return !isPlain(folded) && names.size + suffixes.size + globs.length + slow.length > 0;
  };
}

function isPlain(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7e) return false;
  return true;
}

/** Undefined for comments and blank lines. */
function lastSegment(pattern: string): string | undefined {
  // Spaces alone: a tab is part of the name.
  let text = pattern.replace(/(?<! ) +$/, "");
  // A backslash before trailing white space keeps it; such rare patterns are simply put to the matcher.
  if (text.endsWith("\\")) return "**";
  if (text === "" || text.startsWith("#")) return undefined;
  if (text.startsWith("!")) text = text.slice(1);
  if (text.endsWith("/")) text = text.slice(0, -1);
  const slash = text.lastIndexOf("/");
  // A bracket that is open there takes the slash for one of its characters.
  if (text.lastIndexOf("[", slash) >= 0 && slash >= 0) return "**";
  const segment = text.slice(slash + 1);
  return segment === "" ? "**" : segment;
}

/** The pattern as a regular expression; where its meaning is intricate (brackets), one that matches more. */
function looseExpression(segment: string): string {
  return segment.replace(/\*+|\?|\[[^/]*|\\.|[^\w]/gs, (token) => {
    if (token.startsWith("*") || token.startsWith("[")) return ".*";
    if (token === "?") return ".";
    return `\\${token.length === 2 ? token.slice(1) : token}`.replace(/^\\(\w)$/, "$1");
  });
}

/** The same, still as a pattern. */
function loosened(segment: string): string {
  return segment.replace(/\\.|\[[^/]*/gs, (token) => (token.startsWith("[") ? "*" : token));
}
