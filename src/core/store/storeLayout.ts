/**
 * Where the parts of a store lie, and `store.json`, which says what the folder is.
 *
 *   <storeRoot>/stores/<id>/   one per workspace folder; <id> = first 16 hex digits of XXH3-128 of its canonical path,
 *                              as `xxhsum -H2` prints it
 *     store.json  catalog.sqlite  checkpoints.log  packs/  trees/  index/  locks/  journal/  damaged/
 *
 * The folder's name says whose store it is. What `store.json` says of the workspace only serves to recognise it after a
 * move (see movedStore.ts) and is brought up to date under the lock.
 */
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { type FileSystem, isDirectory } from "../fs/fileSystem";
import { FOLDER_MODE, makeFolders, publishFile, readWholeFile } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { canonicalText } from "./hash";

/** Raised only when an older program could not read the store correctly any more. */
const STORE_FORMAT_VERSION = 1;
/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

export interface StoreLayout {
  readonly id: string;
  /** Holds the stores of all workspace folders. */
  readonly stores: string;
  readonly folder: string;
  readonly packs: string;
  readonly trees: string;
  readonly index: string;
  readonly locks: string;
  /** Comes into being with the first restore. */
  readonly journal: string;
  /** What a repair took out of use; may be deleted at any time. */
  readonly damaged: string;
  /** Canonical path of the workspace folder. */
  readonly workspace: string;
}

export interface StoreDescription {
  readonly formatVersion: number;
  readonly workspace: string;
  /** device:inode of the workspace folder, to recognise it after a move. */
  readonly root: string;
  /** When that folder was made, in milliseconds since 1970: inodes are used again. 0: the file system does not say. */
  readonly rootBorn: number;
  /** True once a catalog was committed. If there is none after that, it was lost. */
  readonly hasCatalog: boolean;
}

export const STORE_FILE = "store.json";
export const CATALOG_FILE = "catalog.sqlite";

/** The store that belongs to `folder`, whether it exists yet or not. Fails when the folder itself does not exist. */
export function locateStore(
  fs: FileSystem,
  codecs: Pick<Codecs, "hash">,
  folder: string,
  storeRoot: string,
): StoreLayout {
  let workspace: string;
  try {
    workspace = fs.realpath(folder);
  } catch (cause) {
    throw missingWorkspace(folder, cause);
  }
  const stores = `${storeRoot}/stores`;
  const id = canonicalText(codecs.hash(Buffer.from(workspace))).slice(0, 16);
  const store = `${stores}/${id}`;
  return {
    id,
    stores,
    folder: store,
    packs: `${store}/packs`,
    trees: `${store}/trees`,
    index: `${store}/index`,
    locks: `${store}/locks`,
    journal: `${store}/journal`,
    damaged: `${store}/damaged`,
    workspace,
  };
}

/**
 * Creates what is missing of the folders, which includes the one of the lock; nothing else is done without holding it.
 * Refuses a workspace that is gone: its store may have moved on with it.
 */
export function prepareStore(fs: FileSystem, layout: StoreLayout): void {
  if (fs.lstat(layout.workspace) === undefined) throw missingWorkspace(layout.workspace);
  // Each time: the index may be deleted at any moment, by anybody, with its folder.
  for (const folder of [layout.folder, layout.packs, layout.trees, layout.index, layout.locks]) {
    makeFolders(fs, folder);
    keepPrivate(fs, folder);
  }
}

/** A folder that was made by others or copied may be open to all; what lies in it is closed by it. */
function keepPrivate(fs: FileSystem, folder: string): void {
  const found = fs.lstat(folder);
  if (found === undefined || !isDirectory(found) || (found.mode & OTHERS) === 0) return;
  ignoreFailure(() => fs.chmod(folder, FOLDER_MODE), "the file system keeps no modes; saving must go on there");
}

/**
 * Writes `store.json` unless `known`, which is what it says, is true now; returns what it says then. The caller holds
 * the lock, and has held it since `known` was read.
 */
export function recordStore(
  fs: FileSystem,
  layout: StoreLayout,
  known: StoreDescription | undefined,
  nonce: string,
): StoreDescription {
  const root = fs.lstat(layout.workspace);
  const description: StoreDescription = {
    formatVersion: STORE_FORMAT_VERSION,
    workspace: layout.workspace,
    root: root === undefined ? "" : `${root.dev}:${root.ino}`,
    rootBorn: root?.birthtimeMs ?? 0,
    // Where it says so, whoever read it has seen the catalog.
    hasCatalog: known?.hasCatalog === true || fs.lstat(`${layout.folder}/${CATALOG_FILE}`) !== undefined,
  };
  const text = JSON.stringify(description, null, 2);
  if (JSON.stringify(known, null, 2) !== text)
    publishFile(fs, layout.folder, STORE_FILE, Buffer.from(`${text}\n`), nonce);
  return description;
}

/**
 * What `store.json` says; undefined when there is no store yet. Throws `damaged` when it cannot be read or the catalog
 * that it speaks of is gone, `newer-format` when it is not for this version.
 */
export function describeStore(fs: FileSystem, { folder }: Pick<StoreLayout, "folder">): StoreDescription | undefined {
  const description = readDescription(fs, folder);
  if (description?.hasCatalog === true && fs.lstat(`${folder}/${CATALOG_FILE}`) === undefined)
    throw lostCatalog(folder);
  return description;
}

/** As `describeStore`, whether or not there is a catalog. */
export function readDescription(fs: FileSystem, folder: string): StoreDescription | undefined {
  const path = `${folder}/${STORE_FILE}`;
  const content = readWholeFile(fs, path);
  if (content === undefined) return undefined;
  let description: StoreDescription;
  try {
    description = JSON.parse(content.toString("utf8")) as StoreDescription;
    if (!Number.isInteger(description?.formatVersion)) throw new Error("no format version");
    // What a later version says otherwise is not for this one to judge.
    const { formatVersion, workspace, root } = description;
    if (formatVersion <= STORE_FORMAT_VERSION && !(typeof workspace === "string" && typeof root === "string"))
      throw new Error("no workspace");
  } catch (cause) {
    throw new CheckpointError(
      "damaged",
      `${path} is damaged. Run "Repair Store", or delete that one file: it is written again, and the checkpoints stay.`,
      { cause },
    );
  }
  if (description.formatVersion > STORE_FORMAT_VERSION)
    throw new CheckpointError(
      "newer-format",
      `The store ${folder} has format ${description.formatVersion}; this version reads up to ${STORE_FORMAT_VERSION}. Update Checkpoint. The store was not touched.`,
    );
  return description;
}

/** An empty catalog in its place would make garbage of everything in the packs. */
export function lostCatalog(folder: string): CheckpointError {
  return new CheckpointError(
    "damaged",
    `The catalog ${folder}/${CATALOG_FILE} is missing: it names the checkpoints whose content is in this store. Run "Repair Store", which makes it anew, put it back from a backup, or move the folder ${folder} away to start anew. Nothing was touched.`,
    { details: { path: `${folder}/${CATALOG_FILE}` } },
  );
}

function missingWorkspace(folder: string, cause?: unknown): CheckpointError {
  return new CheckpointError("workspace-missing", `The folder ${folder} cannot be opened. Check that it exists.`, {
    cause,
    details: { folder },
  });
}
