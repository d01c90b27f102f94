/**
 * The packs of a folder, each opened when the first question needs it, and as many files kept open as a process can
 * afford.
 *
 * One damaged pack does not take down the others: a pack whose index cannot be used is opened by walking its `.dat`;
 * where that fails too, what can still be told of it is kept apart (`remains`): something may be read from it, but nobody
 * may rely on it, and it is not whole enough to be copied or cleaned up. Either way `damagedIndexes` names it.
 */
import { CheckpointError } from "../../shared/errors";
import { errnoOf, type FileSystem } from "../fs/fileSystem";
import type { Codecs } from "./codecs";
import { faultOf } from "./damage";
import { EntryLookup } from "./entryLookup";
import type { Hash } from "./hash";
import { isMissingPack, PackData, type PackShape } from "./packData";
import { indexName, type PackId } from "./packFiles";
import { PackIndex } from "./packIndex";
import type { PublishedPack } from "./packPublication";
import { openPack, openPackByWalking, openRemains, PackReader, type PackReaderOptions } from "./packReader";
import { ReadBuffer } from "./readBuffer";

export interface PackFolder {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly folder: string;
}

export interface DamagedIndex {
  readonly id: PackId;
  readonly message: string;
  /** True: the entries were found by walking the `.dat`, so everything in the pack can be read. */
  readonly rebuilt: boolean;
  /** What is wrong with the `.dat`, unless it could be walked. */
  readonly packFault?: string;
}

/** Packs whose files are kept open. A store may have thousands; a process often has 1,024 descriptors. */
const MAX_OPEN_PACKS = 64;

export class OpenedPacks {
  private readonly readers = new Map<PackId, PackReader>();
  private readonly rest = new Map<PackId, PackReader>();
  private readonly unopened = new Set<PackId>();
  private readonly faults = new Map<PackId, DamagedIndex>();
  /** Over all packs; undefined: to be made anew. */
  private entries: EntryLookup | undefined;
  /** As `entries`, over what is left of broken packs. */
  private restEntries: EntryLookup | undefined;
  /** Packs that may have files open, least recently used first. */
  private readonly recent = new Set<PackReader>();
  private readonly buffer = new ReadBuffer();

  constructor(
    private readonly where: PackFolder,
    private readonly onDamage: (id: PackId, hash: Hash) => void,
  ) {}

  /** Those that were opened so far, as are the next two; see `openAll`. */
  get all(): Iterable<PackReader> {
    return this.readers.values();
  }

  get damagedIndexes(): readonly DamagedIndex[] {
    return [...this.faults.values()];
  }

  get lookup(): EntryLookup {
    this.entries ??= new EntryLookup(this.readers.values());
    return this.entries;
  }

  /** What is left of broken packs. */
  get remains(): Iterable<PackReader> {
    return this.rest.values();
  }

  get restLookup(): EntryLookup {
    this.restEntries ??= new EntryLookup(this.rest.values());
    return this.restEntries;
  }

  isOpen(id: PackId): boolean {
    return this.readers.has(id);
  }

  /** Undefined for a pack that is not there or cannot be read. */
  pack(id: PackId): PackReader | undefined {
    if (this.unopened.has(id)) this.open(id);
    return this.readers.get(id);
  }

  /** These are in the folder and no others. */
  follow(present: ReadonlySet<PackId>): void {
    for (const ids of [this.readers, this.unopened, this.faults, this.rest])
      for (const id of [...ids.keys()]) if (!present.has(id)) this.forget(id);
    // One that could not be read is tried again: it may have been written anew.
    for (const id of present) {
      if (this.readers.has(id)) continue;
      this.forget(id);
      this.unopened.add(id);
    }
  }

  /** False when one of them is not there any more: the folder has to be listed again. */
  openAll(): boolean {
    if (this.unopened.size === 0) return true;
    let vanished = false;
    for (const id of [...this.unopened].sort()) vanished = !this.open(id) || vanished;
    return !vanished;
  }

  /** Takes in a pack that has just been published, without reading anything of it. */
  take(published: PublishedPack): PackShape {
    const { fs, codecs, folder } = this.where;
    const { id } = published;
    const data = PackData.find(fs, folder, id);
    const index = PackIndex.decode(published.index, data.bytes, `The index ${indexName(id)}`);
    const { buffer, onDamage } = this;
    this.add(new PackReader({ fs, codecs, folder, id, buffer, onDamage }, data, index));
    return { bytes: data.bytes, partBytes: data.partBytes };
  }

  /** To be called before a pack is read from: files of the one that was not for longest are closed. */
  touch(pack: PackReader): void {
    this.recent.delete(pack);
    this.recent.add(pack);
    if (this.recent.size <= MAX_OPEN_PACKS) return;
    const [oldest] = this.recent;
    oldest?.close();
    if (oldest !== undefined) this.recent.delete(oldest);
  }

  /** Closes a pack and takes it out. */
  forget(id: PackId): void {
    this.unopened.delete(id);
    this.faults.delete(id);
    const pack = this.readers.get(id) ?? this.rest.get(id);
    if (pack === undefined) return;
    pack.close();
    this.recent.delete(pack);
    if (this.readers.delete(id)) this.entries = undefined;
    if (this.rest.delete(id)) this.restEntries = undefined;
  }

  /** Closes all files. The packs may be used again afterwards. */
  close(): void {
    for (const packs of [this.readers, this.rest]) for (const pack of packs.values()) pack.close();
    this.buffer.release();
  }

  /** False when it is not there any more: removed by another process since the folder was listed. */
  private open(id: PackId): boolean {
    const { buffer, onDamage } = this;
    const options = { ...this.where, id, buffer, onDamage };
    this.unopened.delete(id);
    try {
      this.add(openPack(options));
      return true;
    } catch (error) {
      if (isMissingPack(error)) return false;
      this.faults.set(id, { id, message: CheckpointError.from(error).message, rebuilt: false });
    }
    const fault = this.faults.get(id)!;
    try {
      const pack = openPackByWalking(options);
      // It may be one of a thousand without an index, and not be read from for long.
      pack.close();
      this.add(pack);
      this.faults.set(id, { ...fault, rebuilt: true });
    } catch (error) {
      // Vanished between the two looks.
      if (isMissingPack(error)) {
        this.faults.delete(id);
        return false;
      }
      if (!CheckpointError.is(error, "damaged") && errnoOf(error) === undefined) throw error;
      this.faults.set(id, { ...fault, packFault: faultOf(error) });
      if (CheckpointError.is(error, "damaged")) this.keepRemains(options);
    }
    return true;
  }

  private keepRemains(options: PackReaderOptions): void {
    const pack = openRemains(options);
    if (pack === undefined) return;
    this.rest.set(pack.id, pack);
    this.restEntries = undefined;
  }

  private add(pack: PackReader): void {
    this.unopened.delete(pack.id);
    this.faults.delete(pack.id);
    this.readers.set(pack.id, pack);
    this.entries?.add(pack);
  }
}
