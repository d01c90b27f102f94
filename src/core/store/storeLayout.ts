/**
 * Where the parts of a store lie, and `store.json`, which says what the folder is.
 *
 *   <storeRoot>/stores/<id>/   one per workspace folder; <id> = first 16 hex digits of XXH3-128 of its canonical path
 *     store.json  catalog.sqlite  packs/  trees/  index/  locks/
 */
import { CheckpointError } from "../../shared/errors";
import type { FileSystem } from "../fs/fileSystem";
import { makeFolders, publishFile, readWholeFile } from "../fs/publishFile";
import type { Codecs } from "./codecs";

/** Raised only when an older program could not read the store correctly any more. */
export const STORE_FORMAT_VERSION = 1;

export interface StoreLayout {
  readonly id: string;
  /** Holds the stores of all workspace folders. */
  readonly stores: string;
  readonly folder: string;
  readonly packs: string;
  readonly trees: string;
  readonly index: string;
  readonly locks: string;
  /** Canonical path of the workspace folder. */
  readonly workspace: string;
}

interface StoreDescription {
  readonly formatVersion: number;
  readonly workspace: string;
  /** device:inode of the workspace folder, to recognise it after a move. */
  readonly root: string;
}

/** The store that belongs to `folder`, whether it exists yet or not. Fails when the folder itself does not exist. */
export function locateStore(fs: FileSystem, codecs: Codecs, folder: string, storeRoot: string): StoreLayout {
  let workspace: string;
  try {
    workspace = fs.realpath(folder);
  } catch (cause) {
    throw new CheckpointError("workspace-missing", `The folder ${folder} cannot be opened. Check that it exists.`, {
      cause,
      details: { folder },
    });
  }
  const id = codecs.hash(Buffer.from(workspace)).slice(0, 16);
  const stores = `${storeRoot}/stores`;
  const store = `${stores}/${id}`;
  return {
    id,
    stores,
    folder: store,
    packs: `${store}/packs`,
    trees: `${store}/trees`,
    index: `${store}/index`,
    locks: `${store}/locks`,
    workspace,
  };
}

/** Creates the folders and `store.json` where missing; refuses a store of a newer format, untouched. */
export function prepareStore(fs: FileSystem, layout: StoreLayout, nonce: string): void {
  const known = describeStore(fs, layout) !== undefined;
  // Each time: the index may be deleted at any moment, by anybody, with its folder.
  for (const folder of [layout.folder, layout.packs, layout.trees, layout.index, layout.locks]) makeFolders(fs, folder);
  if (known) return;
  const root = fs.lstat(layout.workspace);
  const description: StoreDescription = {
    formatVersion: STORE_FORMAT_VERSION,
    workspace: layout.workspace,
    root: root === undefined ? "" : `${root.dev}:${root.ino}`,
  };
  publishFile(fs, layout.folder, "store.json", Buffer.from(`${JSON.stringify(description, null, 2)}\n`), nonce);
}

/** What `store.json` says; undefined when there is no store yet. */
export function describeStore(fs: FileSystem, layout: StoreLayout): StoreDescription | undefined {
  const path = `${layout.folder}/store.json`;
  const content = readWholeFile(fs, path);
  if (content === undefined) return undefined;
  let description: StoreDescription;
  try {
    description = JSON.parse(content.toString("utf8")) as StoreDescription;
    if (!Number.isInteger(description.formatVersion)) throw new Error("no format version");
  } catch (cause) {
    throw new CheckpointError(
      "damaged",
      `${path} is damaged. Delete that one file; it is written again, and the checkpoints stay.`,
      { cause },
    );
  }
  if (description.formatVersion > STORE_FORMAT_VERSION)
    throw new CheckpointError(
      "newer-format",
      `The store ${layout.folder} has format ${description.formatVersion}; this version reads up to ${STORE_FORMAT_VERSION}. Update Checkpoint. The store was not touched.`,
    );
  return description;
}
