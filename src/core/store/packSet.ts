/**
 * All packs of a folder, or some of them, as one: where is this hash, give me its content.
 *
 * Opening a set lists its folder and reads nothing else: a pack's index is read when the first question needs it, so
 * that a save that finds nothing changed pays for no blob pack at all. What is listed may have been merged into another
 * pack by the time it is opened (see ops/consolidate.ts); the folder is then listed anew, because the merged pack came
 * first.
 *
 * One damaged pack does not take down the others: see openedPacks for one that cannot be opened; a hash that several
 * packs hold is read from the first of them that gives it back intact. What is known to be damaged (see knownDamage) is
 * in the set for whoever reads it, as a last resort, and for nobody who asks whether it is there: so it is stored anew.
 */
import { CheckpointError } from "../../shared/errors";
import { namesIn } from "../fs/publishFile";
import type { EntryLookup, FoundEntry } from "./entryLookup";
import type { Hash } from "./hash";
import { KnownDamage } from "./knownDamage";
import { type DamagedIndex, OpenedPacks, type PackFolder } from "./openedPacks";
import { isMissingPack, type PackShape, packShape } from "./packData";
import type { PackId } from "./packFiles";
import { movePackFiles, packsIn, removePackFiles, sweepPackFolder } from "./packFolder";
import type { PackEntry } from "./packIndex";
import type { PublishedPack } from "./packPublication";
import type { PackReader } from "./packReader";

export interface PackSetOptions extends PackFolder {
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

/** Each listing that turns out stale means that another process merged packs meanwhile, which takes it far longer. */
const MAX_LISTINGS = 8;

/** Opens the packs of a folder, at the cost of listing it; a folder that does not exist holds none. */
export function openPackSet(options: PackSetOptions): PackSet {
  return new PackSet(options);
}

export class PackSet {
  private readonly selected: ReadonlySet<PackId> | undefined;
  /** In the folder when it was last listed. */
  private present = new Set<PackId>();
  private readonly shapes = new Map<PackId, PackShape>();
  private readonly opened: OpenedPacks;
  private readonly damage: KnownDamage;

  constructor(private readonly options: PackSetOptions) {
    this.damage = new KnownDamage(options);
    this.opened = new OpenedPacks(options, (id, hash) => this.damage.note(id, hash));
    this.selected = options.ids === undefined ? undefined : new Set(options.ids);
    this.refresh();
  }

  /** Every pack that can be read, once, whether whole or split; in order of ids. All are opened for it. */
  list(): PackId[] {
    this.openAll();
    return [...this.opened.all].map((pack) => pack.id).sort();
  }

  /** Every pack of the folder, readable or not, in order of ids. Reads nothing. */
  ids(): PackId[] {
    return [...this.present].sort();
  }

  /**
   * What whoever relies on these packs remembers of them, without anything of them being read: id and size. A pack that
   * was lost or cut off makes it differ. `except`: packs that are about to be removed.
   */
  stamps(except: ReadonlySet<PackId> = new Set()): string[] {
    return this.ids().flatMap((id) => (except.has(id) ? [] : [`${id} ${this.sizeOf(id)}`]));
  }

  /** Size of a pack's `.dat`, all parts together, as of when it was first asked for; 0 when that cannot be told. */
  sizeOf(id: PackId): number {
    return this.shapeOf(id).bytes;
  }

  /** The smallest size that packs of this folder were cut to; 0 when all are whole. */
  get partBytes(): number {
    const cut = this.ids().flatMap((id) => this.shapeOf(id).partBytes || []);
    return cut.length === 0 ? 0 : Math.min(...cut);
  }

  /** Of all packs: they are opened for it. */
  get damagedIndexes(): readonly DamagedIndex[] {
    this.openAll();
    return this.opened.damagedIndexes;
  }

  /** Records of all packs; an object that two packs hold counts twice. */
  get entryCount(): number {
    this.openAll();
    let total = 0;
    for (const pack of this.opened.all) total += pack.entryCount;
    return total;
  }

  /** Size of all `.dat`s. */
  get bytes(): number {
    return this.ids().reduce((sum, id) => sum + this.sizeOf(id), 0);
  }

  /** Undefined for a pack that is not there or cannot be read. */
  pack(id: PackId): PackReader | undefined {
    return this.opened.pack(id);
  }

  /** Not, if all copies are known to be damaged. */
  has(hash: Hash): boolean {
    const copies = this.all();
    return this.damage.mentions(hash) ? this.trusted(hash, copies) !== undefined : copies.has(hash);
  }

  /** Whether it can be read, as far as anybody knows: as `has`, also from what is left of a broken pack. */
  offers(hash: Hash): boolean {
    return this.has(hash) || this.trusted(hash, this.opened.restLookup) !== undefined;
  }

  /** A place where `hash` is; undefined when no pack has it intact, as far as anybody knows. */
  locate(hash: Hash): LocatedEntry | undefined {
    const found = this.trusted(hash, this.all());
    return found && { pack: found.pack.id, offset: found.entry.offset, length: found.entry.length };
  }

  /** Where `hash` is in one pack; undefined when that pack does not have it (or is not in the set). */
  locateIn(id: PackId, hash: Hash): PackEntry | undefined {
    return this.pack(id)?.locate(hash);
  }

  /** Bytes of the stored frame; undefined when absent. */
  frameLength(hash: Hash): number | undefined {
    return this.all().find(hash)?.entry.length;
  }

  /** The content, verified, owned by the caller; undefined when absent. Throws "damaged" when no intact copy exists. */
  read(hash: Hash): Buffer | undefined {
    return this.fromFirstIntact(hash, (pack, entry) => pack.readEntry(entry));
  }

  /**
   * Hands the content out block by block and verifies it at the end (see `PackReader.readTo`); false when absent. Where
   * several packs hold it, a copy that turns out damaged is not replaced by the next one once blocks have been handed
   * out.
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
    const { id } = published;
    // Written anew, or compared with what was written.
    this.damage.forget(id);
    if (this.opened.isOpen(id)) {
      if (!published.created) return;
      // It took the place of a damaged one: what was open is that one.
      this.forget(id);
    }
    const shape = this.opened.take(published);
    this.present.add(id);
    this.shapes.set(id, shape);
  }

  /** Looks at the folder again: picks up packs that are new, drops those that are gone. Costs one listing. */
  refresh(): void {
    const names = namesIn(this.options.fs, this.options.folder);
    this.follow(packsIn(names), names);
  }

  /** As `refresh`, from one listing; puts in order what an interrupted program left (see `sweepPackFolder`). */
  sweepAndRefresh(damaged: string): void {
    const { fs, codecs, folder } = this.options;
    const names = namesIn(fs, folder);
    this.follow(sweepPackFolder({ fs, codecs, folder, damaged }, names), names);
  }

  /** Something that was found damaged is not written down yet. */
  get hasUnwrittenDamage(): boolean {
    if (this.damage.isEmpty) return this.damage.isUnwritten;
    this.damage.prune(this.present, (hash) => this.all().has(hash));
    return this.damage.isUnwritten;
  }

  /** Once there was a copy of it; all that there are now are known to be damaged. */
  isLost(hash: Hash): boolean {
    return this.damage.mentions(hash) && !this.has(hash);
  }

  /** It could not be read, by whoever tried, or was missed: all copies are taken for damaged. */
  noteUnreadable(hash: Hash): void {
    const copies = this.all();
    let found = copies.find(hash);
    if (found === undefined) this.damage.noteMissing(hash);
    for (let tried = 0; found !== undefined; found = copies.find(hash, ++tried)) this.damage.note(found.pack.id, hash);
  }

  /** Takes over what another set of the same folder found out, which read all of the packs `checked`. */
  adoptDamage(other: PackSet, checked: Iterable<PackId>): void {
    this.damage.adopt(other.damage, checked);
  }

  /** A pack is about to be read through: what was known of it counts no more. */
  forgetDamage(id: PackId): void {
    this.damage.forget(id);
  }

  /** The caller holds the project lock. Throws when it cannot be written. */
  writeDownDamage(nonce: string): void {
    this.damage.write(nonce);
  }

  /** What a pack holds, also one that is broken, as far as that can be told. */
  entriesOf(id: PackId): Iterable<PackEntry> {
    return (this.pack(id) ?? this.remains().find((each) => each.id === id))?.entries() ?? [];
  }

  /** What is left of packs of which neither index nor entries add up. */
  remains(): PackReader[] {
    this.openAll();
    return [...this.opened.remains];
  }

  private follow(listed: Set<PackId>, names: readonly string[]): void {
    this.damage.refresh(names);
    if (this.selected !== undefined) for (const id of listed) if (!this.selected.has(id)) listed.delete(id);
    this.present = listed;
    for (const id of [...this.shapes.keys()]) if (!this.present.has(id)) this.shapes.delete(id);
    this.opened.follow(this.present);
  }

  /**
   * Looks at the packs' sizes anew when next asked: another process may have put a whole one in place of a cut-off one.
   */
  forgetSizes(): void {
    this.shapes.clear();
  }

  /** Deletes all files of a pack. What is already gone does not matter. */
  remove(id: PackId): void {
    this.forget(id);
    this.present.delete(id);
    removePackFiles(this.options.fs, this.options.folder, id);
  }

  /** Forgets what is in memory of a pack, or of all: its files were written anew. */
  reopen(ids: Iterable<PackId> = this.ids()): void {
    for (const id of ids) this.forget(id);
    this.refresh();
  }

  /** Moves all files of a pack to another folder, under the same names. */
  moveTo(target: string, id: PackId): void {
    this.forget(id);
    this.present.delete(id);
    movePackFiles(this.options.fs, this.options.folder, id, target);
  }

  /** Closes all files. The set may be used again afterwards. */
  close(): void {
    this.opened.close();
  }

  private shapeOf(id: PackId): PackShape {
    let shape = this.shapes.get(id);
    if (shape === undefined) {
      shape = packShape(this.options.fs, this.options.folder, id);
      this.shapes.set(id, shape);
    }
    return shape;
  }

  /** Everything that the folder holds, opened. */
  private all(): EntryLookup {
    this.openAll();
    return this.opened.lookup;
  }

  private openAll(): void {
    for (let listings = 0; listings < MAX_LISTINGS && !this.opened.openAll(); listings++) this.refresh();
  }

  /** The first copy that is not known to be damaged. */
  private trusted(hash: Hash, copies: EntryLookup): FoundEntry | undefined {
    let found = copies.find(hash);
    if (!this.damage.mentions(hash)) return found;
    for (let tried = 0; found !== undefined && this.damage.has(found.pack.id, hash); )
      found = copies.find(hash, ++tried);
    return found;
  }

  /** Every copy; first those that nothing is known against. */
  private *copies(hash: Hash): IterableIterator<FoundEntry> {
    const doubtful: FoundEntry[] = [];
    for (const copies of [this.all(), this.opened.restLookup])
      for (let tried = 0, found = copies.find(hash); found !== undefined; found = copies.find(hash, ++tried))
        if (this.damage.has(found.pack.id, hash)) doubtful.push(found);
        else yield found;
    yield* doubtful;
  }

  /** As if it had never been looked at. */
  private forget(id: PackId): void {
    this.shapes.delete(id);
    this.opened.forget(id);
  }

  /**
   * `read` applied to the copies of `hash`, one after the other, until one is intact or `isFinal`. A pack that has
   * vanished (merged or compacted by another process, which wrote its content elsewhere before) makes the set look at
   * the folder again; so does, once, a hash that no pack has.
   */
  private fromFirstIntact<T>(
    hash: Hash,
    read: (pack: PackReader, entry: PackEntry) => T,
    isFinal: () => boolean = () => false,
  ): T | undefined {
    let failure: unknown;
    for (let attempt = 0; attempt < MAX_LISTINGS; attempt++) {
      failure = undefined;
      const vanished = new Set<PackReader>();
      for (const { pack, entry } of this.copies(hash)) {
        this.opened.touch(pack);
        try {
          return read(pack, entry);
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
      this.refresh();
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }
}
