import { describe, expect, it } from "vitest";
import { type LineMatch, LineSearch } from "../../../src/core/pipeline/lineSearch";
import { compilePattern, type SearchPattern } from "../../../src/core/pipeline/searchPattern";
import { LINE_CHARACTERS } from "../../../src/shared/searches";
import { type Random, withSeeds } from "../../support/seeded";

const exact = (text: string): SearchPattern => ({ text, regex: false, matchCase: true });
const folded = (text: string): SearchPattern => ({ text, regex: false, matchCase: false });
const regex = (text: string, matchCase = true): SearchPattern => ({ text, regex: true, matchCase });

/** Searched in blocks of these sizes, the last of them again and again. */
function inBlocks(content: Buffer, pattern: SearchPattern, sizes: readonly number[], max = 1_000_000): LineSearch {
  const search = new LineSearch(compilePattern(pattern), max);
  search.begin();
  let at = 0;
  for (let i = 0; at < content.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] ?? content.length;
    // A block is only valid during the call.
    const block = Buffer.from(content.subarray(at, at + size));
    search.add(block);
    block.fill(0);
    at += size;
  }
  search.end();
  return search;
}

function whole(content: Buffer | string, pattern: SearchPattern, max = 1_000_000): LineSearch {
  const search = new LineSearch(compilePattern(pattern), max);
  search.begin();
  search.all(Buffer.from(content));
  return search;
}

const places = (matches: readonly LineMatch[]): string[] => matches.map(({ line, column }) => `${line}:${column}`);

/** Decodes everything and looks at each line. */
function naive(content: Buffer, pattern: SearchPattern): string[] {
  const source = pattern.regex ? pattern.text : pattern.text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const expression = new RegExp(source, pattern.matchCase ? "u" : "iu");
  return content
    .toString()
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((text, i) => {
      const match = expression.exec(text.replace(/\r$/, ""));
      return match === null ? [] : [`${i + 1}:${match.index + 1}`];
    });
}

const WORDS = [
  "abc",
  "aBc",
  "ab",
  "ä",
  "Ä",
  "straße",
  "😀",
  "x",
  " ",
  "  ",
  "ſk",
  "K",
  "\t",
  "日本",
  "\r",
  "Ωω",
  "aab",
];

function randomText(random: Random, words: number, lineShare: number): string {
  let text = random.chance(0.2) ? "\ufeff" : "";
  for (let i = 0; i < words; i++) text += random.chance(lineShare) ? random.pick(["\n", "\r\n"]) : random.pick(WORDS);
  return text;
}

describe("searching one content", () => {
  it("P11 finds what a naive search finds, in blocks of any size", async () => {
    await withSeeds(60, (random) => {
      const content = Buffer.from(randomText(random, random.pick([0, 5, 300]), 0.1));
      const text = Array.from({ length: 1 + random.below(3) }, () => random.pick(WORDS))
        .join("")
        .replaceAll("\r", "r");
      for (const pattern of [exact(text), folded(text), regex("a+b|[Ωä]$"), regex("^\\s*x|ß\\b", false)]) {
        const expected = naive(content, pattern);
        expect(places(whole(content, pattern).matches), JSON.stringify(pattern)).toEqual(expected);
        const blocks = inBlocks(content, pattern, [3 + random.below(40), 1 + random.below(40)]);
        expect(places(blocks.matches), JSON.stringify(pattern)).toEqual(expected);
      }
    });
  });

  it("P11 finds text across the borders of blocks and pieces of long lines", async () => {
    await withSeeds(20, (random) => {
      // Lines of up to some 300 KB, longer than what is ever held.
      const content = Buffer.from(randomText(random, 200_000, 0.00005));
      const text = random.pick(["ß😀K", "aab\tΩω", "日本日本x", "straßestraßestraße"]);
      for (const pattern of [exact(text), folded(text)]) {
        const expected = naive(content, pattern);
        const sizes = [1 + random.below(300_000), 65_536];
        expect(places(inBlocks(content, pattern, sizes).matches), text).toEqual(expected);
        expect(places(whole(content, pattern).matches), text).toEqual(expected);
      }
    });
  });

  it.each([
    ["k", "\u212a", true],
    ["S", "\u017f", true],
    ["äÖ", "ÄÖ", true],
    ["ΣΑΣ", "σας", true],
    ["ẞ", "ß", true],
    ["ǆ", "ǅ", true],
    ["𐐀", "𐐨", true],
    ["i", "İ", false],
    ["a", "ä", false],
    ["ä", "ã", false],
  ])("%s and %s are the same when case does not count: %s", (text, other, same) => {
    const content = `one\n  ${other}!\n`;
    expect(places(whole(content, folded(text)).matches)).toEqual(same ? ["2:3"] : []);
    expect(places(whole(content, folded(text)).matches)).toEqual(naive(Buffer.from(content), folded(text)));
    expect(places(whole(content, exact(text)).matches)).toEqual([]);
  });

  it("text is no pattern", () => {
    expect(places(whole("axb\na.b\nA.B\n", exact("a.b")).matches)).toEqual(["2:1"]);
    expect(places(whole("axb\na.b\nA.B\n", folded("a.b")).matches)).toEqual(["2:1", "3:1"]);
    expect(places(whole("[a-z]\\\n", folded("-Z]\\")).matches)).toEqual(["1:3"]);
  });

  it("the preview is the line, or what is around the match in a long one", () => {
    expect(whole("a\n  let ä = 1;\r\nb", exact("ä")).matches).toEqual([
      { line: 2, column: 7, preview: "  let ä = 1;", start: 6, length: 1 },
    ]);
    const long = `${"é".repeat(5_000)}needle${"😀".repeat(5_000)}`;
    for (const pattern of [exact("needle"), folded("needle"), regex("ne+dle")])
      for (const search of [whole(long, pattern), inBlocks(Buffer.from(long), pattern, [1000])]) {
        const [match] = search.matches;
        expect(match?.column).toBe(5_001);
        expect(match?.preview).toMatch(/^é{50}needle(😀){72}$/u);
        expect(match?.preview.slice(match.start, match.start + match.length)).toBe("needle");
      }
    const [cut] = whole("y".repeat(900), exact("y".repeat(800))).matches;
    expect(cut).toEqual({ line: 1, column: 1, preview: "y".repeat(200), start: 0, length: 200 });
  });

  it("a regular expression sees one line, of a very long one the beginning, and is done soon", () => {
    const line = `${"a".repeat(LINE_CHARACTERS - 1)}b${"a".repeat(3_000_000)}c`;
    const content = Buffer.from(`x\n${line}\nc\n`);
    for (const search of [
      (pattern: SearchPattern) => whole(content, pattern),
      (pattern: SearchPattern) => inBlocks(content, pattern, [1 << 20]),
    ]) {
      expect(places(search(regex("b")).matches)).toEqual([`2:${LINE_CHARACTERS}`]);
      expect(places(search(regex("c")).matches)).toEqual(["3:1"]);
      expect(places(search(regex("x\\s|x$")).matches)).toEqual(["1:1"]);
      // Quadratic: over the whole line this would take an hour.
      expect(places(search(regex("a*c$")).matches)).toEqual(["3:1"]);
      expect(places(search(exact("ac")).matches)).toEqual([`2:${LINE_CHARACTERS + 3_000_000}`]);
    }
  });

  it("content with a zero byte near its beginning is no text", () => {
    const far = Buffer.concat([Buffer.from("needle\n".repeat(2_000)), Buffer.from([0])]);
    expect(whole(Buffer.from("needle\0"), exact("needle"))).toMatchObject({ isBinary: true, matches: [] });
    expect(inBlocks(Buffer.from("needle\0"), exact("needle"), [100])).toMatchObject({ isBinary: true, matches: [] });
    expect(whole(far, exact("needle")).matches).toHaveLength(2_000);
  });

  it("lists so many and says that there are more", () => {
    expect(whole("a\na\na\n", exact("a"), 2)).toMatchObject({ hasMore: true, matches: [{ line: 1 }, { line: 2 }] });
    expect(whole("a\na\n", exact("a"), 2)).toMatchObject({ hasMore: false });
    expect(inBlocks(Buffer.from("a\na\na\n"), exact("a"), [2], 2)).toMatchObject({ hasMore: true });
  });

  it("begins anew with each content", () => {
    const search = new LineSearch(compilePattern(folded("x")), 1);
    for (const content of ["x\nx\n", "\n\n\nx"]) {
      search.begin();
      search.add(Buffer.from(content));
      search.end();
    }
    expect(search).toMatchObject({ hasMore: false, matches: [{ line: 4, column: 1 }] });
  });

  it("refuses a text that is too long", () => {
    expect(() => compilePattern(exact("a".repeat(1_001)))).toThrow(/too long/);
  });

  it.each([
    [exact(""), /no text/],
    [exact("a\nb"), /line by line/],
    [regex("(a"), /no valid regular expression: Unterminated group\. Correct it/],
  ])("refuses %j", (pattern, message) => {
    let thrown: unknown;
    try {
      compilePattern(pattern);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "usage", message: expect.stringMatching(message) });
  });
});
