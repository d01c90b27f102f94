/**
 * All packs of a folder, or some of them, as one: where is this hash, give me its content.
 *
 * One damaged pack does not take down the others: a pack whose index cannot be used is opened by walking its `.dat`;
 * where that fails too, it is left out; either way `damagedIndexes` names it. A hash that several packs hold is read from the first
 * of them that gives it back intact.
 */
import { CheckpointError } from "../../shared/errors";
import { errnoOf, type FileSystem } from "../fs/fileSystem";
import { TEMP_PREFIX } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { EntryTable } from "./entryTable";
import type { Hash } from "./hash";
import { isMissingPack, PackData } from "./packData";
import { datName, indexName, manifestName, type PackFileKind, type PackId, parsePackFile } from "./packFiles";
import { type PackEntry, PackIndex } from "./packIndex";
import type { PublishedPack } from "./packPublication";
import { openPack, openPackByWalking, PackReader } from "./packReader";

export interface PackSetOptions {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly folder: string;
  /** Only these packs. */
  readonly ids?: readonly PackId[];
}

export interface LocatedEntry {
  readonly pack: PackId;
  /** Of the entry in the `.dat`. */
  readonly offset: number;
  /** Bytes of the frame. */
  readonly length: number;
}

export interface DamagedIndex {
  readonly id: PackId;
  readonly message: string;
  /** True: the entries were found by walking the `.dat`, so everything in the pack can be read. */
  readonly rebuilt: boolean;
}

/** Packs whose files are kept open. A store may have thousands; a process often has 1,024 descriptors. */
const MAX_OPEN_PACKS = 64;

/** Opens the packs of a folder; a folder that does not exist holds none. */
export function openPackSet(options: PackSetOptions): PackSet {
  return new PackSet(options);
}

export class PackSet {
  private readonly selected: ReadonlySet<PackId> | undefined;
  private packs = new Map<PackId, PackReader>();
  private readonly faults = new Map<PackId, DamagedIndex>();
  private table = new EntryTable();
  /** By the number that the table knows a pack under. */
  private numbered: PackReader[] = [];
  /** Packs that may have files open, least recently used first. */
  private readonly recent = new Set<PackReader>();

  constructor(private readonly options: PackSetOptions) {
    this.selected = options.ids === undefined ? undefined : new Set(options.ids);
    this.refresh();
  }

  /** Every pack that can be read, once, whether whole or split; in order of ids. */
  list(): PackId[] {
    return [...this.packs.keys()].sort();
  }

  get damagedIndexes(): readonly DamagedIndex[] {
    return [...this.faults.values()];
  }

  /** Records of all packs; an object that two packs hold counts twice. */
  get entryCount(): number {
    return this.table.size;
  }

  /** Size of all `.dat`s. */
  get bytes(): number {
    let total = 0;
    for (const pack of this.packs.values()) total += pack.bytes;
    return total;
  }

  pack(id: PackId): PackReader | undefined {
    return this.packs.get(id);
  }

  has(hash: Hash): boolean {
    return this.table.find(hash) >= 0;
  }

  /** A place where `hash` is; undefined when no pack has it. */
  locate(hash: Hash): LocatedEntry | undefined {
    const record = this.table.find(hash);
    if (record < 0) return undefined;
    const { offset, length } = this.table.entry(record);
    return { pack: this.numbered[this.table.packOf(record)]!.id, offset, length };
  }

  /** Where `hash` is in one pack; undefined when that pack does not have it (or is not in the set). */
  locateIn(id: PackId, hash: Hash): PackEntry | undefined {
    return this.packs.get(id)?.locate(hash);
  }

  /** Bytes of the stored frame; undefined when absent. */
  frameLength(hash: Hash): number | undefined {
    const record = this.table.find(hash);
    return record < 0 ? undefined : this.table.frameLength(record);
  }

  /** The content, verified, owned by the caller; undefined when absent. Throws "damaged" when no intact copy exists. */
  read(hash: Hash): Buffer | undefined {
    return this.fromFirstIntact(hash, (pack, entry) => pack.readEntry(entry));
  }

  /**
   * Hands the content out block by block and verifies it at the end (see `PackReader.readTo`); false when absent. Where several packs hold
   * it, a copy that turns out damaged is not replaced by the next one once blocks have been handed out.
   */
  readTo(hash: Hash, onBlock: (block: Uint8Array) => void): boolean {
    let begun = false;
    const done = this.fromFirstIntact(
      hash,
      (pack, entry) => {
        pack.readEntryTo(entry, (block) => {
          begun = true;
          onBlock(block);
        });
        return true;
      },
      () => begun,
    );
    return done ?? false;
  }

  /** Takes in a pack that has just been published, without reading anything of it. */
  add(published: PublishedPack): void {
    const { fs, codecs, folder } = this.options;
    if (this.packs.has(published.id)) return;
    const data = PackData.find(fs, folder, published.id);
    const index = PackIndex.decode(published.index, data.bytes, `The index ${indexName(published.id)}`);
    this.faults.delete(published.id);
    this.take(new PackReader({ fs, codecs, folder, id: published.id }, data, index));
  }

  /** Looks at the folder again: picks up packs that are new, drops those that are gone. Costs one listing when nothing changed. */
  refresh(): void {
    const present = this.presentIds();
    let dropped = false;
    for (const id of [...this.packs.keys()]) {
      if (present.has(id)) continue;
      this.forget(id);
      dropped = true;
    }
    for (const id of this.faults.keys()) if (!present.has(id)) this.faults.delete(id);
    if (dropped) this.rebuildTable();
    for (const id of [...present].sort()) if (!this.packs.has(id)) this.open(id);
  }

  /** Deletes all files of a pack: first what makes it exist, then the rest. What is already gone does not matter. */
  remove(id: PackId): void {
    const { fs, folder } = this.options;
    if (this.forget(id)) this.rebuildTable();
    this.faults.delete(id);
    const parts = this.files()
      .filter((file) => file.id === id && file.kind === "part")
      .map((file) => file.name);
    for (const name of [datName(id), manifestName(id), indexName(id), ...parts]) unlinkIfThere(fs, `${folder}/${name}`);
  }

  /**
   * Removes what an interrupted program left: temp files, and indexes and parts without a pack. The caller holds the project lock, under
   * which alone such files come into being. Returns the names removed.
   */
  sweepTemps(): string[] {
    const { fs, folder } = this.options;
    const files = this.files();
    const existing = new Set(files.filter(makesPackExist).map((file) => file.id));
    const withManifest = new Set(files.filter((file) => file.kind === "manifest").map((file) => file.id));
    const garbage = this.names().filter((name) => name.startsWith(TEMP_PREFIX));
    for (const { id, kind, name } of files) {
      const lone = kind === "index" ? !existing.has(id) : kind === "part" && !withManifest.has(id);
      if (lone) garbage.push(name);
    }
    for (const name of garbage) unlinkIfThere(fs, `${folder}/${name}`);
    return garbage;
  }

  /** Closes all files. The set may be used again afterwards. */
  close(): void {
    for (const pack of this.packs.values()) pack.close();
  }

  private open(id: PackId): void {
    const { fs, codecs, folder } = this.options;
    try {
      this.take(openPack({ fs, codecs, folder, id }));
      this.faults.delete(id);
      return;
    } catch (error) {
      // Removed by another process since the folder was listed.
      if (isMissingPack(error)) return;
      this.faults.set(id, { id, message: CheckpointError.from(error).message, rebuilt: false });
    }
    try {
      this.take(openPackByWalking({ fs, codecs, folder, id }));
      this.faults.set(id, { ...this.faults.get(id)!, rebuilt: true });
    } catch (error) {
      // Already on record with the fault of its index; a broken `.dat` adds nothing that can be acted on here.
      if (!CheckpointError.is(error, "damaged") && errnoOf(error) === undefined) throw error;
    }
  }

  private take(pack: PackReader): void {
    this.packs.set(pack.id, pack);
    this.table.add(pack.index.bytes, this.numbered.length);
    this.numbered.push(pack);
  }

  private touch(pack: PackReader): void {
    this.recent.delete(pack);
    this.recent.add(pack);
    if (this.recent.size <= MAX_OPEN_PACKS) return;
    const [oldest] = this.recent;
    oldest?.close();
    if (oldest !== undefined) this.recent.delete(oldest);
  }

  /** Closes a pack and takes it out; the caller rebuilds the table afterwards. False when it was not there. */
  private forget(id: PackId): boolean {
    const pack = this.packs.get(id);
    if (pack === undefined) return false;
    pack.close();
    this.recent.delete(pack);
    return this.packs.delete(id);
  }

  private rebuildTable(): void {
    const packs = this.packs;
    this.packs = new Map();
    this.numbered = [];
    this.table = new EntryTable();
    for (const pack of packs.values()) this.take(pack);
  }

  /**
   * `read` applied to the copies of `hash`, one after the other, until one is intact or `isFinal`. A pack that has vanished (compacted by
   * another process, which wrote its content elsewhere before) makes the set look at the folder again, once.
   */
  private fromFirstIntact<T>(
    hash: Hash,
    read: (pack: PackReader, entry: PackEntry) => T,
    isFinal: () => boolean = () => false,
  ): T | undefined {
    let failure: unknown;
    for (let attempt = 0; attempt < 2; attempt++) {
      failure = undefined;
      const vanished = new Set<PackReader>();
      for (let record = this.table.find(hash); record >= 0; record = this.table.find(hash, record)) {
        const pack = this.numbered[this.table.packOf(record)]!;
        this.touch(pack);
        try {
          return read(pack, this.table.entry(record));
        } catch (error) {
          if (!CheckpointError.is(error, "damaged") || isFinal()) throw error;
          if (isMissingPack(error)) vanished.add(pack);
          failure ??= error;
        }
      }
      // Not known at all: it may be in a pack that another process published since.
      if (vanished.size === 0 && failure === undefined && attempt === 0) {
        this.refresh();
        continue;
      }
      if (vanished.size === 0) break;
      // Forgotten, not only listed again: a pack that was split since has the same id and other files.
      for (const pack of vanished) this.forget(pack.id);
      this.rebuildTable();
      this.refresh();
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  private presentIds(): Set<PackId> {
    const ids = this.files()
      .filter(makesPackExist)
      .map((file) => file.id);
    return new Set(this.selected === undefined ? ids : ids.filter((id) => this.selected?.has(id)));
  }

  private files(): PackFile[] {
    const files: PackFile[] = [];
    for (const name of this.names()) {
      const file = parsePackFile(name);
      if (file !== undefined) files.push({ ...file, name });
    }
    return files;
  }

  private names(): string[] {
    try {
      return this.options.fs.readdir(this.options.folder);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    }
  }
}

interface PackFile {
  readonly id: PackId;
  readonly kind: PackFileKind;
  readonly name: string;
}

const makesPackExist = (file: PackFile): boolean => file.kind === "dat" || file.kind === "manifest";

function unlinkIfThere(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
