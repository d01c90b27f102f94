/** The files of packs in one folder: which there are, and how they go. What is in them is for others to know. */

import { TEMP_PREFIX } from "../../shared/leftOutNames";
import type { FileSystem } from "../fs/fileSystem";
import { namesIn, unlinkIfThere } from "../fs/publishFile";
import { datName, indexName, manifestName, type PackFileKind, type PackId, parsePackFile } from "./packFiles";

interface PackFile {
  readonly id: PackId;
  readonly kind: PackFileKind;
  readonly name: string;
}

/** The packs that exist, each once whether whole or split; none when the folder does not exist. */
export function packsIn(fs: FileSystem, folder: string): Set<PackId> {
  return existingPacks(packFiles(namesIn(fs, folder)));
}

/**
 * Deletes all files of a pack: first what makes it exist, then the rest. What is already gone does not matter; parts
 * that stay after an error are garbage without their manifest, which `sweepPackFolder` removes.
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
 * Removes what an interrupted program left: temp files, and indexes and parts without a pack. The caller holds the
 * project lock, under which alone such files come into being. Returns the packs that exist, from the same listing.
 */
export function sweepPackFolder(fs: FileSystem, folder: string): Set<PackId> {
  const names = namesIn(fs, folder);
  const files = packFiles(names);
  const existing = existingPacks(files);
  const withManifest = new Set(files.filter((file) => file.kind === "manifest").map((file) => file.id));
  const garbage = names.filter((name) => name.startsWith(TEMP_PREFIX));
  for (const { id, kind, name } of files) {
    const lone = kind === "index" ? !existing.has(id) : kind === "part" && !withManifest.has(id);
    if (lone) garbage.push(name);
  }
  for (const name of garbage) unlinkIfThere(fs, `${folder}/${name}`);
  return existing;
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
