/** The files of packs in one folder: which there are, and how they go. What is in them is for others to know. */

import { ignoreFailure } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import { type FileSystem, untilReleased } from "../fs/fileSystem";
import { makeFolders, namesIn, publishFile, unlinkIfThere } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { isUnreadable } from "./damage";
import { PackData } from "./packData";
import { datName, indexName, manifestName, type PackFileKind, type PackId, parsePackFile, partName } from "./packFiles";
import { walkPack } from "./packWalk";
import { publishManifest } from "./splitPack";

interface PackFile {
  readonly id: PackId;
  readonly kind: PackFileKind;
  readonly name: string;
}

/** The packs that exist among these names of a folder, each once whether whole or split. */
export function packsIn(names: readonly string[]): Set<PackId> {
  return existingPacks(packFiles(names));
}

/**
 * Deletes all files of a pack: first what makes it exist, then the rest. What is already gone does not matter; parts
 * that stay after an error have no manifest: `sweepPackFolder` removes them or, if all are there, makes them a pack again.
 */
export function removePackFiles(fs: FileSystem, folder: string, id: PackId): void {
  unlinkIfThere(fs, `${folder}/${datName(id)}`);
  const wasSplit = unlinkIfThere(fs, `${folder}/${manifestName(id)}`);
  unlinkIfThere(fs, `${folder}/${indexName(id)}`);
  if (!wasSplit) return;
  for (const file of packFiles(namesIn(fs, folder)))
    if (file.id === id && file.kind === "part") unlinkIfThere(fs, `${folder}/${file.name}`);
}

/**
 * Moves all files of a pack to `target`, which exists: first what makes it exist, then the rest. What is already gone
 * does not matter; a file of the same name there is replaced.
 */
export function movePackFiles(fs: FileSystem, folder: string, id: PackId, target: string): void {
  const files = packFiles(namesIn(fs, folder)).filter((file) => file.id === id);
  const isFirst = ({ kind }: PackFile): number => (kind === "dat" || kind === "manifest" ? 0 : 1);
  for (const { name } of files.sort((a, b) => isFirst(a) - isFirst(b)))
    untilReleased(fs, () => fs.rename(`${folder}/${name}`, `${target}/${name}`));
}

/** A folder of packs under the project lock, under which alone unfinished files come into being. */
export interface SweptFolder {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly folder: string;
  /** Where damaged packs are kept; it need not exist. */
  readonly damaged: string;
}

/**
 * Removes what an interrupted program left: temp files, and indexes and parts without a pack. Parts that lack nothing but
 * their manifest get it anew, whether it was lost or never written; a remainder of which there is an index, which is
 * published before the first part, may once have been a pack, and goes to `damaged`. Nothing of a pack is read but for
 * parts without a manifest. The caller holds the project lock. Returns the packs that exist now.
 */
export function sweepPackFolder(swept: SweptFolder, names: readonly string[]): Set<PackId> {
  const { fs, folder } = swept;
  for (const name of names) if (name.startsWith(TEMP_PREFIX)) unlinkIfThere(fs, `${folder}/${name}`);
  const files = packFiles(names);
  const existing = existingPacks(files);
  const loose = new Set(files.filter(({ id, kind }) => kind === "part" && !existing.has(id)).map(({ id }) => id));
  const kept = new Set<PackId>();
  for (const id of loose) {
    const indexed = files.some((file) => file.id === id && file.kind === "index");
    // On a full disk, say: they stay as they are, and whoever holds the lock next tries again.
    ignoreFailure(() => {
      kept.add(id);
      if (makePackOf(swept, id, indexed)) existing.add(id);
      else if (indexed) moveAway(swept, id);
      else kept.delete(id);
    }, "a sweep must not keep anybody from working with the store");
  }
  const withManifest = new Set(files.filter((file) => file.kind === "manifest").map((file) => file.id));
  for (const { id, kind, name } of files) {
    const isLone = kind === "index" ? !existing.has(id) : kind === "part" && !withManifest.has(id);
    if (isLone && !kept.has(id)) unlinkIfThere(fs, `${folder}/${name}`);
  }
  return existing;
}

/** False, with nothing changed: the parts are not all of the pack that they are named for. */
function makePackOf({ fs, codecs, folder }: SweptFolder, id: PackId, isIndexed: boolean): boolean {
  const data = PackData.remains(fs, folder, id);
  if (data === undefined) return false;
  try {
    const parts = data.parts;
    if (parts.some(({ path }, i) => path !== partName(id, i))) return false;
    const hash = data.ownHash(codecs);
    if (!hash.startsWith(id)) return false;
    // A pack has an index as soon as it exists.
    if (!isIndexed) publishFile(fs, folder, indexName(id), walkPack(data).bytes, `index-${id}`);
    publishManifest({
      fs,
      folder,
      id,
      hash,
      bytes: data.bytes,
      chunkBytes: data.partBytes,
      parts,
      nonce: `parts-${id}`,
    });
    return true;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return false;
  } finally {
    data.close();
  }
}

function moveAway({ fs, folder, damaged }: SweptFolder, id: PackId): void {
  makeFolders(fs, damaged);
  movePackFiles(fs, folder, id, damaged);
}

function packFiles(names: readonly string[]): PackFile[] {
  return names.flatMap((name) => {
    const file = parsePackFile(name);
    return file === undefined ? [] : [{ ...file, name }];
  });
}

function existingPacks(files: readonly PackFile[]): Set<PackId> {
  return new Set(files.filter(({ kind }) => kind === "dat" || kind === "manifest").map(({ id }) => id));
}
