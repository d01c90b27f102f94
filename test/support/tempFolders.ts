import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

const folders: string[] = [];

/** A new folder (its canonical path) that is removed after the test. */
export function tempFolder(purpose = "core"): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `checkpoint-${purpose}-`)));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) {
    // Only root removes what lies in a closed folder.
    if (process.getuid?.() !== 0) execFileSync("chmod", ["-R", "u+rwX", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});
