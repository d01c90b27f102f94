import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { applyPatch } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPatches } from "../../../src/cli/patch";
import type { EngineApi } from "../../../src/shared/api";
import type { Change, EntryState } from "../../../src/shared/changes";

let hashes = 0;
/** No two have the same content, unless a hash is given. */
const file = (mode = 0o644, hash = `hash ${hashes++}`): EntryState => ({ type: "file", mode, size: 0, hash });
const link: EntryState = { type: "symlink", mode: 0o777, size: 0, hash: "" };

async function collected(patches: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const patch of patches) all.push(patch);
  return Buffer.concat(all).toString("latin1");
}

/** The patch between two checkpoints, "old" and "new", given what each holds. */
async function patchOf(changes: Change[], contents: Record<string, string | Uint8Array>): Promise<string> {
  const engine = {
    readFile: async (ref: string, name: string) => Buffer.from(contents[`${ref}:${name}`] as string),
  } as unknown as EngineApi;
  return collected(formatPatches(changes, engine, { ref: "old" }, { ref: "new" }, "/"));
}

describe("patch", () => {
  it("added, changed, removed, mode and type", async () => {
    const patch = await patchOf(
      [
        { path: "a b.txt", kind: "added", after: file(0o755) },
        { path: "c", kind: "changed", before: file(), after: file() },
        { path: "d", kind: "removed", before: file() },
        { path: "m", kind: "changed", before: file(0o644, "same"), after: file(0o755, "same") },
        { path: "t", kind: "typeChanged", before: file(), after: link },
        { path: "empty/", kind: "added", after: { type: "directory", mode: 0o755, size: 0, hash: "" } },
      ],
      {
        "new:a b.txt": "one\n",
        "old:c": "1\n2\n3\n",
        "new:c": "1\nzwei\n3",
        "old:d": "gone\n",
        "old:t": "text\n",
        "new:t": "target",
      },
    );
    expect(patch).toBe(`diff --git a/a b.txt b/a b.txt
new file mode 100755
--- /dev/null
+++ b/a b.txt
@@ -0,0 +1,1 @@
+one
diff --git a/c b/c
--- a/c
+++ b/c
@@ -1,3 +1,3 @@
 1
-2
-3
+zwei
+3
\\ No newline at end of file
diff --git a/d b/d
deleted file mode 100644
--- a/d
+++ /dev/null
@@ -1,1 +0,0 @@
-gone
diff --git a/m b/m
old mode 100644
new mode 100755
diff --git a/t b/t
deleted file mode 100644
--- a/t
+++ /dev/null
@@ -1,1 +0,0 @@
-text
diff --git a/t b/t
new file mode 120000
--- /dev/null
+++ b/t
@@ -0,0 +1,1 @@
+target
\\ No newline at end of file
`);
  });

  it("binary content is named, not printed", async () => {
    const patch = await patchOf([{ path: "x.png", kind: "changed", before: file(), after: file() }], {
      "old:x.png": "\0old",
      "new:x.png": "\0new",
    });
    expect(patch).toBe("diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n");
  });

  it("applying it to the old bytes gives the new bytes, whatever they are", async () => {
    const line = fc.uint8Array({ maxLength: 6 }).map((bytes) => bytes.filter((byte) => byte !== 0));
    const content = fc
      .array(line, { maxLength: 12 })
      .map((lines) => Buffer.concat(lines.flatMap((l) => [l, Buffer.from("\n")])));
    await fc.assert(
      fc.asyncProperty(content, content, fc.boolean(), async (before, after, cut) => {
        const next = cut ? after.subarray(0, -1) : after;
        fc.pre(!before.equals(next));
        const patch = await patchOf([{ path: "f", kind: "changed", before: file(), after: file() }], {
          "old:f": before,
          "new:f": next,
        });
        const applied = applyPatch(before.toString("latin1"), patch, { autoConvertLineEndings: false });
        expect(applied).toBe(next.toString("latin1"));
      }),
    );
  });

  it("a file rewritten from end to end still makes a patch that applies", async () => {
    const lines = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word} ${i}\n`).join("");
    const patch = await patchOf([{ path: "f", kind: "changed", before: file(), after: file() }], {
      "old:f": lines("old"),
      "new:f": `${lines("new")}end`,
    });
    expect(applyPatch(lines("old"), patch)).toBe(`${lines("new")}end`);
  });

  it("the workspace's side is read from the workspace, links as links, odd names by their escapes", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "checkpoint-patch-"));
    try {
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/n`), Buffer.from([0xff])]), "odd\n");
      symlinkSync("nowhere", `${folder}/link`);
      const changes: Change[] = [
        { path: "link", kind: "added", after: link },
        { path: "n\\xff", kind: "added", after: file() },
        { path: "vanished", kind: "added", after: file() },
      ];
      const engine = {} as EngineApi;
      const scan = { useGitignore: true, includeDependencies: false, exclude: [], maxFileBytes: 1 };
      const patch = await collected(formatPatches(changes, engine, { ref: "old" }, { workspace: scan }, folder));
      expect(patch).toContain("new file mode 120000");
      expect(patch).toContain("+nowhere\n");
      expect(patch).toContain("+odd\n");
      expect(patch).not.toContain("vanished");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
