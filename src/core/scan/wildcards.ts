/**
 * Patterns of ignore files, matched without regular expressions.
 *
 * An ignore file comes with the workspace, so anybody may have written it. The `ignore` package makes a regular expression
 * of each line, and nothing can stop one that has begun. Measured with version 7.0.16 (2026-11), milliseconds for one path:
 *
 *   stars for folders     a path of 2,041 folders "a" (4 KB) and "a", "**", "a", "**", "b": 23; with one "**" more, or
 *                         one before the first "a": beyond 6,000
 *   stars in one segment  30 in `*a*a…b`, a name of 255 bytes: 4, as the package lets none of them go back; but brackets
 *                         that span the slash undo that: 3 in `*[+-a]*[+-a]*b` take 20, 4 take 1,200, 6 beyond 4,000
 *
 * Here a star only ever goes back to the last one before it, which is all that is needed: the worst case is the length
 * of the pattern times that of the path. A test compares the answers with those of the `ignore` package.
 */

/** What one place of a pattern takes: one character, or (STAR) any number of them. */
type Token = ((character: string) => boolean) | typeof STAR;
const STAR = "*";

/** Segments of a pattern; STARS takes any number of folders. */
const STARS = "**";
type Segment = ((name: string) => boolean) | typeof STARS;

const MAX_FOLDER_STARS = 2;
const MAX_STARS_BESIDE_BRACKETS = 3;
const MAX_LENGTH = 1_000;

/** Whether the regular expression which the `ignore` package makes of this line could take long, or be too long to be made. */
export function isComplicated(line: string): boolean {
  if (line.length > MAX_LENGTH) return true;
  if (line.includes("[") && starRuns(line) > MAX_STARS_BESIDE_BRACKETS) return true;
  return (line.match(/\*{2,}(?=\/)/g)?.length ?? 0) > MAX_FOLDER_STARS;
}

/** How many runs of stars a pattern has. */
export function starRuns(pattern: string): number {
  return pattern.match(/\*+/g)?.length ?? 0;
}

/** True: left out, false: explicitly in, undefined: not mentioned. */
export type Judge = (path: string, isFolder: boolean) => boolean | undefined;

/**
 * What the lines of one ignore file say about a path (relative to the file's folder); the last one that matches decides.
 * Like the package, what lies in a folder that they leave out is out.
 */
export function judgeOf(lines: readonly string[], ignoreCase: boolean): Judge {
  const tests = lines.flatMap((line) => {
    const isIn = line.startsWith("!");
    const test = line.startsWith("#") ? undefined : pathTest(isIn ? line.slice(1) : line, ignoreCase);
    return test === undefined ? [] : [{ test, verdict: !isIn }];
  });
  const folders = new Map<string, boolean>();
  const isOut = (folder: string): boolean => {
    const known = folders.get(folder) ?? judge(folder, true) === true;
    folders.set(folder, known);
    return known;
  };
  const judge: Judge = (path, isFolder) => {
    const slash = path.lastIndexOf("/");
    if (slash > 0 && isOut(path.slice(0, slash))) return true;
    const names = path.split("/");
    return tests.findLast(({ test }) => test(names, isFolder))?.verdict;
  };
  return judge;
}

type PathTest = (names: readonly string[], isFolder: boolean) => boolean;

/** One line, without the "!" that may begin it. Undefined if it can match nothing. */
function pathTest(line: string, ignoreCase: boolean): PathTest | undefined {
  let pattern = withoutTrailingSpaces(line);
  if (endsInBackslash(pattern)) return undefined;
  const foldersOnly = pattern.endsWith("/");
  if (foldersOnly) pattern = pattern.slice(0, -1);
  if (pattern === "" || endsInBackslash(pattern)) return undefined;
  const isAnchored = pattern.includes("/");
  const named = segmentsOf(pattern.replace(/^\//, ""), ignoreCase);
  if (named === undefined) return undefined;
  const segments: readonly Segment[] = isAnchored ? named : [STARS, ...named];
  return (names, isFolder) => (isFolder || !foldersOnly) && matches<string, typeof STARS>(segments, names, STARS);
}

/** A backslash before the last of them keeps it. */
function withoutTrailingSpaces(line: string): string {
  const text = line.replace(/(?<! ) +$/, "");
  return text !== line && endsInBackslash(text) ? `${text.slice(0, -1)} ` : text;
}

function endsInBackslash(text: string): boolean {
  return (/\\*$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}

/** Whether a whole name matches a pattern of `*`, `?` and escapes. */
export function wildcardTest(pattern: string): (name: string) => boolean {
  const segments = segmentsOf(pattern, false);
  const test = segments?.[0];
  return (name) => test === STARS || test?.(name) === true;
}

/** The star that was met last takes one more whenever the rest does not fit. At the end one takes at least one item. */
function matches<Item, Star extends string>(
  pattern: readonly (((item: Item) => boolean) | Star)[],
  items: readonly Item[],
  star: Star,
): boolean {
  let at = 0;
  let place = 0;
  let lastStar = -1;
  let from = 0;
  while (at < items.length) {
    const token = pattern[place];
    if (token === star) {
      lastStar = place++;
      from = at;
    } else if (typeof token === "function" && token(items[at] as Item)) {
      at++;
      place++;
    } else if (lastStar >= 0) {
      at = ++from;
      place = lastStar + 1;
    } else return false;
  }
  // "a/**" means what lies in a, not a itself; "a*" means a as well.
  while (star === STAR && pattern[place] === star) place++;
  return place === pattern.length;
}

/** Undefined if a bracket is left open or names a class that is none: such a pattern matches nothing. */
function segmentsOf(pattern: string, ignoreCase: boolean): Segment[] | undefined {
  const segments: Segment[] = [];
  let tokens: Token[] = [];
  let from = 0;
  const endSegment = (end: number): void => {
    const taken = tokens;
    const isStars = /^\*{2,}$/.test(pattern.slice(from, end));
    segments.push(isStars ? STARS : (name) => matches(taken, [...name], STAR));
    tokens = [];
  };
  for (const part of pattern.matchAll(PARTS)) {
    const [text, escaped, bracket] = part;
    if (text === "/" || escaped === "/") {
      endSegment(part.index);
      from = part.index + text.length;
    } else if (text === "[" || (bracket !== undefined && namesNoClass(bracket))) return undefined;
    else if (bracket !== undefined) tokens.push(bracketTest(bracket, ignoreCase));
    else if (text.startsWith("*")) tokens.push(STAR);
    else if (text === "?") tokens.push(() => true);
    else tokens.push(literalTest(escaped ?? text, ignoreCase));
  }
  endSegment(pattern.length);
  return segments;
}

/** One item of a bracket: a class, an escape, or a character; the first one may be "]". */
const ITEM = String.raw`\[:[^\]]{0,9}:\]|\\.|[^\]\\]`;
/** What one place of a pattern is written as. Groups: the character escaped; what is in the brackets. */
const PARTS = new RegExp(String.raw`\*+|\\(.)|\[([!^]?(?:\]|${ITEM})(?:${ITEM})*)\]|.`, "gsu");

/** As git has them: ASCII alone. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the class is about.
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

function namesNoClass(bracket: string): boolean {
  return [...bracket.matchAll(/\\.|\[:([^\]]{0,9}):\]/gsu)].some(
    ([, name]) => name !== undefined && !(name in CLASSES),
  );
}

function literalTest(wanted: string, ignoreCase: boolean): (character: string) => boolean {
  if (!ignoreCase) return (character) => character === wanted;
  const folded = wanted.toLowerCase();
  return (character) => character.toLowerCase() === folded;
}

function bracketTest(bracket: string, ignoreCase: boolean): (character: string) => boolean {
  const isNegated = /^[!^]/.test(bracket);
  const items = (isNegated ? bracket.slice(1) : bracket).matchAll(
    /\[:([^\]]{0,9}):\]|(?:\\(.)|(.))(?:-(?!\[:[^\]]{0,9}:\])(?:\\(.)|(.)))?/gsu,
  );
  const tests = Array.from(items, ([, name, a, b, c, d]) => {
    const group = name === undefined ? undefined : CLASSES[name];
    if (group !== undefined) return (character: string) => group.test(character);
    const first = a ?? b ?? "";
    const last = c ?? d ?? first;
    // Of a range that runs backwards git takes the first character.
    return (character: string) => character === first || (character >= first && character <= last);
  });
  const has = (character: string): boolean => tests.some((test) => test(character));
  if (!ignoreCase) return (character) => has(character) !== isNegated;
  return (character) => (has(character.toLowerCase()) || has(character.toUpperCase())) !== isNegated;
}
