import { type ByteString, isAscii } from "../../shared/pathText";
import type { OsPath } from "./fileSystem";

/** Turns workspace-relative byte strings into paths the operating system takes. */
export class PathRoot {
  private readonly prefix: string;

  /** `root` is an absolute path as text. */
  constructor(readonly root: string) {
    this.prefix = Buffer.from(root.replace(/[/\\]+$/, ""), "utf8").toString("latin1");
  }

  /** What `os` gives for the entries of one folder, with the folder's part worked out once. */
  entriesOf(folder: string): (name: string) => OsPath {
    const prefix = folder === "" ? `${this.prefix}/` : `${this.prefix}/${folder}/`;
    const isPlain = isAscii(prefix);
    return (name) => (isPlain && isAscii(name) ? prefix + name : Buffer.from(prefix + name, "latin1"));
  }

  /** "" is the root itself. Plain ASCII stays a string, which Node passes on faster than bytes. */
  os(path: string): OsPath {
    const full = path === "" ? this.prefix || "/" : `${this.prefix}/${path}`;
    return isAscii(full) ? full : Buffer.from(full, "latin1");
  }
}

export function joinPath(folder: ByteString, name: string): ByteString {
  return (folder === "" ? name : `${folder}/${name}`) as ByteString;
}

/** "" for a path without folder. */
export function parentPath(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) as ByteString;
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1) as ByteString;
}
