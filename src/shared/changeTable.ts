/**
 * A list of changes as columns. A checkpoint of a large folder has some 100,000: as objects they would hold up the
 * editor's thread for a tenth of a second while they are read from a message, and again and again while the collector
 * moves them. As columns they are handed over without being looked at, and a change becomes an object when it is shown.
 *
 * Rows are in tree order: what is in a folder stands together, so that a folder is a range of rows.
 */
import { CHANGE_KINDS, type Change, type ChangeKind, ENTRY_TYPES, type EntryState } from "./changes";

/** What crosses the worker boundary; every array has a buffer of its own. */
export interface PackedChanges {
  /** The paths in UTF-8, one right after the other. */
  readonly paths: Uint8Array<ArrayBuffer>;
  /** Where each path ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly kinds: Uint8Array<ArrayBuffer>;
  /** Two of each a change: before, after. Type 0 = there was, or is, nothing. */
  readonly types: Uint8Array<ArrayBuffer>;
  readonly modes: Uint32Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
  /** HASH_CHARS each. */
  readonly hashes: Uint8Array<ArrayBuffer>;
}

/** Some of the paths of a table: those whose byte in `chosen` is not 0. */
export interface ChosenPaths {
  readonly paths: Uint8Array;
  readonly ends: Uint32Array;
  readonly chosen: Uint8Array;
}

const DIRECTORY = 1 + ENTRY_TYPES.indexOf("directory");
/** 128 bits in hexadecimal digits. */
const HASH_CHARS = 32;
/** Fills the place of a hash where there is none: no state, or a folder of which only its being there is known. */
const SPACE = 0x20;
const SLASH = 0x2f;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class ChangeTable {
  constructor(private readonly packed: PackedChanges) {}

  get length(): number {
    return this.packed.kinds.length;
  }

  /** Bytes of all paths; see `start` and `end`. */
  get bytes(): Uint8Array {
    return this.packed.paths;
  }

  start(row: number): number {
    return row === 0 ? 0 : (this.packed.ends[row - 1] as number);
  }

  /** Without the "/" at the end of a folder's path. */
  end(row: number): number {
    const end = this.packed.ends[row] as number;
    return this.packed.paths[end - 1] === SLASH ? end - 1 : end;
  }

  text(from: number, to: number): string {
    return decoder.decode(this.packed.paths.subarray(from, to));
  }

  kind(row: number): ChangeKind {
    return CHANGE_KINDS[this.packed.kinds[row] as number] as ChangeKind;
  }

  /** Whether there is anything to show of it: a folder has no content. */
  hasContent(row: number): boolean {
    const [before, after] = [this.packed.types[2 * row] as number, this.packed.types[2 * row + 1] as number];
    return (before !== 0 && before !== DIRECTORY) || (after !== 0 && after !== DIRECTORY);
  }

  at(row: number): Change {
    const before = this.state(2 * row);
    const after = this.state(2 * row + 1);
    return {
      path: this.text(this.start(row), this.packed.ends[row] as number),
      kind: this.kind(row),
      ...(before ? { before } : {}),
      ...(after ? { after } : {}),
    };
  }

  /** The row of a path (without a "/" at its end), or undefined. */
  find(path: string): number | undefined {
    const wanted = encoder.encode(path);
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.compareAt(middle, wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.compareAt(low, wanted) === 0 ? low : undefined;
  }

  /** `chosen`: a byte for every row. */
  choose(chosen: Uint8Array): ChosenPaths {
    return { paths: this.packed.paths, ends: this.packed.ends, chosen };
  }

  /** Below 0 when the row's path comes before `wanted`, 0 when it is that. */
  private compareAt(row: number, wanted: Uint8Array): number {
    const [start, end] = [this.start(row), this.end(row)];
    const length = Math.min(end - start, wanted.length);
    for (let i = 0; i < length; i++) {
      const order = treeOrder(this.bytes[start + i] as number, wanted[i] as number);
      if (order !== 0) return order;
    }
    return end - start - wanted.length;
  }

  private state(index: number): EntryState | undefined {
    const { types, modes, sizes, hashes } = this.packed;
    const type = ENTRY_TYPES[(types[index] as number) - 1];
    if (type === undefined) return undefined;
    return {
      type,
      mode: modes[index] as number,
      size: sizes[index] as number,
      hash:
        hashes[index * HASH_CHARS] === SPACE
          ? ""
          : decoder.decode(hashes.subarray(index * HASH_CHARS, (index + 1) * HASH_CHARS)),
    };
  }
}

export function packChanges(given: readonly Change[]): PackedChanges {
  const changes = inTreeOrder(given);
  const types = new Uint8Array(2 * changes.length);
  const modes = new Uint32Array(2 * changes.length);
  const sizes = new Float64Array(2 * changes.length);
  const hashes: string[] = [];
  for (const [index, state] of changes.flatMap(({ before, after }) => [before, after]).entries()) {
    hashes.push((state?.hash ?? "").padEnd(HASH_CHARS));
    if (!state) continue;
    types[index] = 1 + ENTRY_TYPES.indexOf(state.type);
    modes[index] = state.mode;
    sizes[index] = state.size;
  }
  return {
    ...packPaths(changes.map(({ path }) => path)),
    kinds: Uint8Array.from(changes, ({ kind }) => CHANGE_KINDS.indexOf(kind)),
    types,
    modes,
    sizes,
    hashes: encoder.encode(hashes.join("")),
  };
}

/** The buffers to hand over instead of copying them. */
export function buffersOf(packed: PackedChanges): ArrayBuffer[] {
  return Object.values(packed).map((column: PackedChanges[keyof PackedChanges]) => column.buffer);
}

/** The chosen paths as text, without a "/" at their end. */
export function chosenPaths({ paths, ends, chosen }: ChosenPaths): string[] {
  const found: string[] = [];
  for (const [row, isChosen] of chosen.entries()) {
    if (isChosen === 0) continue;
    const end = ends[row] as number;
    const start = row === 0 ? 0 : (ends[row - 1] as number);
    found.push(decoder.decode(paths.subarray(start, paths[end - 1] === SLASH ? end - 1 : end)));
  }
  return found;
}

function packPaths(paths: readonly string[]): Pick<PackedChanges, "paths" | "ends"> {
  const ends = new Uint32Array(paths.length);
  // A character of a JavaScript string takes three bytes of UTF-8 at most.
  const bytes = new Uint8Array(3 * paths.reduce((sum, path) => sum + path.length, 0));
  let at = 0;
  for (const [row, path] of paths.entries()) {
    at += encoder.encodeInto(path, bytes.subarray(at)).written;
    ends[row] = at;
  }
  return { paths: bytes.slice(0, at), ends };
}

function inTreeOrder(changes: readonly Change[]): readonly Change[] {
  const isOrdered = changes.every((change, i) => i === 0 || compare(changes[i - 1] as Change, change) <= 0);
  return isOrdered ? changes : [...changes].sort(compare);
}

/** Folder by folder, in the order of the paths' bytes in UTF-8, which is that of their code points. */
function compare({ path: a }: Change, { path: b }: Change): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    // Before the first difference both are the same, so it is at the beginning of a character, or both are the second
    // halves of pairs, which are in the right order among themselves.
    if (x !== y) return treeOrder(rank(x), rank(y));
  }
  return a.length - b.length;
}

/** Halves of surrogate pairs stand for code points above all others; as numbers they lie below U+E000. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** "/" comes before everything else, so that what is in a folder stands together. */
function treeOrder(x: number, y: number): number {
  return x === y ? 0 : x === SLASH ? -1 : y === SLASH ? 1 : x - y;
}
