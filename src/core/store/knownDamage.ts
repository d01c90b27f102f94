/**
 * What is known to be damaged in the packs of a folder, so that nobody trusts it: `damaged.list` beside the packs.
 *
 *   XXH64 of the rest, hex | "\n" || per line: pack id, or "-" for "no pack has it" | " " | hash
 *
 * What is found while reading is kept in memory: reading takes no lock. Whoever next holds the project lock writes it
 * down (see ops/damageNotes.ts). The file may be lost at any time, or be torn: then the damage is found once more.
 * What it says too much does no harm either: content is stored once more, and a read still tries what is listed, last.
 */
import type { FileSystem } from "../fs/fileSystem";
import { publishFile, readWholeFile, unlinkIfThere } from "../fs/publishFile";
import type { Codecs } from "./codecs";
import { HASH_BYTES, type Hash } from "./hash";
import type { PackId } from "./packFiles";

const NAME = "damaged.list";
/** In the place of a pack: it should be in one, and is in none. */
const NOWHERE = "-";
const LINE = new RegExp(`^([0-9a-f]{16}|${NOWHERE}) ([0-9a-f]{${2 * HASH_BYTES}})$`);

export interface DamageDeps {
  readonly fs: FileSystem;
  readonly codecs: Pick<Codecs, "xxh64">;
  readonly folder: string;
}

export class KnownDamage {
  /** Pack → hashes. */
  private readonly packs = new Map<string, Set<Hash>>();
  private hashes = new Set<Hash>();
  /** The lines of the file, as last read or written. */
  private written = "";

  constructor(private readonly deps: DamageDeps) {}

  get isEmpty(): boolean {
    return this.hashes.size === 0;
  }

  /** Something is known that the file does not say, or the other way round. */
  get isUnwritten(): boolean {
    return this.lines() !== this.written;
  }

  /**
   * Takes in what others have written; what was found since and is not written yet stays. `names`: of the files that are
   * in the folder, which spares looking for one that mostly is not there.
   */
  refresh(names: readonly string[]): void {
    const before = this.written;
    const text = names.includes(NAME) ? this.readLines() : "";
    if (text === before) return;
    const found = this.pairs().filter(([pack, hash]) => !before.includes(`${pack} ${hash}`));
    this.packs.clear();
    for (const [pack, hash] of [...pairsIn(text), ...found]) this.put(pack, hash);
    this.written = text;
    this.recount();
  }

  /** This copy of `hash` cannot be read. */
  note(pack: PackId, hash: Hash): void {
    this.put(pack, hash);
    this.hashes.add(hash);
  }

  /** It should be in the store, and no pack has it. */
  noteMissing(hash: Hash): void {
    this.note(NOWHERE, hash);
  }

  /** Whether any copy of `hash` is damaged, or it was missed. */
  mentions(hash: Hash): boolean {
    return this.hashes.has(hash);
  }

  has(pack: PackId, hash: Hash): boolean {
    return this.packs.get(pack)?.has(hash) === true;
  }

  /** The pack has been read and is whole, was written anew, or is gone. */
  forget(pack: PackId): void {
    if (this.packs.delete(pack)) this.recount();
  }

  /** Drops what is said of packs that are gone, and of missing content that is there by now. */
  prune(present: ReadonlySet<PackId>, isThere: (hash: Hash) => boolean): void {
    for (const [pack, hashes] of this.packs) {
      if (pack === NOWHERE) for (const hash of [...hashes]) if (isThere(hash)) hashes.delete(hash);
      if (hashes.size === 0 || (pack !== NOWHERE && !present.has(pack))) this.packs.delete(pack);
    }
    this.recount();
  }

  /** Takes over what another reader of the same folder found. */
  adopt(other: KnownDamage, checked: Iterable<PackId>): void {
    for (const pack of checked) this.packs.delete(pack);
    for (const [pack, hash] of other.pairs()) this.put(pack, hash);
    this.recount();
  }

  /** Writes it down. The caller holds the project lock. Throws when that cannot be done; it is still known then. */
  write(nonce: string): void {
    const lines = this.lines();
    if (lines === this.written) return;
    const { fs, folder } = this.deps;
    if (lines === "") unlinkIfThere(fs, `${folder}/${NAME}`);
    else publishFile(fs, folder, NAME, Buffer.from(`${this.sumOf(lines)}\n${lines}`), nonce);
    this.written = lines;
  }

  private pairs(): (readonly [string, Hash])[] {
    return [...this.packs].flatMap(([pack, hashes]) => [...hashes].map((hash) => [pack, hash] as const));
  }

  private lines(): string {
    return this.isEmpty
      ? ""
      : this.pairs()
          .map(([pack, hash]) => `${pack} ${hash}`)
          .sort()
          .join("\n");
  }

  private put(pack: string, hash: Hash): void {
    const known = this.packs.get(pack);
    if (known === undefined) this.packs.set(pack, new Set([hash]));
    else known.add(hash);
  }

  private recount(): void {
    this.hashes = new Set(this.pairs().map(([, hash]) => hash));
  }

  /** "" for a file that is not there or not as it was written. */
  private readLines(): string {
    const text = readWholeFile(this.deps.fs, `${this.deps.folder}/${NAME}`)?.toString("latin1");
    if (text === undefined) return "";
    const end = text.indexOf("\n");
    const lines = text.slice(end + 1);
    return end > 0 && text.slice(0, end) === this.sumOf(lines) ? lines : "";
  }

  private sumOf(lines: string): string {
    return this.deps.codecs.xxh64(Buffer.from(lines, "latin1")).toString(16);
  }
}

function pairsIn(lines: string): [string, Hash][] {
  return lines.split("\n").flatMap((line): [string, Hash][] => {
    const match = LINE.exec(line);
    return match === null ? [] : [[match[1] as string, match[2] as Hash]];
  });
}
