import { describe, expect, it } from "vitest";
import { versionPage } from "../../../src/host/fileVersions";
import type { Root } from "../../../src/host/workspaceFolders";

const COUNT = 7;

/** A root whose file has versions #7 … #1. */
const root = {
  engine: {
    history: async (_path: string, { limit, before }: { limit: number; before?: number }) =>
      Array.from({ length: COUNT }, (_, index) => ({ kind: "changed", checkpoint: { number: COUNT - index } }))
        .filter(({ checkpoint }) => before === undefined || checkpoint.number < before)
        .slice(0, limit),
  },
} as unknown as Root;

describe("file versions", () => {
  it("V8 pages meet without gap or overlap, and each version knows its predecessor", async () => {
    const seen: [number, number | undefined][] = [];
    let before: number | undefined;
    do {
      const page = await versionPage(root, "a.ts", 3, before);
      for (const { version, older } of page.versions) seen.push([version.checkpoint.number, older?.checkpoint.number]);
      before = page.next;
    } while (before !== undefined);
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => [number, number > 1 ? number - 1 : undefined]));
  });

  it("V8 a page that ends with the last version has no next", async () => {
    expect((await versionPage(root, "a.ts", COUNT)).next).toBeUndefined();
  });
});
