/** The built command line as scripts and people meet it: real processes, real folders. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const CLI = path.resolve(__dirname, "../../../dist/cli.js");

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly bytes: Buffer;
  readonly err: string;
}

let base: string;
let workspace: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), "checkpoint-cli-")));
  workspace = path.join(base, "ws");
  mkdirSync(path.join(workspace, "src"), { recursive: true });
  write("src/a.ts", "one\n");
  write("src/b.ts", "two\n");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(path.join(workspace, name), content);
}

function cli(argv: readonly string[], env: Record<string, string> = {}, cwd = workspace): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, ...argv],
      {
        cwd,
        encoding: "buffer",
        maxBuffer: 1 << 28,
        env: { ...process.env, CHECKPOINT_STORE: `${base}/store`, ...env },
      },
      (_error, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, out: stdout.toString(), bytes: stdout, err: stderr.toString() }),
    );
  });
}

/** A command that must succeed, and its JSON object: exactly one line on stdout. */
async function json(...argv: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await cli([...argv, "--json"]);
  expect({ code, err }, argv.join(" ")).toEqual({ code: 0, err: "" });
  expect(out.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(out);
}

/** Every path below the workspace with its content, so that two states can be compared. */
function snapshot(): Record<string, string> {
  const state: Record<string, string> = {};
  for (const name of readdirSync(workspace, { recursive: true, encoding: "utf8" }).sort()) {
    const full = path.join(workspace, name);
    state[name] = name.endsWith(".ts") ? readFileSync(full, "utf8") : "";
  }
  return state;
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("JSON", () => {
  it("save, list, diff and restore have exactly the promised keys", async () => {
    const first = await json("save", "-m", "first", "--note", "n");
    expect(first).toEqual({
      id: expect.stringMatching(ID),
      number: 1,
      parent: null,
      created: expect.stringMatching(ISO),
      name: "first",
      files: 2,
      bytes: 8,
      added: 2,
      changed: 0,
      removed: 0,
      newObjects: 2,
      newBytes: expect.any(Number),
      skipped: [],
      noChange: false,
      durationMs: expect.any(Number),
    });
    write("src/a.ts", "one more\n");
    write("src/c.ts", "three\n");
    rmSync(path.join(workspace, "src/b.ts"));
    expect(await json("diff", "1")).toEqual({
      added: ["src/c.ts"],
      changed: ["src/a.ts"],
      removed: ["src/b.ts"],
      typeChanged: [],
    });
    const second = await json("save");
    expect(second).toMatchObject({ number: 2, parent: first.id, added: 1, changed: 1, removed: 1, name: null });
    expect(await json("save")).toMatchObject({ id: second.id, number: 2, noChange: true, added: 0, newObjects: 0 });
    expect(await json("list")).toEqual({
      checkpoints: [
        {
          ...pickKeys(second, [
            "id",
            "number",
            "created",
            "name",
            "files",
            "bytes",
            "added",
            "changed",
            "removed",
            "parent",
          ]),
          kind: "manual",
          pinned: false,
        },
        expect.objectContaining({ id: first.id, number: 1, name: "first" }),
      ],
    });
    expect(await json("restore", "1")).toEqual({
      id: first.id,
      added: 1,
      changed: 1,
      removed: 1,
      unchanged: 0,
      kept: [],
      safetyId: expect.stringMatching(ID),
      dryRun: false,
      paths: { added: ["src/b.ts"], changed: ["src/a.ts"], removed: ["src/c.ts"] },
    });
    expect(snapshot()).toMatchObject({ "src/a.ts": "one\n", "src/b.ts": "two\n" });
  });

  it("every other command answers with one object, too", async () => {
    await json("save", "-m", "first");
    write("src/a.ts", "changed\n");
    await json("save");
    expect(await json("show", "1")).toMatchObject({ number: 1, changes: { added: ["src/a.ts", "src/b.ts"] } });
    expect(await json("history", "src/a.ts")).toMatchObject({
      path: "src/a.ts",
      versions: [
        { number: 2, change: "changed", size: 8 },
        { number: 1, change: "added", size: 4 },
      ],
    });
    expect(await json("cat", "1", "src/a.ts")).toMatchObject({ path: "src/a.ts", encoding: "utf8", content: "one\n" });
    expect(await json("search", "ONE", "--path", "*.ts")).toMatchObject({
      matches: [{ path: "src/a.ts", line: 1, column: 1, preview: "one", number: 1, deleted: false }],
    });
    expect(await json("rename", "2", "second")).toMatchObject({ number: 2, name: "second" });
    expect(await json("pin", "second")).toMatchObject({ pinned: true });
    expect(await json("unpin", "second")).toMatchObject({ pinned: false });
    expect(await json("restore", "first")).toMatchObject({ changed: 1 });
    expect(await json("undo")).toMatchObject({ changed: 1, paths: { changed: ["src/a.ts"] } });
    expect(snapshot()["src/a.ts"]).toBe("changed\n");
    expect(await json("redo")).toMatchObject({ changed: 1 });
    expect(snapshot()["src/a.ts"]).toBe("one\n");
    expect(await json("verify", "--full")).toMatchObject({ ok: true, full: true, problems: [], damaged: [] });
    expect(await json("stats")).toMatchObject({
      folder: expect.stringContaining("stores"),
      checkpoints: expect.any(Number),
    });
    expect(await json("delete", "2")).toMatchObject({ deleted: [{ number: 2 }] });
    expect(await json("gc")).toMatchObject({ freedBytes: expect.any(Number) });
  });
});

function pickKeys(object: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, object[key]]));
}

describe("references", () => {
  it("C20 what is shown as an id can be typed: id, prefix, number, #number, latest, latest~N, name", async () => {
    const saved: Record<string, unknown>[] = [];
    for (let i = 1; i <= 3; i++) {
      write("src/a.ts", `version ${i}\n`);
      saved.push(await json("save", "-m", `name ${i}`));
    }
    const [first, second, third] = saved;
    const prefix = uniquePrefix(
      String(second?.id),
      saved.map(({ id }) => String(id)),
    );
    for (const [ref, wanted] of [
      [String(first?.id), first],
      [prefix, second],
      ["1", first],
      ["#2", second],
      ["latest", third],
      ["latest~2", first],
      ["name 2", second],
    ] as const)
      expect((await json("show", ref)).id, ref).toBe(wanted?.id);
    const shown = (await cli(["list"])).out.match(/#\d+/g) ?? [];
    expect(shown).toEqual(["#3", "#2", "#1"]);
    for (const typed of shown) expect((await cli(["show", typed])).code).toBe(0);
    const id = /^Id:\s+(\S+)$/m.exec((await cli(["show", "2"])).out)?.[1] ?? "";
    expect((await json("show", id)).number).toBe(2);
  });

  it("C20 what fits none or several ends with 3 and says so", async () => {
    await json("save", "-m", "twin");
    write("src/a.ts", "x\n");
    await json("save", "-m", "twin");
    const ids = ((await json("list")).checkpoints as { id: string }[]).map(({ id }) => id);
    for (const [ref, code] of [
      ["twin", "ambiguous"],
      [ids[0]?.slice(0, 4) ?? "", "ambiguous"],
      ["99", "not-found"],
      ["latest~7", "not-found"],
      ["no such name", "not-found"],
    ] as const) {
      const { code: exit, out } = await cli(["restore", ref, "--json"]);
      expect({ ref, exit }).toEqual({ ref, exit: 3 });
      expect(JSON.parse(out), ref).toEqual({ error: { code, message: expect.stringMatching(/\.\s\S|\.$/) } });
    }
    expect((await cli(["cat", "1", "src/none.ts"])).code).toBe(3);
  });
});

/** The shortest beginning only `id` has, four characters at least. */
function uniquePrefix(id: string, all: readonly string[]): string {
  let length = 4;
  while (all.filter((other) => other.startsWith(id.slice(0, length))).length > 1) length++;
  return id.slice(0, length);
}

describe("what is written", () => {
  it("cat is byte for byte, also in a pipe, and links give their target", async () => {
    const content = Buffer.alloc(
      3_000_001,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    );
    write("blob.bin", content);
    symlinkSync("src/a.ts", path.join(workspace, "link"));
    await json("save");
    expect((await cli(["cat", "latest", "blob.bin"])).bytes.equals(content)).toBe(true);
    expect((await cli(["cat", "latest", "link"])).out).toBe("src/a.ts");
  });

  it("C5 a dry run writes nothing and lists exactly what restore then does", async () => {
    await json("save");
    write("src/a.ts", "edited\n");
    write("src/new.ts", "new\n");
    rmSync(path.join(workspace, "src/b.ts"));
    const before = snapshot();
    const planned = await json("restore", "1", "--dry-run");
    expect(planned).toMatchObject({ dryRun: true, safetyId: null });
    expect(snapshot()).toEqual(before);
    expect((await json("list")).checkpoints).toHaveLength(1);
    const done = await json("restore", "1");
    expect(done.paths).toEqual(planned.paths);
    expect(pickKeys(done, ["added", "changed", "removed", "unchanged", "kept"])).toEqual(
      pickKeys(planned, ["added", "changed", "removed", "unchanged", "kept"]),
    );
    expect((await json("restore", "1", "--dry-run")).paths).toEqual({ added: [], changed: [], removed: [] });
  });

  it("paths select, --keep-new keeps, --no-safety makes no checkpoint", async () => {
    await json("save");
    write("src/a.ts", "edited\n");
    write("src/b.ts", "edited\n");
    write("src/new.ts", "new\n");
    expect(await json("restore", "1", "src/a.ts")).toMatchObject({
      paths: { added: [], changed: ["src/a.ts"], removed: [] },
    });
    const rest = await json("restore", "1", "./src/", "--keep-new", "--no-safety");
    expect(rest).toMatchObject({ changed: 1, removed: 0, safetyId: null });
    expect(snapshot()).toMatchObject({ "src/a.ts": "one\n", "src/b.ts": "two\n", "src/new.ts": "new\n" });
  });

  it("diff --patch is a unified diff with the old and the new lines", async () => {
    await json("save");
    write("src/a.ts", "one\nand a half");
    const { out } = await cli(["diff", "1", "--patch"]);
    expect(out).toBe(
      "diff --git a/src/a.ts b/src/a.ts\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1,1 +1,2 @@\n one\n+and a half\n\\ No newline at end of file\n",
    );
  });

  it("C12 a file that is left out is named with its reason", async () => {
    write("big.ts", "x".repeat(2000));
    const { code, out, err } = await cli(["save", "--max-file-size", "1K", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out).skipped).toEqual([{ path: "big.ts", reason: "too-large" }]);
    expect(err).toMatch(/^Left out: big\.ts: /);
  });
});

describe("several processes", () => {
  it("C11 two processes saving at once both succeed, time after time", async () => {
    await json("save");
    for (let round = 0; round < 6; round++) {
      write("src/a.ts", `round ${round}\n`);
      const both = await Promise.all([
        cli(["save", "-m", `left ${round}`, "--json"]),
        cli(["save", "-m", `right ${round}`, "--json"]),
      ]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      const numbers = both.map(({ out }) => JSON.parse(out).number as number).sort((a, b) => a - b);
      expect(numbers).toEqual([2 + 2 * round, 3 + 2 * round]);
    }
    expect(await json("verify", "--full")).toMatchObject({ ok: true, checkpoints: 13 });
  });
});

describe("errors", () => {
  const stackLine = /\n\s+at .+:\d+/;

  it("C21 errors say what happened and what to do, without a stack", async () => {
    const missing = await cli(["save", "--workspace", path.join(base, "nowhere")]);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("nowhere");
    const nothing = await cli(["undo", "--json"]);
    expect(nothing.code).toBe(1);
    expect(JSON.parse(nothing.out).error.code).toBe("nothing-to-undo");
    const usage = await cli(["sav"]);
    expect(usage.code).toBe(2);
    expect(usage.err).toContain("save");
    for (const { out, err } of [missing, nothing, usage]) expect(out + err).not.toMatch(stackLine);
  });

  it("C8 a damaged store ends with 5, with the damage named", async () => {
    await json("save");
    const store = path.join(base, "store", "stores", readdirSync(path.join(base, "store", "stores"))[0] ?? "", "packs");
    const pack = path.join(store, readdirSync(store).find((name) => name.endsWith(".dat")) ?? "");
    const content = readFileSync(pack);
    content[content.length - 6] = (content[content.length - 6] ?? 0) ^ 1;
    chmodSync(pack, 0o600);
    writeFileSync(pack, content);
    const verify = await cli(["verify", "--full", "--json"]);
    expect(verify.code).toBe(5);
    const { ok, problems, damaged } = JSON.parse(verify.out);
    expect({ ok, problems: problems.length > 0, damaged: damaged.length }).toEqual({
      ok: false,
      problems: true,
      damaged: 1,
    });
    const codes = await Promise.all(["src/a.ts", "src/b.ts"].map(async (name) => (await cli(["cat", "1", name])).code));
    expect([...codes].sort()).toEqual([0, 5]);
  });

  it("the store is created where it was asked for, and nowhere else", async () => {
    const elsewhere = path.join(base, "elsewhere");
    await cli(["save", "--store", elsewhere], { XDG_DATA_HOME: path.join(base, "xdg") });
    expect(readdirSync(elsewhere)).toEqual(["stores"]);
    await cli(["save"], { CHECKPOINT_STORE: "", XDG_DATA_HOME: path.join(base, "xdg"), HOME: base });
    if (process.platform === "linux") expect(readdirSync(path.join(base, "xdg", "checkpoint"))).toEqual(["stores"]);
    expect(readdirSync(workspace)).toEqual(["src"]);
  });
});
