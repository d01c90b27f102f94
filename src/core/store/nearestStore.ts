import xxh128 from "hash-wasm/dist/xxhash128.umd.min.js";
import type { FileSystem } from "../fs/fileSystem";
import { nodeFileSystem } from "../fs/nodeFileSystem";
import { hashFromCanonical } from "./hash";
import { findMovedStore } from "./movedStore";
import { CATALOG_FILE, locateStore, type StoreLayout } from "./storeLayout";

/**
 * The first of `folders` that has a store with something in it under `storeRoot`; undefined when none has. Folders that
 * do not exist have none. Loads the hash alone, not the other codecs: callers ask before they open an engine, or
 * without opening one. Creates nothing.
 */
export async function nearestStore(
  folders: readonly string[],
  storeRoot: string,
  fs: FileSystem = nodeFileSystem,
): Promise<string | undefined> {
  const hasher = await xxh128.createXXHash128();
  const hash = (data: Uint8Array) => hashFromCanonical(hasher.init().update(data).digest("binary"));
  return folders.find(
    (folder) => fs.lstat(folder) !== undefined && holdsSomething(fs, locateStore(fs, { hash }, folder, storeRoot)),
  );
}

/**
 * Folders of a store are made before its first checkpoint, and stay when that fails: they alone must not hide the store
 * of a folder further up. Packs without a catalog count: that store is damaged, and its owner must hear of it.
 */
function holdsSomething(fs: FileSystem, layout: StoreLayout): boolean {
  if (fs.lstat(`${layout.folder}/${CATALOG_FILE}`) !== undefined) return true;
  // The folder was renamed: opening it gives it the store of its former path.
  if (findMovedStore(fs, layout) !== undefined) return true;
  return fs.lstat(layout.packs) !== undefined && fs.readdir(layout.packs).length > 0;
}
