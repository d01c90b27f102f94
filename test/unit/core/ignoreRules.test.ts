/** What the lines of an ignore file mean together, whichever of the two matchers judges them. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import ignore from "ignore";
import { describe, expect, it } from "vitest";
import { FolderRules } from "../../../src/core/scan/ignoreRules";
import { isComplicated, judgeOf } from "../../../src/core/scan/wildcards";
import { byteString } from "../../../src/shared/pathText";
import { type Random, withSeeds } from "../../support/seeded";
import { tempFolder } from "../../support/tempFolders";
import { openTestEngine } from "../../support/testEngine";
import { createTree, type TreeLiteral } from "../../support/treeLiteral";

const bytes = (text: string) => byteString(Buffer.from(text));

type IsOut = (path: string, isFolder: boolean) => boolean;

/** What a scan comes by: it enters no folder that is out. */
function walk(tree: TreeLiteral, isOut: IsOut, base = ""): string[] {
  return Object.entries(tree).flatMap(([name, content]) => {
    const isFolder = typeof content === "object";
    const path = base + name;
    if (isOut(path, isFolder)) return [];
    return [path, ...(isFolder ? walk(content as TreeLiteral, isOut, `${path}/`) : [])];
  });
}

function byThePackage(lines: readonly string[], ignoreCase: boolean): IsOut {
  const matcher = ignore({ ignorecase: ignoreCase, allowRelativePaths: true }).add(lines);
  return (path, isFolder) => matcher.test(isFolder ? `${path}/` : path).ignored;
}

function byRules(lines: readonly string[], ignoreCase: boolean): IsOut {
  const options = { useGitignore: true, includeDependencies: true, exclude: [], withoutSecrets: false, ignoreCase };
  const rules = FolderRules.root(options, (text) => text).within(bytes(""), [
    { name: ".gitignore", text: lines.join("\n") },
  ]);
  return (path, isFolder) => rules.excludes(bytes(path), bytes(path.split("/").at(-1) ?? ""), isFolder);
}

const NAMES = ["a", "b", "ab", "ba", "a.b", "aab", "x", "A", "*", "[", "a b", "a ", "-", "1", "é", "#a", "!a", "]"];
const PIECES = ["a", "a", "b", "b", "*", "*", "?", ".", "x", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[[:alpha:]]"];
const ODD_PIECES = [
  "\\*",
  "\\a",
  "[",
  "[a/b]",
  "[b-a]",
  "[[:no:]]",
  "[+-b]",
  "\\[",
  "[\\]a]",
  "[a-]",
  " ",
  "\\ ",
  "é",
  "]",
];
/** Matches nothing of the tree, and has the file judged by our own matcher. */
const COMPLICATED = "**/no/**/no/**/no";

function randomTree(random: Random, depth = 3): TreeLiteral {
  const names = Array.from({ length: 5 }, () => random.pick(NAMES));
  return Object.fromEntries(
    names.map((name) => [name, depth > 0 && random.chance(0.6) ? randomTree(random, depth - 1) : "1"]),
  );
}

function randomLine(random: Random): string {
  const segment = (): string => {
    if (random.chance(0.25)) return random.pick(["**", "**", "***", "*"]);
    const piece = (): string => random.pick(random.chance(0.2) ? ODD_PIECES : PIECES);
    return Array.from({ length: 1 + random.below(3) }, piece).join("");
  };
  const middle = Array.from({ length: 1 + random.below(3) }, segment).join("/");
  const start = random.pick(["", "", "!", "!", "!/", "/", "/", "#", "\\#", "\\!"]);
  return start + middle + random.pick(["", "", "/", " ", "\\ "]);
}

describe("the lines of an ignore file", () => {
  for (const ignoreCase of [false, true])
    it(`C6 mean together what they mean to the ignore package, on every path of a tree (ignoreCase ${ignoreCase})`, () =>
      withSeeds(1_500, (random) => {
        const tree = randomTree(random);
        const lines = Array.from({ length: 1 + random.below(5) }, () => randomLine(random));
        const expected = { lines, in: walk(tree, byThePackage(lines, ignoreCase)) };
        const judge = judgeOf(lines, ignoreCase);
        expect({ lines, in: walk(tree, (path, isFolder) => judge(path, isFolder) === true) }).toEqual(expected);
        expect({ lines, in: walk(tree, byRules(lines, ignoreCase)) }).toEqual(expected);
        expect({ lines, in: walk(tree, byRules([COMPLICATED, ...lines, COMPLICATED], ignoreCase)) }).toEqual(expected);
      }));

  const named: readonly (readonly string[])[] = [
    ["/*", "**/__pycache__/**/*.pyc", "!/src/"],
    ["/*", COMPLICATED, "!/src/"],
    ["/src/*", "**/x*y*z/**", COMPLICATED, "!/src/keep/"],
    ["src*/", "!**/s*r*c*/", COMPLICATED],
    ["build/", "**/bin/**/*.dll", COMPLICATED],
    ["/***/*?*", COMPLICATED],
    ["***", "!src/", "!src/***", COMPLICATED],
    ["src/[a-z/]*", "[ma", "*.d[l/]l", COMPLICATED],
  ];
  for (const lines of named)
    it(`C6 mean what they mean to git: ${lines.join(", ")}`, () => {
      const inner = { "main.py": "1", "x.dll": "1", bin: { deep: { "x.dll": "1", ü: "1" } }, keep: { "x.txt": "1" } };
      const tree: TreeLiteral = { src: inner, build: inner, b: "1", "main.py": "1", "[ma": "1" };
      const folder = tempFolder("git-rules");
      createTree(folder, tree);
      fs.writeFileSync(join(folder, ".gitignore"), lines.join("\n"));
      execFileSync("git", ["init", "-q"], { cwd: folder });
      const options = { cwd: folder, encoding: "utf8" } as const;
      const args = ["-c", "core.quotePath=false", "ls-files", "--others", "--exclude-standard"];
      const isFile = (path: string): boolean => fs.statSync(join(folder, path)).isFile();
      const listed = execFileSync("git", args, options).split("\n");
      const byGit = listed.filter((path) => path !== "" && path !== ".gitignore" && path !== '"[ma"');
      expect(walk(tree, byRules(lines, false)).filter(isFile).sort()).toEqual(byGit.sort());
    });

  it("C6 that are ordinary are left to the ignore package, those that could take for ever are not", () => {
    for (const line of ["**/bin/**/*.dll", "**/__pycache__/**/*.pyc", "**/[Bb]in/**/*.dll", "*a*b*c*d*", "**/a/**/*"])
      expect(isComplicated(line), line).toBe(false);
    for (const line of [COMPLICATED, "a/**/a/**/a/**/b", "***/a/***/a/**/b", "*[+-a]*[+-a]*[+-a]*b", "x".repeat(1_001)])
      expect(isComplicated(line), line).toBe(true);
  });
});

it("C6 what lies in a folder that is out is out, whoever asks", () => {
  const isOut = byRules(["build/", "!x", COMPLICATED], false);
  expect([isOut("build/x", false), isOut("build/a/x", false), isOut("x", false)]).toEqual([true, true, false]);
});

describe("a folder that a later line takes back in", () => {
  const saved = async (tree: TreeLiteral, exclude: readonly string[] = []): Promise<string[]> => {
    const w = await openTestEngine(tree, { scan: { exclude } });
    await w.checkpoint();
    return (await w.engine.show("latest")).changes.map(({ path }) => path).sort();
  };

  it("C6 is saved with what is in it where an inner file overrules an outer one, or a file the settings", async () => {
    // "ü" and "x.log" are names that the quick test leaves to the matchers.
    const build = { "x.log": "1", ü: "1" };
    const inner = { ".gitignore": "build/\n!*.log\n", sub: { ".gitignore": "!build/\n", build } };
    const all = ["build/x.log", "build/ü"];
    expect(await saved(inner)).toEqual([".gitignore", "sub/.gitignore", ...all.map((path) => `sub/${path}`)]);
    expect(await saved({ ".gitignore": "!build/\n", build }, ["build/"])).toEqual([".gitignore", ...all]);
    const own = { ".checkpointignore": "build/\n", sub: { ".checkpointignore": "!build/\n", build } };
    expect(await saved(own)).toEqual([
      ".checkpointignore",
      "sub/.checkpointignore",
      ...all.map((path) => `sub/${path}`),
    ]);
  });

  for (const line of ["**/__pycache__/**/*.pyc", "**/a/**/__pycache__/**/*.pyc"]) {
    it(`C6 is saved with what is in it, whatever is between the lines: ${line}`, async () => {
      const src = { "main.py": "1", a: { __pycache__: { "x.pyc": "1" } } };
      expect(await saved({ ".gitignore": `/*\n${line}\n!/src/\n`, src, out: "1" })).toEqual([
        ".gitignore",
        "src/a/__pycache__/",
        "src/main.py",
      ]);
    });

    it(`C6 is saved with what is in it where .checkpointignore does so: ${line}`, async () => {
      const build = { "x.dll": "1", "x.pyc": "1", "ü.txt": "1", a: { "ö.dll": "1", __pycache__: { "x.pyc": "1" } } };
      const tree = { ".gitignore": `build/\n${line}\n`, ".checkpointignore": "!build/\n", build };
      expect(await saved(tree)).toEqual([
        ...[".checkpointignore", ".gitignore", "build/a/__pycache__/", "build/a/ö.dll", "build/x.dll", "build/x.pyc"],
        "build/ü.txt",
      ]);
    });
  }
});
