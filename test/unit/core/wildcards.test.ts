import ignore from "ignore";
import { describe, expect, it } from "vitest";
import { nameFilter } from "../../../src/core/scan/nameFilter";
import { isComplicated } from "../../../src/core/scan/wildcards";
import { withSeeds } from "../../support/seeded";
import { openTestEngine } from "../../support/testEngine";

describe("patterns with many wildcards", () => {
  it("C6 the quick test of a name never says no to what one of them matches", () =>
    withSeeds(300, (random) => {
      const pieces = ["a", "b", "*", "?", "[ab]", "[!a]", ".", "\\*", "\\a"];
      const pattern = Array.from({ length: 1 + random.below(6) }, () => random.pick(pieces)).join("");
      for (let i = 0; i < 40; i++) {
        const name = Array.from({ length: 1 + random.below(6) }, () => random.pick(["a", "b", ".", "*"])).join("");
        if (name === "." || name === "..") continue;
        if (ignore({ ignorecase: false, allowRelativePaths: true }).add([pattern]).ignores(name))
          expect([pattern, name, nameFilter([pattern], false)(name)]).toEqual([pattern, name, true]);
      }
    }));

  it("C6 keep their place between the others", async () => {
    const many = "**/**/**/k*e*p*";
    expect(isComplicated(many)).toBe(true);
    const w = await openTestEngine({
      ".gitignore": `*.log\n!${many}\nkeep-not.log\n`,
      "x.log": "1",
      "keep.log": "1",
      "keep-not.log": "1",
    });
    await w.checkpoint();
    expect((await w.engine.readDirectory("latest", "")).map(({ name }) => name)).toEqual([".gitignore", "keep.log"]);
  });

  it("C6 V21 made to take for ever, or too long to be compiled, do not keep a save from ending", async () => {
    const evil = [
      `*${"a*".repeat(30)}b`,
      `**/${"a/**/".repeat(30)}b`,
      `${"*a*/".repeat(20)}b`,
      `!${"?*".repeat(200)}b`,
      `*${"[+-a]*".repeat(30)}b`,
      "x".repeat(200_000),
      "[".repeat(200_000),
      "[:".repeat(100_000),
      "[".repeat(5_000),
      `${"[a-z]*".repeat(100)}b`,
    ].join("\n");
    const deep: { [name: string]: string | typeof deep } = { ["a".repeat(200)]: "1" };
    let tree = deep;
    for (let i = 0; i < 15; i++) tree = { ["a".repeat(i % 2 === 0 ? 1 : 60)]: tree, "a.txt": "1" };
    const w = await openTestEngine({
      ".gitignore": evil,
      ".checkpointignore": evil,
      [`b${"a".repeat(200)}`]: "1",
      tree,
    });
    const { checkpoint, skipped } = await w.save();
    expect(skipped).toEqual([]);
    expect(checkpoint?.files).toBe(19);
    await w.engine.coverage(w.scan);
  });
});

it("C6 a folder that is marked as a cache is saved when it is the workspace itself", async () => {
  const tag = { "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55" };
  const w = await openTestEngine({ ...tag, a: "1", inner: { ...tag, b: "1" } });
  expect((await w.checkpoint()).files).toBe(2);
  w.write("a", "2");
  expect((await w.checkpoint()).changed).toBe(1);
});
