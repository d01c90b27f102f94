/**
 * A list of changes as columns. A checkpoint of a large folder has some 100,000: as objects they would hold up the
 * editor's thread for a tenth of a second while they are read from a message, and again and again while the collector
 * moves them. As columns they are handed over without being looked at, and a change becomes an object when it is shown.
 *
 * Rows are in tree order: what is in a folder stands together, so that a folder is a range of rows.
 */
import type { Change, ChangeKind, EntryState, EntryType } from "./changes";

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

const KINDS: readonly ChangeKind[] = ["added", "changed", "removed", "typeChanged"];
const TYPES: readonly EntryType[] = ["file", "directory", "symlink"];
const DIRECTORY = 1 + TYPES.indexOf("directory");
/** 128 bits in hexadecimal digits. */
const HASH_CHARS = 32;
const NO_HASH = " ".repeat(HASH_CHARS);
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
    return KINDS[this.packed.kinds[row] as number] as ChangeKind;
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
    for (let row = 0; row < this.length; row++) {
      const start = this.start(row);
      if (this.end(row) - start === wanted.length && wanted.every((byte, i) => this.bytes[start + i] === byte))
        return row;
    }
    return undefined;
  }

  /** `chosen`: a byte for every row. */
  choose(chosen: Uint8Array): ChosenPaths {
    return { paths: this.packed.paths, ends: this.packed.ends, chosen };
  }

  private state(index: number): EntryState | undefined {
    const { types, modes, sizes, hashes } = this.packed;
    const type = TYPES[(types[index] as number) - 1];
    if (type === undefined) return undefined;
    return {
      type,
      mode: modes[index] as number,
      size: sizes[index] as number,
      hash: decoder.decode(hashes.subarray(index * HASH_CHARS, (index + 1) * HASH_CHARS)),
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
    hashes.push(state?.hash.padEnd(HASH_CHARS) ?? NO_HASH);
    if (!state) continue;
    types[index] = 1 + TYPES.indexOf(state.type);
    modes[index] = state.mode;
    sizes[index] = state.size;
  }
  return {
    ...packPaths(changes.map(({ path }) => path)),
    kinds: Uint8Array.from(changes, ({ kind }) => KINDS.indexOf(kind)),
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

/** Folder by folder: "/" comes before every other character. */
function compare({ path: a }: Change, { path: b }: Change): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return x === SLASH ? -1 : y === SLASH ? 1 : x - y;
  }
  return a.length - b.length;
}
