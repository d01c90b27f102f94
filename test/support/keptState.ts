import * as fs from "node:fs";
import { tempFolder } from "./tempFolders";

/** Keeps these folders as they are; what is answered puts them back to that, as often as wanted. */
export function keepState(folders: readonly string[]): () => void {
  const kept = tempFolder("kept");
  const copy = (from: string, to: string): void => {
    fs.rmSync(to, { recursive: true, force: true });
    if (fs.existsSync(from)) fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  };
  for (const [i, folder] of folders.entries()) copy(folder, `${kept}/${i}`);
  return () => {
    for (const [i, folder] of folders.entries()) copy(`${kept}/${i}`, folder);
  };
}
