import type { ByteString } from "../../shared/pathText";
import { isDirectory, lookAt } from "../fs/fileSystem";
import { parentPath } from "../fs/osPath";
import type { Store } from "./context";

/** Which paths of the workspace are folders, with no symlink on the way: only there does a restore write. */
export class RealFolders {
  private readonly known = new Map<ByteString, boolean>();

  constructor(private readonly store: Store) {}

  /** Looks once; what cannot be looked at is none. */
  has(path: ByteString): boolean {
    if (path === "") return true;
    const known = this.known.get(path);
    if (known !== undefined) return known;
    const real = this.has(parentPath(path)) && this.isFolder(path);
    this.known.set(path, real);
    return real;
  }

  /** The same, looked at anew: whether nothing on the way has become a link since. */
  isStill(path: ByteString): boolean {
    return path === "" || (this.isFolder(path) && this.isStill(parentPath(path)));
  }

  /** A folder was made here. */
  add(path: ByteString): void {
    this.known.set(path, true);
  }

  /** What is here may be something else by now. */
  forget(path: ByteString): void {
    this.known.delete(path);
  }

  /** Folders may have come into being since. */
  forgetMissing(): void {
    for (const [path, real] of this.known) if (!real) this.known.delete(path);
  }

  /** What is at the path itself at this moment. */
  isFolder(path: ByteString): boolean {
    const found = lookAt(this.store.fs, this.store.root.os(path));
    return found !== undefined && isDirectory(found);
  }
}
