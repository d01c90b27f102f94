import { statSync } from "node:fs";
import * as path from "node:path";
import { CheckpointError } from "../shared/errors";
import type { CliEnvironment } from "./environment";

/** Where a command works. */
export interface Workspace {
  /** Absolute path of the workspace folder. */
  readonly folder: string;
  /** Absolute path that relative paths on the command line count from. */
  readonly pathBase: string;
  /** True: the current folder is below it, and nobody named it. */
  readonly isEnclosing: boolean;
}

/**
 * The workspace of a command line: what `--workspace` names; else the nearest folder, from the current one up, that has
 * a store; else the current one. Without the walk a command given in a subfolder would find no checkpoint, and a save
 * there would start a second store.
 *
 * Throws `usage` when `--workspace` names no folder. One that does not exist is the engine's to report.
 */
export async function findWorkspace(
  option: string | undefined,
  storeRoot: string,
  { cwd, nearestStore }: Pick<CliEnvironment, "cwd" | "nearestStore">,
): Promise<Workspace> {
  if (option !== undefined) {
    const folder = namedFolder(option, cwd);
    // Scripts name the workspace and its files from anywhere.
    return { folder, pathBase: folder, isEnclosing: false };
  }
  const folder = (await nearestStore(upwardsFrom(cwd), storeRoot)) ?? cwd;
  return { folder, pathBase: cwd, isEnclosing: folder !== cwd };
}

function namedFolder(option: string, cwd: string): string {
  if (option === "")
    throw new CheckpointError("usage", "--workspace was given no folder. Name one, or leave --workspace away.");
  const folder = path.resolve(cwd, option);
  if (isOtherThanFolder(folder))
    throw new CheckpointError("usage", `${folder} is not a folder. Give the workspace folder with --workspace.`);
  return folder;
}

function isOtherThanFolder(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    // Missing or not accessible: the engine opens it next and reports that, with what to do about it.
    return false;
  }
}

function upwardsFrom(folder: string): string[] {
  const folders = [folder];
  for (let parent = path.dirname(folder); parent !== folders.at(-1); parent = path.dirname(parent))
    folders.push(parent);
  return folders;
}
