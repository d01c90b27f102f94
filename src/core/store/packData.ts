/** The bytes of a pack's `.dat`, whole or split, by position. */
import { constants } from "node:fs";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import { errnoOf, type FileSystem } from "../fs/fileSystem";
import { namesIn, readFully, readWholeFile } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { damaged } from "./damage";
import { canonicalText } from "./hash";
import { datName, manifestName, type PackId, parsePackFile } from "./packFiles";
import { PACK_HEADER_BYTES } from "./packHeaders";
import { isLaterManifest, type PackPart, parseManifest } from "./splitPack";

/** Bytes read at once when a pack is read from front to back. */
export const SEQUENTIAL_READ_BYTES = 1 << 20;

interface Piece extends PackPart {
  fd: number | undefined;
}

export class PackData {
  readonly bytes: number;

  private constructor(
    private readonly fs: FileSystem,
    private readonly folder: string,
    readonly id: PackId,
    private readonly pieces: readonly Piece[],
    /** The size it was cut to; 0 = it is whole. */
    readonly partBytes: number,
    /** What its manifest says its hash is; undefined for a whole pack. */
    readonly statedHash?: string,
    /** A part that is missing is then damage, and no sign that the pack went. */
    private readonly isRemains = false,
  ) {
    const last = pieces[pieces.length - 1];
    this.bytes = last === undefined ? 0 : last.offset + last.size;
  }

  /**
   * Finds the pack's bytes; where both forms exist (a split that was interrupted), the whole one. Opens no file yet.
   * Throws "damaged": with `details.missing` when there is no such pack, otherwise for an invalid manifest.
   */
  static find(fs: FileSystem, folder: string, id: PackId): PackData {
    const whole = fs.lstat(`${folder}/${datName(id)}`);
    if (whole !== undefined)
      return new PackData(fs, folder, id, [{ path: datName(id), offset: 0, size: whole.size, fd: undefined }], 0);
    const content = readWholeFile(fs, `${folder}/${manifestName(id)}`);
    if (content === undefined) throw missingPack(id);
    const manifest = parseManifest(content, id, (name) => fs.lstat(`${folder}/${name}`)?.size);
    return new PackData(
      fs,
      folder,
      id,
      manifest.parts.map((part) => ({ ...part, fd: undefined })),
      manifest.chunk_bytes,
      manifest.pack_hash,
    );
  }

  /**
   * What is left of a pack that `find` refuses: its parts where the manifest has them or, when nobody can tell that, one
   * behind the other. Reading where something is missing throws "damaged". Undefined: there is nothing.
   */
  static remains(fs: FileSystem, folder: string, id: PackId): PackData | undefined {
    const whole = fs.lstat(`${folder}/${datName(id)}`);
    const pieces =
      whole === undefined
        ? (statedParts(fs, folder, id) ?? partsInOrder(fs, folder, id))
        : [{ path: datName(id), offset: 0, size: whole.size }];
    if (pieces.length === 0) return undefined;
    const open = pieces.map((piece) => ({ ...piece, fd: undefined }));
    return new PackData(fs, folder, id, open, whole === undefined ? (pieces[0]?.size ?? 0) : 0, undefined, true);
  }

  /** The files that hold it, in order. */
  get parts(): PackPart[] {
    return this.pieces.map(({ path, offset, size }) => ({ path, offset, size }));
  }

  /** What is wrong with the manifest of a pack that can be read; undefined for a whole pack. */
  manifestFault(ownHash: string): string | undefined {
    if (this.statedHash === undefined) return undefined;
    if (this.statedHash !== ownHash) return "the hash that it names is not the pack's";
    const { pieces, partBytes } = this;
    const isCut = pieces.every(({ size }, i) => (i < pieces.length - 1 ? size === partBytes : size <= partBytes));
    return isCut ? undefined : "its chunk size is not that of its parts";
  }

  /**
   * `length` bytes at `offset`, read into `into` when given (which is then what the result lies in). Throws "damaged"
   * beyond the end.
   */
  read(offset: number, length: number, into?: Uint8Array): Buffer {
    if (offset + length > this.bytes) throw damaged(`Pack ${this.id}`, "it ends early", { details: { pack: this.id } });
    const target = into ?? Buffer.allocUnsafeSlow(length);
    let done = 0;
    for (let piece = this.pieceAt(offset); done < length; piece++) {
      const { offset: start, size, path } = this.pieces[piece]!;
      const from = offset + done - start;
      const wanted = Math.min(length - done, size - from);
      const read = readFully(this.fs, this.open(piece), wanted, from, target.subarray(done, done + wanted));
      if (read === undefined)
        throw damaged(`Pack ${this.id}`, `${path} became shorter`, { details: { pack: this.id } });
      done += wanted;
    }
    return Buffer.from(target.buffer, target.byteOffset, length);
  }

  /** The pack's own hash (32 hex digits, see `PackWriter`), computed from what is on disk. */
  ownHash(codecs: Codecs): string {
    const hasher = codecs.createHasher();
    const buffer = Buffer.allocUnsafeSlow(Math.min(SEQUENTIAL_READ_BYTES, Math.max(this.bytes, 1)));
    for (let offset = PACK_HEADER_BYTES; offset < this.bytes; offset += buffer.length)
      hasher.update(this.read(offset, Math.min(buffer.length, this.bytes - offset), buffer));
    hasher.update(this.read(0, PACK_HEADER_BYTES));
    return canonicalText(hasher.digest());
  }

  close(): void {
    for (const piece of this.pieces) {
      const { fd } = piece;
      // Forgotten first: its number may be another file's the next moment.
      piece.fd = undefined;
      if (fd !== undefined) ignoreFailure(() => this.fs.close(fd), "nothing was written through it");
    }
  }

  private pieceAt(offset: number): number {
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.pieces[middle]!.offset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private open(index: number): number {
    const piece = this.pieces[index]!;
    if (piece.fd !== undefined) return piece.fd;
    try {
      piece.fd = this.fs.open(`${this.folder}/${piece.path}`, constants.O_RDONLY);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      if (this.isRemains) throw damaged(`Pack ${this.id}`, `${piece.path} is missing`, { details: { pack: this.id } });
      throw missingPack(this.id);
    }
    return piece.fd;
  }
}

function statedParts(fs: FileSystem, folder: string, id: PackId): readonly PackPart[] | undefined {
  const content = readWholeFile(fs, `${folder}/${manifestName(id)}`);
  if (content === undefined) return undefined;
  try {
    return parseManifest(content, id).parts;
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
    return undefined;
  }
}

function partsInOrder(fs: FileSystem, folder: string, id: PackId): PackPart[] {
  let offset = 0;
  return namesIn(fs, folder)
    .filter((name) => {
      const file = parsePackFile(name);
      return file?.id === id && file.kind === "part";
    })
    .sort()
    .map((path) => {
      const size = fs.lstat(`${folder}/${path}`)?.size ?? 0;
      offset += size;
      return { path, offset: offset - size, size };
    })
    .filter(({ size }) => size > 0);
}

/** Whether the manifest of a split pack says that a later version wrote it. */
export function hasLaterManifest(fs: FileSystem, folder: string, id: PackId): boolean {
  const content = readWholeFile(fs, `${folder}/${manifestName(id)}`);
  return content !== undefined && isLaterManifest(content);
}

export type PackShape = Pick<PackData, "bytes" | "partBytes">;

/** What can be told of a pack without reading it; zeros for one that is missing or whose manifest is invalid. */
export function packShape(fs: FileSystem, folder: string, id: PackId): PackShape {
  try {
    const { bytes, partBytes } = PackData.find(fs, folder, id);
    return { bytes, partBytes };
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
    return { bytes: 0, partBytes: 0 };
  }
}

/** True for the error that says that a whole pack (or part) is gone, e.g. after a compaction by another process. */
export const isMissingPack = (error: unknown): boolean =>
  CheckpointError.is(error, "damaged") && error.details.missing === true;

const missingPack = (id: PackId): CheckpointError =>
  damaged(`Pack ${id}`, "its file is missing", { details: { pack: id, missing: true } });
