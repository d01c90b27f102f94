import { lstatSync } from "node:fs";
import { bytesOf, textToPaths } from "../shared/pathText";

/** Where the file with this path (as the engine has it) lies in the workspace; undefined when nothing is there. */
export function workspaceFile(workspace: string, path: string): Buffer | undefined {
  return textToPaths(path)
    .map((bytes) => Buffer.concat([Buffer.from(`${workspace}/`), bytesOf(bytes)]))
    .find(exists);
}

function exists(file: Buffer): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Below what is a file now, there is nothing; Node answers so for a missing name only.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}
