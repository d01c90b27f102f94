/** Several names of one file: it is read once. */
import type { ByteString } from "../../shared/pathText";
import { SYMLINK } from "../scan/recordLayout";
import type { ScannedFile } from "../scan/scannedFolder";

export interface UnreadFile {
  readonly path: ByteString;
  readonly file: ScannedFile;
}

export class HardLinks {
  private readonly firsts = new Map<string, ScannedFile>();
  private readonly firstOf = new Map<ScannedFile, ScannedFile>();
  private readonly others = new Map<ScannedFile, UnreadFile[]>();

  /** False: it is another name of a file that was asked about before. */
  isFirst(found: UnreadFile): boolean {
    const { file } = found;
    // Inodes beyond 2^53 (NTFS, some overlays) arrive rounded: two files may then seem to be one.
    if (file.nlink < 2 || file.type === SYMLINK || !Number.isSafeInteger(file.ino)) return true;
    const key = `${file.dev}:${file.ino}:${file.size}:${file.mtimeMs}:${file.ctimeMs}`;
    const first = this.firsts.get(key);
    if (first === undefined) {
      this.firsts.set(key, file);
      return true;
    }
    this.firstOf.set(file, first);
    const others = this.others.get(first);
    if (others === undefined) this.others.set(first, [found]);
    else others.push(found);
    return false;
  }

  /** The name under which a file is read. */
  first(file: ScannedFile): ScannedFile {
    return file.nlink < 2 ? file : (this.firstOf.get(file) ?? file);
  }

  /** The other names of a file that is read under this one. */
  othersOf(first: ScannedFile): readonly UnreadFile[] {
    return first.nlink < 2 ? [] : (this.others.get(first) ?? []);
  }
}
