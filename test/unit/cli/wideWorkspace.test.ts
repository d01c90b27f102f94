import { describe, expect, it } from "vitest";
import { wideFolder } from "../../../src/shared/wideFolders";
import { fakeRun, saveResult } from "./fakeEngine";

const save = async () => saveResult();

describe("folders that nobody means to save as a whole", () => {
  it("C18 the home folder, what it lies in, and the top of a disk are told from projects", () => {
    const kinds = (folders: readonly string[], home: string, ignoreCase: boolean) =>
      folders.map((folder) => wideFolder(folder, home, ignoreCase));
    expect(kinds(["/", "/home", "/home/me", "/home/me/", "/home/me/p", "/home/m", "/srv"], "/home/me", false)).toEqual([
      "top",
      "aboveHome",
      "home",
      "home",
      undefined,
      undefined,
      undefined,
    ]);
    const windows = ["C:\\", "d:\\", "C:\\Users", "c:\\users\\ME", "C:\\Users\\me\\p", "\\\\server\\share", "C:\\src"];
    expect(kinds(windows, "C:\\Users\\me", true)).toEqual([
      "top",
      "top",
      "aboveHome",
      "home",
      undefined,
      "top",
      undefined,
    ]);
    // A name may hold a backslash where "/" separates names; and root may live in "/".
    expect(kinds(["/home/a\\b", "/", "/etc"], "/", false)).toEqual([undefined, "top", undefined]);
  });

  it("C18 save refuses one that was not named, and says how to mean it", async () => {
    for (const [cwd, what] of [
      ["/home/me", "your home folder"],
      ["/home", "the folder your home folder is in"],
      ["/", "a whole disk"],
    ] as const) {
      const { code, err, calls } = await fakeRun(["save"], { save }, { cwd });
      expect({ code, calls }).toEqual({ code: 2, calls: [] });
      expect(err).toContain(`${cwd} is ${what}`);
      expect(err).toContain(`--workspace ${cwd}`);
    }
    // A store that lies further up makes the folder no better meant.
    const { code, err } = await fakeRun(
      ["save"],
      { save },
      { cwd: "/home/me/x", nearestStore: async () => "/home/me" },
    );
    expect(code).toBe(2);
    expect(err).toContain("your home folder");
  });

  it("C18 named, it is saved; and other commands work there", async () => {
    for (const argv of [
      ["save", "--workspace", "/home/me"],
      ["--workspace", ".", "save"],
    ]) {
      const { code, calls } = await fakeRun(argv, { save }, { cwd: "/home/me" });
      expect([code, calls.map(([method]) => method)]).toEqual([0, ["save"]]);
    }
    expect((await fakeRun(["list"], { list: async () => [] }, { cwd: "/home/me" })).code).toBe(0);
    expect((await fakeRun(["save"], { save }, { cwd: "/home/me/project" })).code).toBe(0);
  });
});
