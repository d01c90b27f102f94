import fc from "fast-check";
import ignore from "ignore";
import { describe, expect, it } from "vitest";
import { nameFilter } from "../../../src/core/scan/nameFilter";

const letter = fc.constantFrom("a", "b", "A", ".", "-", "_", "é", " ", "#", "!", "(", "+", "$", "{", ",", "1");
const special = fc.constantFrom(
  "*",
  "**",
  "?",
  "[ab]",
  "[!a]",
  "[^b]",
  "[a-c]",
  "\\",
  "\\*",
  "\\ ",
  "\\#",
  "/",
  "[",
  "]",
  "[]a]",
);
const pattern = fc
  .tuple(
    fc.constantFrom("", "", "", "!", "/", "#", "**/", "a/"),
    fc.array(fc.oneof(letter, letter, special), { maxLength: 6 }),
    fc.constantFrom("", "", "/", "/**", " ", "\\ "),
  )
  .map(([start, middle, end]) => start + middle.join("") + end);
const name = fc
  .array(fc.oneof(letter, fc.constantFrom("*", "?", "[", "]", "\\", "*.log")), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(""))
  .filter((text) => text !== "." && text !== "..");

/** Byte strings are what the scan hands in. */
const bytes = (text: string): string => Buffer.from(text).toString("latin1");

describe("the filter in front of the ignore package", () => {
  for (const ignoreCase of [false, true])
    it(`C6 never says "cannot match" of what the package matches (ignoreCase ${ignoreCase})`, () => {
      fc.assert(
        fc.property(
          fc.array(pattern, { minLength: 1, maxLength: 4 }),
          fc.array(name, { minLength: 1, maxLength: 3 }),
          fc.boolean(),
          (patterns, names, isFolder) => {
            const last = names.at(-1) ?? "";
            const filter = nameFilter(patterns, ignoreCase);
            if (filter(bytes(last))) return;
            const matcher = ignore({ ignorecase: ignoreCase, allowRelativePaths: true }).add(patterns);
            // Folders on the way are in, or the path would not have been looked at.
            for (let i = 1; i < names.length; i++) if (matcher.test(`${names.slice(0, i).join("/")}/`).ignored) return;
            const { ignored, unignored } = matcher.test(names.join("/") + (isFolder ? "/" : ""));
            expect({ patterns, names, ignored, unignored }).toEqual({
              patterns,
              names,
              ignored: false,
              unignored: false,
            });
          },
        ),
        // The first example was found by chance: a slash inside a bracket that is never closed.
        // A tab at the end is no space but part of the name.
        {
          numRuns: 20_000,
          examples: [
            [["[/a[ab]"], ["["], false],
            [["a\t"], ["a\t"], false],
          ],
        },
      );
    });

  it("C6 spares the package most names", () => {
    const filter = nameFilter(
      ["*.o", "*.ko", "/vmlinux", "node_modules/", "!.gitignore", "build-*/", "docs/*.pdf"],
      false,
    );
    for (const yes of ["x.o", "vmlinux", "node_modules", ".gitignore", "build-1", "a.pdf", "\xc3\xa9"])
      expect(filter(yes)).toBe(true);
    for (const no of ["x.c", "Makefile", "main.ts", "o", "ko", "build", "README"]) expect(filter(no)).toBe(false);
  });
});
