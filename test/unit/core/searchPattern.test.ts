import { describe, expect, it } from "vitest";
import { foldedFinder } from "../../../src/core/pipeline/foldedFinder";
import { requiredText } from "../../../src/core/pipeline/requiredText";
import { compilePattern } from "../../../src/core/pipeline/searchPattern";
import { type Random, withSeeds } from "../../support/seeded";

describe("the text that every match has", () => {
  it.each([
    ["plain", "plain"],
    ["quixotic[-_]\\w+ \\d+", "quixotic"],
    ["colou?r: (\\w+)\\.png$", "colo"],
    ["^import .* from", "import "],
    ["xyza+bc", "xyza"],
    ["xyzab{0,3}cd", "xyza"],
    ["ab{2}?cdef", "cdef"],
    ["abc\\.def\\/ghi", "abc.def/ghi"],
    ["(abc|def)?ghij", "ghij"],
    ["[|)(\\]]abcd", "abcd"],
    ["(?<!x(y[)]))abcd", "abcd"],
    ["abcd😀*", "abcd"],
    ["\\bword\\b", "word"],
  ])("of /%s/ is %j", (source, text) => {
    expect(requiredText(source)).toBe(text);
  });

  it.each([
    "abcd|efgh",
    "\\x41bcd",
    "\\u0041bcd",
    "\\p{L}bcde",
    "(abcd)",
    "[abcd]",
    "a.b.c.d",
    "abc?",
    "ab\ufffdc",
    "",
    "(a)\\1bcd",
  ])("of /%s/ is none that is sure or worth it", (source) => {
    expect(requiredText(source)).toBeUndefined();
  });

  it("P11 is in every match of any expression", async () => {
    let required = 0;
    await withSeeds(300, async (random) => {
      const source = randomExpression(random, 2);
      const text = requiredText(source);
      if (text === undefined) return;
      required++;
      for (let i = 0; i < 200; i++) {
        const line = Array.from({ length: 14 }, () => random.pick(["a", "b", "c", "A"])).join("");
        const match = new RegExp(source, "iu").exec(line);
        if (match !== null) expect(match[0].toLowerCase(), source).toContain(text.toLowerCase());
      }
    });
    expect(required).toBeGreaterThan(20);
  });
});

describe("text whatever its case", () => {
  const ALPHABET = [..."aAbkKsS.-éÉσςΣßẞⱥȺ\u212a\u017fǆǅ"];

  it("P11 is found where a regular expression finds it", async () => {
    let found = 0;
    await withSeeds(300, async (random) => {
      const letters = random.chance(0.5) ? ALPHABET.slice(0, 9) : ALPHABET;
      const textOf = (length: number): string => Array.from({ length }, () => random.pick(letters)).join("");
      const text = textOf(random.below(5) + 1);
      const content = textOf(random.below(200));
      const finder = compilePattern({ text, regex: false, matchCase: false });
      if (finder.kind !== "bytes") throw new Error("It is no expression.");
      finder.finder.load(Buffer.from(content));
      const escaped = text.replaceAll(/[.]/g, "\\$&");
      let from = 0;
      for (const match of content.matchAll(new RegExp(escaped, "giu"))) {
        const at = Buffer.byteLength(content.slice(0, match.index));
        expect(finder.finder.find(from), `${text} in ${content}`).toBe(at);
        expect(finder.finder.length).toBe(Buffer.byteLength(match[0]));
        from = at + finder.finder.length;
        found++;
      }
      expect(finder.finder.find(from)).toBe(-1);
    });
    expect(found).toBeGreaterThan(100);
  });

  it("is not put together from bytes of different spellings", () => {
    // σ is CF 83, Σ is CE A3; CF A3 is another letter.
    const finder = foldedFinder([
      ["σ", "Σ"],
      ["x", "X"],
    ]);
    finder.load(Buffer.concat([Buffer.from([0xcf, 0xa3]), Buffer.from("xΣX")]));
    expect(finder.find(0)).toBe(3);
  });
});

function randomExpression(random: Random, depth: number): string {
  const piece = (): string => {
    const plain = Array.from({ length: random.below(4) + 1 }, () => random.pick(["a", "b", "c"])).join("");
    const choice = random.below(depth > 0 ? 7 : 4);
    if (choice < 3) return plain + random.pick(["", "", "?", "*", "+", "{2}", "{0,1}?", "+?"]);
    if (choice === 3) return random.pick(["[ab]", ".", "\\w", "[^|)c]", "\\b", "^"]);
    const open = random.pick(["(", "(?:", "(?=", "(?<!"]);
    const inner = `${randomExpression(random, depth - 1)}${random.pick(["", "|b"])}`;
    return `${open}${inner})${open.length < 3 || open === "(?:" ? random.pick(["", "?", "*"]) : ""}`;
  };
  return Array.from({ length: random.below(3) + 1 }, piece).join("");
}
