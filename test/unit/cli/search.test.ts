import { describe, expect, it } from "vitest";
import type { SearchMatch, SearchResult } from "../../../src/shared/searches";
import { CREATED, checkpoint, fakeRun } from "./fakeEngine";

const { id, name } = checkpoint();

function match(change: Partial<SearchMatch> & { number?: number } = {}): SearchMatch {
  const { number = 12, ...rest } = change;
  return {
    path: "src/a.ts",
    hash: "h12",
    checkpoint: { id, number, createdAt: CREATED, name },
    deleted: false,
    line: 10,
    column: 3,
    preview: "  needle",
    start: 2,
    length: 6,
    ...rest,
  };
}

const result = (matches: readonly SearchMatch[], change: Partial<SearchResult> = {}): SearchResult => ({
  matches,
  files: 7019,
  contents: 9000,
  bytes: 55_937_474,
  binary: 0,
  limitReached: false,
  cutContents: 0,
  unreadable: [],
  ...change,
});

describe("search", () => {
  it("hands over every option", async () => {
    const answers = { search: async () => result([]) };
    const plain = await fakeRun(["search", "a b"], answers);
    expect(plain.calls).toEqual([["search", { text: "a b", regex: false, matchCase: false, deleted: false }]]);
    const line = ["search", "-e", "a+", "--path", "*.ts", "--deleted", "--case-sensitive", "--limit", "5"];
    const { calls } = await fakeRun(line, answers);
    expect(calls).toEqual([
      ["search", { text: "a+", regex: true, matchCase: true, deleted: true, path: "*.ts", limit: 5 }],
    ]);
    expect((await fakeRun(["search", "x", "--limit", "0"], answers)).code).toBe(2);
    expect((await fakeRun(["search"], answers)).code).toBe(2);
  });

  it("prints lines by file and says what is deleted", async () => {
    const matches = [
      match({ number: 3, path: "b/gone\n.ts", deleted: true, preview: "\tneedle \u001b[31m", start: 1 }),
      match(),
      match({ line: 11, preview: "needles", start: 0 }),
    ];
    const { out, err, code } = await fakeRun(["search", "needle"], { search: async () => result(matches) });
    expect(out.split("\n")).toEqual([
      "#3   (deleted) b/gone\\x0a.ts:10:     needle \\x1b[31m",
      "#12  src/a.ts:10:   needle",
      "#12  src/a.ts:11: needles",
      "",
    ]);
    expect(err).toBe("3 matches in 9,000 versions of 7,019 files (55.9 MB).\n");
    expect(code).toBe(0);
  });

  it("shows a line once that older versions have as well, wherever it stood", async () => {
    const matches = [
      match(),
      match({ line: 20 }),
      match({ number: 9, hash: "h9", line: 8 }),
      match({ number: 9, hash: "h9", line: 9, preview: "another needle" }),
      match({ number: 2, hash: "h2", line: 8 }),
      match({ number: 2, hash: "h2", line: 18 }),
      match({ number: 2, hash: "h2", line: 28 }),
    ];
    const { out } = await fakeRun(["search", "needle"], { search: async () => result(matches) });
    expect(out.split("\n")).toEqual([
      "#12  (also in 2 older versions) src/a.ts:10:   needle",
      "#12  (also in 1 older version) src/a.ts:20:   needle",
      "#9   src/a.ts:9: another needle",
      "#2   src/a.ts:28:   needle",
      "",
    ]);
  });

  it("finding nothing is an answer, on stderr", async () => {
    const { code, out, err } = await fakeRun(["search", "x"], { search: async () => result([], { binary: 3 }) });
    expect([code, out]).toEqual([0, ""]);
    expect(err).toBe("Nothing found in 9,000 versions of 7,019 files (55.9 MB); 3 that are no text left out.\n");
  });

  it("tells a path pattern that fits nothing from a text that is nowhere", async () => {
    const { code, err } = await fakeRun(["search", "x", "--path", "*.{c,h}"], {
      search: async () => result([], { files: 0, contents: 0, bytes: 0 }),
    });
    expect([code, err]).toEqual([0, 'No file of any checkpoint matches --path "*.{c,h}".\n']);
  });

  it("says what was cut or could not be searched", async () => {
    const unreadable = [
      { path: "b\u001b", checkpoint: match().checkpoint, message: 'It is damaged. Run "Verify Store".' },
    ];
    const cut = result([match()], { limitReached: true, cutContents: 2, unreadable });
    const { code, err } = await fakeRun(["search", "x"], { search: async () => cut });
    expect(code).toBe(5);
    expect(err.split("\n")).toEqual([
      'Not searched: b\\x1b of #12: It is damaged. Run "checkpoint verify".',
      "Of 2 versions with more than 100 matching lines, the first 100 are listed.",
      "Only the first match; there may be more (--limit, --path).",
      "",
    ]);
  });

  it("names a few of the many that could not be searched", async () => {
    const one = { path: "b", checkpoint: match().checkpoint, message: "m" };
    const { err } = await fakeRun(["search", "x"], {
      search: async () => result([], { unreadable: Array.from({ length: 1_012 }, () => one) }),
    });
    expect(err.split("\n").filter((line) => line === "Not searched: b of #12: m")).toHaveLength(10);
    expect(err).toContain("… and 1,002 more (--json lists all)\n");
  });

  it("--json prints one object with everything", async () => {
    const cut = result([match({ deleted: true })], {
      unreadable: [{ path: "b", checkpoint: match().checkpoint, message: "m" }],
    });
    const { out, err } = await fakeRun(["search", "x", "--json"], { search: async () => cut });
    const place = { id, number: 12, created: "2026-11-20T08:30:15.250Z", name };
    expect(JSON.parse(out)).toEqual({
      matches: [
        {
          path: "src/a.ts",
          line: 10,
          column: 3,
          preview: "  needle",
          start: 2,
          length: 6,
          deleted: true,
          hash: "h12",
          ...place,
        },
      ],
      files: 7019,
      contents: 9000,
      bytes: 55_937_474,
      binary: 0,
      limitReached: false,
      cutContents: 0,
      unreadable: [{ path: "b", message: "m", ...place }],
    });
    expect(err).toBe("");
  });
});
