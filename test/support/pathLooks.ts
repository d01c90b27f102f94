import * as fs from "node:fs";
import { byteString, pathToText } from "../../src/shared/pathText";

/** By path (its bytes as Latin-1): what `lstat` says of it; of a folder not its times, which its entries change. */
export type PathLooks = ReadonlyMap<string, string>;

export function pathLooks(dir: string): PathLooks {
  const found = new Map<string, string>();
  const walk = (folder: Buffer, prefix: string): void => {
    for (const name of fs.readdirSync(folder, "buffer")) {
      const path = Buffer.concat([folder, Buffer.from("/"), name]);
      const stat = fs.lstatSync(path, { bigint: true });
      const { mode, size, mtimeNs, ctimeNs, ino } = stat;
      const bytes = prefix + name.toString("latin1");
      found.set(bytes, (stat.isDirectory() ? [mode, ino] : [mode, size, mtimeNs, ctimeNs, ino]).join(" "));
      if (stat.isDirectory()) walk(path, `${bytes}/`);
    }
  };
  walk(Buffer.from(dir), "");
  return found;
}

/** The paths that came, went or look otherwise, as a file watcher would tell of them. */
export function changedLooks(before: PathLooks, after: PathLooks): string[] {
  const paths = new Set([...before.keys(), ...after.keys()].filter((path) => before.get(path) !== after.get(path)));
  return [...paths].map(textOf);
}

/** Without the folders that are new in `after` and have another of `paths` in them. */
export function withoutNewFolders(paths: readonly string[], before: PathLooks, after: PathLooks): string[] {
  const isNew = new Set([...after.keys()].filter((path) => !before.has(path)).map(textOf));
  return paths.filter((path) => !isNew.has(path) || !paths.some((each) => each.startsWith(`${path}/`)));
}

const textOf = (path: string): string => pathToText(byteString(Buffer.from(path, "latin1")));
