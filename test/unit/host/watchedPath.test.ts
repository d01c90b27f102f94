import { describe, expect, it } from "vitest";
import { savedPathFor } from "../../../src/host/watchedPath";
import { watcherHidesSaved } from "../../../src/host/watcherExcludes";
import { TEMP_PREFIX } from "../../../src/shared/leftOutNames";

describe("watched paths", () => {
  it("C17 version control concerns no save", () => {
    for (const path of [".git", ".git/index", "nested/.git/HEAD", "a/.svn", `src/${TEMP_PREFIX}7/x`])
      expect(savedPathFor(path, "linux")).toBeUndefined();
    expect(savedPathFor(".gitignore", "linux")).toBe(".gitignore");
  });

  it("C2 where a name may not be the one on disk, the folder it is in stands for it", () => {
    expect(savedPathFor("a/b\uFFFDc/d", "linux")).toBe("a");
    expect(savedPathFor("\uFFFD", "linux")).toBe("");
    expect(savedPathFor("a/b\\xff", "linux")).toBe("a");
    expect(savedPathFor("a/\u00e9/f", "darwin")).toBe("a");
    expect(savedPathFor("a/\u00e9/f", "linux")).toBe("a/\u00e9/f");
    expect(savedPathFor("a/b c/d.ts", "darwin")).toBe("a/b c/d.ts");
  });
});

describe("files.watcherExclude", () => {
  const scan = { includeDependencies: false, exclude: [] };
  const hides = (patterns: Record<string, unknown> | undefined, options = {}, folder = "/home/me/project") =>
    watcherHidesSaved(patterns, folder, { ...scan, ...options });
  const defaults = { "**/.git/objects/**": true, "**/.git/subtree-cache/**": true, "**/.hg/store/**": true };
  const older = { ...defaults, "**/node_modules/*/**": true };

  it("C6 by default hides nothing that is saved", () => {
    expect(hides(undefined)).toBe(false);
    expect(hides({})).toBe(false);
    expect(hides(older)).toBe(false);
    expect(hides({ "**/.git": true, ".git/**": true, "/home/me/project/.venv/**": true })).toBe(false);
  });

  it("C6 anything that could cover saved files does", () => {
    for (const pattern of [
      "**",
      "**/dist/**",
      "**/*.log",
      "/home/me/project/data",
      "{**/.git/**,**/out/**}",
      "a\\.git\\**",
    ])
      expect(hides({ ...defaults, [pattern]: true }), pattern).toBe(true);
    expect(hides({ "**/*.git/**": true })).toBe(true);
    expect(hides({ "**/dist/**": false })).toBe(false);
    expect(watcherHidesSaved("**", "/home/me/project", scan)).toBe(true);
  });

  it("C6 excluded dependencies matter when dependencies are saved, or may be", () => {
    expect(hides(older, { includeDependencies: true })).toBe(true);
    expect(hides(older, { exclude: ["*.tmp", "!node_modules/mine/"] })).toBe(true);
    expect(hides(older, { exclude: ["*.tmp"] })).toBe(false);
    expect(hides(defaults, { includeDependencies: true })).toBe(false);
  });

  it("C6 in a folder that itself lies in such a place, the defaults cover everything", () => {
    expect(hides(older, {}, "/home/me/project/node_modules/left-pad")).toBe(true);
    expect(hides({ "**/.git/**": false }, {}, "/srv/.git/hooks")).toBe(false);
  });
});
