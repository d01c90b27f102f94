import { isDirectory } from "../fs/fileSystem";
import { unlinkIfThere } from "../fs/publishFile";
import type { Store } from "./context";

/** Deletes what repairs took out of use: purged content may lie in it. The caller holds the lock. */
export function removeDamaged({ fs, layout }: Pick<Store, "fs" | "layout">): void {
  removeAll(fs, layout.damaged);
}

/** A folder with all that is in it; it need not exist. */
function removeAll(fs: Store["fs"], folder: string): void {
  if (fs.lstat(folder) === undefined) return;
  for (const name of fs.readdir(folder)) {
    const path = `${folder}/${name}`;
    const found = fs.lstat(path);
    if (found !== undefined && isDirectory(found)) removeAll(fs, path);
    else unlinkIfThere(fs, path);
  }
  fs.rmdir(folder);
}
