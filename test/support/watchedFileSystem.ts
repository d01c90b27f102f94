/** A file system with a hook before each call, to observe it and to make it fail. */
import type { FileSystem, OsPath } from "../../src/core/fs/fileSystem";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";

export interface Call {
  readonly method: keyof FileSystem;
  /** Of a call on a descriptor: the path it was opened with. Bytes as char codes. */
  readonly path: string;
  /** For rename, link and symlink: the new path. */
  readonly to?: string;
  readonly args: readonly unknown[];
}

/** May throw (see `errno`), do something behind the caller's back, or answer in the place of the file system. */
// biome-ignore lint/suspicious/noConfusingVoidType: hooks that answer nothing need no return.
export type Hook = (call: Call) => void | { readonly answer: unknown };

export class WatchedFileSystem {
  hook: Hook;
  readonly fs: FileSystem;
  private readonly open = new Map<number, string>();

  constructor(
    hook: Hook = () => {},
    private readonly base: FileSystem = nodeFileSystem,
  ) {
    this.hook = hook;
    const methods = Object.keys(nodeFileSystem) as (keyof FileSystem)[];
    this.fs = Object.fromEntries(methods.map((method) => [method, this.wrap(method)])) as unknown as FileSystem;
  }

  /** Paths opened and not closed again. */
  get openPaths(): string[] {
    return [...this.open.values()];
  }

  private wrap(method: keyof FileSystem): (...args: unknown[]) => unknown {
    const real = this.base[method] as (...args: unknown[]) => unknown;
    return (...args) => {
      const first = args[0];
      const path = typeof first === "number" ? (this.open.get(first) ?? "?") : text(first as OsPath);
      const second = method === "rename" || method === "link" ? args[1] : undefined;
      const to = method === "symlink" ? path : undefined;
      const answered = this.hook({
        method,
        path: method === "symlink" ? text(args[1] as OsPath) : path,
        ...(second === undefined ? {} : { to: text(second as OsPath) }),
        ...(to === undefined ? {} : { to }),
        args,
      });
      const result = answered === undefined ? real(...args) : answered.answer;
      if (method === "open") this.open.set(result as number, path);
      if (method === "close") this.open.delete(first as number);
      return result;
    };
  }
}

/** A system error as Node throws it. */
export function errno(code: string, path = ""): Error {
  return Object.assign(new Error(`${code}: injected, '${path}'`), { code, path });
}

function text(path: OsPath): string {
  return typeof path === "string" ? Buffer.from(path).toString("latin1") : path.toString("latin1");
}
