import { expect } from "vitest";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import type { SaveResult, ScanOptions } from "../../src/shared/saves";
import { tempFolder } from "./tempFolders";
import type { TestWorkspace } from "./testEngine";

/**
 * The newest checkpoint is what a save into a new store makes of the workspace: one that has no records to believe, so
 * that no wrong one can fool both. `saved`: an answer that must be as complete, too.
 */
export async function expectAsInNewStore(w: TestWorkspace, saved?: SaveResult, scan: ScanOptions = w.scan) {
  const engine = await w.another({ fs: nodeFileSystem }, tempFolder("store"));
  try {
    const fresh = await engine.save({ kind: "manual", trigger: "manual", scan });
    const [newest] = await w.engine.list({ limit: 1 });
    expect(kept(newest)).toEqual(kept(fresh.checkpoint));
    if (saved === undefined) return;
    expect(kept(saved.checkpoint)).toEqual(kept(fresh.checkpoint));
    expect(counted(saved)).toEqual(counted(fresh));
  } finally {
    await engine.close();
  }
}

type Kept = Pick<NonNullable<SaveResult["checkpoint"]>, "rootTree" | "files" | "bytes">;

function kept(checkpoint: Kept | null | undefined): Kept | undefined {
  return checkpoint ? { rootTree: checkpoint.rootTree, files: checkpoint.files, bytes: checkpoint.bytes } : undefined;
}

function counted({ report: { files, directories, symlinks }, skipped }: SaveResult) {
  return { files, directories, symlinks, skipped: skipped.map(({ path, reason }) => `${path}: ${reason}`).sort() };
}
