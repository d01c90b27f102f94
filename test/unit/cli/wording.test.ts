import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { forCommandLine } from "../../../src/cli/advice";
import { CheckpointError } from "../../../src/shared/errors";
import type { Skipped } from "../../../src/shared/saves";
import { checkpoint, fakeRun, saveResult } from "./fakeEngine";

describe("advice", () => {
  it("C21 what the core advises has its name on the command line", async () => {
    const answers = {
      gc: async () => {
        throw new CheckpointError("damaged", 'A pack is damaged. Run "Verify Store" to see more.');
      },
    };
    const wanted = 'A pack is damaged. Run "checkpoint verify" to see more.';
    expect((await fakeRun(["gc"], answers)).err).toBe(`checkpoint: ${wanted}\n`);
    expect(JSON.parse((await fakeRun(["gc", "--json"], answers)).out).error).toEqual({
      code: "damaged",
      message: wanted,
    });
  });

  it("C21 every command that the core advises by its title in VS Code has a name on the command line", () => {
    const root = join(import.meta.dirname, "../../..");
    const texts = JSON.parse(readFileSync(join(root, "package.nls.json"), "utf8")) as Record<string, string>;
    const titles = Object.entries(texts).flatMap(([key, title]) => (key.startsWith("command.") ? [title] : []));
    const files = readdirSync(join(root, "src/core"), { recursive: true, encoding: "utf8" });
    const sources = [...files.map((file) => join(root, "src/core", file)), join(root, "src/shared/errors.ts")]
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(file, "utf8"));
    const advised = titles.filter((title) =>
      sources.some((source) => source.includes(`run "${title}"`) || source.includes(`Run "${title}"`)),
    );
    expect(advised).toContain("Verify Store");
    for (const title of advised)
      expect(forCommandLine(`Run "${title}".`)).toMatch(/^Run "checkpoint [a-z]+( --[a-z]+)?"\.$/);
  });

  it.each([
    [["save", "--nonsense"], '"checkpoint save --help"'],
    [["diff"], '"checkpoint diff --help"'],
    [["--nonsense"], '"checkpoint --help"'],
    [["nonsense"], '"checkpoint --help"'],
  ])("a wrong line is pointed to the help that fits: %j", async (argv, help) => {
    const { code, err } = await fakeRun(argv);
    expect(code).toBe(2);
    expect(err).toContain(`See ${help}.`);
  });
});

describe("help", () => {
  it("is there for every command, with the options all of them take", async () => {
    const all = await fakeRun(["help"]);
    expect(all).toMatchObject({ code: 0, out: (await fakeRun(["--help"])).out });
    const one = await fakeRun(["help", "restore"]);
    expect(one).toMatchObject({ code: 0, out: (await fakeRun(["restore", "--help"])).out });
    expect(one.out).toContain("--dry-run");
    expect(one.out).toContain("--workspace");
  });

  it("of a command that does not exist is an error", async () => {
    const { code, out, err } = await fakeRun(["help", "nope"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toBe('checkpoint: There is no command "nope". "checkpoint --help" lists them.\n');
  });

  it("names the default store, and promises no clearing up that does not happen", async () => {
    const { out } = await fakeRun(["--help"]);
    expect(out.replace(/\s+/g, " ")).toContain("then /home/me/.local/share/checkpoint)");
    for (const command of ["save", "pin", "unpin"])
      expect((await fakeRun([command, "--help"])).out).not.toMatch(/retention|\bthin/);
  });

  it("-v is --version", async () => {
    expect((await fakeRun(["-v"])).out).toBe((await fakeRun(["--version"])).out);
  });
});

describe("what is printed", () => {
  const tooLarge = (i: number): Skipped => ({
    path: `big${i}`,
    reason: "too-large",
    message: "52428800 bytes is above the limit of 1048576",
  });

  it("C12 of many files left out the first ten are named, sizes readable", async () => {
    const skipped = Array.from({ length: 1010 }, (_, i) => tooLarge(i));
    const { err } = await fakeRun(["save"], { save: async () => saveResult({ skipped }) });
    const lines = err.trimEnd().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("Left out: big0: 52.4 MB is above the limit of 1.0 MB");
    expect(lines[10]).toBe("… and 1,000 more (--json lists all)");
    const json = await fakeRun(["save", "--json"], { save: async () => saveResult({ skipped }) });
    expect(JSON.parse(json.out).skipped).toHaveLength(1010);
  });

  it.each(["", "  "])("a name that is empty is a wrong line: %j", async (name) => {
    const { code, err, calls } = await fakeRun(["save", "-m", name]);
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(err).toContain("The name is empty.");
  });

  it("show names the parent as people call it, also one that is gone", async () => {
    const shown = { checkpoint: checkpoint(), changes: [], totalChanges: 0, skipped: [] };
    const known = await fakeRun(["show", "12"], {
      show: async () => shown,
      resolve: async () => checkpoint({ number: 11, name: null }),
    });
    expect(known.out).toMatch(/^Parent: +#11$/m);
    const gone = await fakeRun(["show", "12"], {
      show: async () => shown,
      resolve: async () => {
        throw new CheckpointError("not-found", "none");
      },
    });
    expect(gone.out).toMatch(/^Parent: +019ab000-\S+, deleted since$/m);
  });

  it("a terminal that says it has 0 columns is taken for one of 80", async () => {
    const answers = { list: async () => [checkpoint({ name: "a name ".repeat(30) })] };
    const wide = await fakeRun(["list"], answers, { stdoutColumns: 80, env: { NO_COLOR: "1" } });
    expect((await fakeRun(["list"], answers, { stdoutColumns: 0, env: { NO_COLOR: "1" } })).out).toBe(wide.out);
    expect(wide.out).toContain("CREATED");
  });
});
