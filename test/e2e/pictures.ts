import path from "node:path";

/** How the names of pictures and logs of failed tests start. */
export const FAILED = "failed-";

/** Where pictures of the workbench are kept, for each VS Code version. */
export function picturesFolder(version: string): string {
  return path.resolve("out", "e2e", version);
}
