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
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
