/**
 * Split packs: the `.dat` cut into contiguous part files, for places that limit the size of a file.
 *
 *   pack-<id>.dat.part-000000 …   then   pack-<id>.dat.parts.json
 *   {version: 1, pack_hash, dat_size, chunk_bytes, parts: [{path, offset, size}]}
 *
 * The manifest comes last: with it the pack exists. Parts without it are looked at by `sweepPackFolder`.
 */
import { constants } from "node:fs";
import type { CheckpointError } from "../../shared/errors";
import { ignoreFailure } from "../../shared/errors";
import { TEMP_PREFIX } from "../../shared/leftOutNames";
import type { FileSystem } from "../fs/fileSystem";
import { FILE_MODE, publishFile, publishOpenFile, readFully, writeFully } from "../fs/publishFile";
import { damaged } from "./damage";
import { manifestName, type PackId, partName } from "./packFiles";
import { PACK_HEADER_BYTES } from "./packHeaders";

const MANIFEST_VERSION = 1;

export interface PackPart {
  /** A plain file name in the pack's folder. */
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

export interface PartsManifest {
  readonly version: number;
  /** The pack's whole hash, 32 hex digits. */
  readonly pack_hash: string;
  readonly dat_size: number;
  readonly chunk_bytes: number;
  readonly parts: readonly PackPart[];
}

/** Bytes copied at once from the temp file into a part. */
const COPY_BYTES = 1 << 20;

/**
 * Cuts the open, complete `.dat` in `fd` into parts and publishes them and their manifest. On error no part stays without
 * a manifest; `fd` stays open in any case.
 */
export function publishParts(options: {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly id: PackId;
  readonly hash: string;
  readonly fd: number;
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly nonce: string;
}): void {
  const { fs, folder, id, bytes, chunkBytes, nonce } = options;
  const parts: PackPart[] = [];
  try {
    for (let offset = 0; offset < bytes; offset += chunkBytes) {
      const part = { path: partName(id, parts.length), offset, size: Math.min(chunkBytes, bytes - offset) };
      parts.push(part);
      publishPart(fs, folder, options.fd, part, `${nonce}-part`);
    }
    publishManifest({ ...options, parts, nonce: `${nonce}-manifest` });
  } catch (error) {
    ignoreFailure(() => {
      // The manifest may have its name already, with only the folder's sync failed: then the pack exists.
      if (fs.lstat(`${folder}/${manifestName(id)}`) !== undefined) return;
      for (const part of parts) fs.unlink(`${folder}/${part.path}`);
    }, "parts without a manifest are swept as garbage");
    throw error;
  }
}

/** Makes a pack of parts that are there: `bytes` in all, each of `chunkBytes` but for the last. */
export function publishManifest(options: {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly id: PackId;
  readonly hash: string;
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly parts: readonly PackPart[];
  readonly nonce: string;
}): void {
  const manifest: PartsManifest = {
    version: MANIFEST_VERSION,
    pack_hash: options.hash,
    dat_size: options.bytes,
    chunk_bytes: options.chunkBytes,
    parts: options.parts,
  };
  const content = Buffer.from(`${JSON.stringify(manifest)}\n`);
  publishFile(options.fs, options.folder, manifestName(options.id), content, options.nonce);
}

function publishPart(fs: FileSystem, folder: string, source: number, part: PackPart, nonce: string): void {
  const temp = `${folder}/${TEMP_PREFIX}${nonce}`;
  const fd = fs.open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
  try {
    copyTo(fs, source, part, fd);
    publishOpenFile(fs, fd, temp, folder, part.path, part.size);
  } catch (error) {
    ignoreFailure(() => fs.unlink(temp), "already gone, or the volume is failing: swept under the next lock");
    throw error;
  }
}

/** Closes `fd` when copying fails; otherwise whoever publishes it does. */
function copyTo(fs: FileSystem, source: number, part: PackPart, fd: number): void {
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, part.size));
    for (let done = 0; done < part.size; done += buffer.length) {
      const slice = readFully(fs, source, Math.min(buffer.length, part.size - done), part.offset + done, buffer);
      if (slice === undefined) throw damaged("A pack being written", "its temporary file became shorter");
      writeFully(fs, fd, slice, done);
    }
  } catch (error) {
    fs.close(fd);
    throw error;
  }
}

/**
 * Reads and checks a manifest. `sizeOf` gives a part file's size on disk, undefined when it is missing; without it the
 * parts are not looked at. Throws "damaged" with a message of its own for each way in which a manifest can be wrong.
 */
export function parseManifest(
  content: Uint8Array,
  id: PackId,
  sizeOf?: (name: string) => number | undefined,
): PartsManifest {
  const manifest = readJson(content, id);
  if (manifest.version !== MANIFEST_VERSION)
    throw badManifest(id, `its version is ${String(manifest.version)}, and only ${MANIFEST_VERSION} is known`);
  if (typeof manifest.pack_hash !== "string" || !/^[0-9a-f]{32}$/.test(manifest.pack_hash))
    throw badManifest(id, "it names no pack hash");
  if (!manifest.pack_hash.startsWith(id)) throw badManifest(id, `it belongs to another pack, ${manifest.pack_hash}`);
  if (!isSize(manifest.dat_size) || manifest.dat_size < PACK_HEADER_BYTES)
    throw badManifest(id, "its pack is smaller than a pack's header");
  if (!isSize(manifest.chunk_bytes)) throw badManifest(id, "its chunk size is no size");
  if (manifest.chunk_bytes === 0) throw badManifest(id, "its chunk size is zero");
  if (!Array.isArray(manifest.parts)) throw badManifest(id, "it lists no parts");
  let end = 0;
  for (const part of manifest.parts) end = checkPart(part, end, id, sizeOf);
  if (end !== manifest.dat_size)
    throw badManifest(id, `its parts add up to ${end} bytes, but the pack has ${manifest.dat_size}`);
  return manifest;
}

/** Whether it is a manifest, and of a version above those that are known. */
export function isLaterManifest(content: Uint8Array): boolean {
  try {
    const { version } = JSON.parse(Buffer.from(content).toString("utf8")) as { version?: unknown };
    return Number.isSafeInteger(version) && (version as number) > MANIFEST_VERSION;
  } catch {
    return false; // no manifest at all
  }
}

/** Returns where the part ends. */
function checkPart(
  part: PackPart,
  expectedOffset: number,
  id: PackId,
  sizeOf: ((name: string) => number | undefined) | undefined,
): number {
  if (typeof part !== "object" || part === null || typeof part.path !== "string" || !isPlainName(part.path))
    throw badManifest(id, `the path of a part is not one plain file name (${JSON.stringify(part?.path) ?? "none"})`);
  if (!isSize(part.offset) || part.offset !== expectedOffset)
    throw badManifest(
      id,
      `there is a gap before ${part.path}: it begins at ${String(part.offset)}, not ${expectedOffset}`,
    );
  if (!isSize(part.size)) throw badManifest(id, `the size of ${part.path} is no size`);
  if (part.size === 0) throw badManifest(id, `${part.path} is empty`);
  const onDisk = sizeOf === undefined ? part.size : sizeOf(part.path);
  if (onDisk === undefined) throw badManifest(id, `${part.path} is missing`);
  if (onDisk !== part.size) throw badManifest(id, `${part.path} has ${onDisk} bytes instead of ${part.size}`);
  return part.offset + part.size;
}

function readJson(content: Uint8Array, id: PackId): PartsManifest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(content).toString("utf8"));
  } catch (cause) {
    throw badManifest(id, "it is no JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badManifest(id, "it is no JSON object");
  return value as PartsManifest;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Also refuses what only some systems take as more than a name: backslash, colon, NUL. */
const isPlainName = (name: string): boolean =>
  name !== "" && name !== "." && name !== ".." && !/[/\\:]/.test(name) && !name.includes("\0");

const badManifest = (id: PackId, fault: string, cause?: unknown): CheckpointError =>
  damaged(`The parts manifest ${manifestName(id)}`, fault, { details: { pack: id }, cause });
