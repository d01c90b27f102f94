/** Reads what a folder says about itself: its ignore files, and the tag of a cache. */
import { constants } from "node:fs";
import type { ByteString } from "../../shared/pathText";
import { errnoOf, type FileSystem, isFile } from "../fs/fileSystem";
import { joinPath, type PathRoot } from "../fs/osPath";
import { readFully } from "../fs/publishFile";
import { CACHEDIR_SIGNATURE, CACHEDIR_TAG, type FolderRules, type IgnoreFile } from "./ignoreRules";

const IGNORE_FILE_MAX_BYTES = 1024 * 1024;

export class FolderRuleFiles {
  constructor(
    private readonly fs: FileSystem,
    private readonly root: PathRoot,
    private readonly onUnreadable: (path: ByteString, error: unknown) => void,
  ) {}

  /** The rules inside `folder`, in which these names were found. */
  within(folder: ByteString, names: readonly string[], outer: FolderRules): FolderRules {
    const files: IgnoreFile[] = [];
    for (const name of names) {
      if (!outer.isRuleFile(name)) continue;
      const text = this.head(joinPath(folder, name), IGNORE_FILE_MAX_BYTES);
      if (text !== undefined) files.push({ name, text });
    }
    return outer.within(folder, files);
  }

  isCache(folder: ByteString): boolean {
    return this.head(joinPath(folder, CACHEDIR_TAG), CACHEDIR_SIGNATURE.length) === CACHEDIR_SIGNATURE;
  }

  /** The first bytes of a regular file as text; undefined when it is none or cannot be read (then it is reported). */
  private head(path: ByteString, maxBytes: number): string | undefined {
    const { fs, root } = this;
    try {
      const fd = fs.open(root.os(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const stat = fs.fstat(fd);
        if (!isFile(stat)) return undefined;
        const bytes = readFully(fs, fd, Math.min(stat.size, maxBytes), 0);
        if (bytes === undefined) throw new Error("it became shorter while it was read");
        return Buffer.from(bytes).toString("utf8");
      } finally {
        fs.close(fd);
      }
    } catch (error) {
      // As with git, a symlink is no ignore file; a vanished one has no rules.
      if (!["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) this.onUnreadable(path, error);
      return undefined;
    }
  }
}
