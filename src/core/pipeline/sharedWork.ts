/**
 * A list of work that several threads share without messages: paths and facts lie in shared memory, an atomic counter
 * hands out items one at a time (so lanes balance themselves), results are written back in place.
 */
import type { ByteString } from "../../shared/pathText";
import { HASH_BYTES, type Hash, hashFromBytes, writeHash } from "../store/hash";

export interface SharedWork {
  readonly count: number;
  readonly paths: SharedArrayBuffer;
  /** count + 1 offsets into `paths`. */
  readonly offsets: SharedArrayBuffer;
  /** FACTS numbers an item. */
  readonly facts: SharedArrayBuffer;
  readonly hashes: SharedArrayBuffer;
  /** One byte an item; its meaning belongs to the kind of work. */
  readonly states: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  /** Open-addressing table of 64-bit keys, for `claim`. */
  readonly claims: SharedArrayBuffer;
}

export interface WorkFacts {
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  ino: number;
  mode: number;
}

const FACTS = 5;
const NEXT = 0;
const CANCELLED = 1;
const DONE = 2;

export function createSharedWork(paths: readonly ByteString[]): SharedWork {
  const count = paths.length;
  const bytes = paths.reduce((sum, path) => sum + path.length, 0);
  const work: SharedWork = {
    count,
    paths: new SharedArrayBuffer(bytes),
    offsets: new SharedArrayBuffer(4 * (count + 1)),
    facts: new SharedArrayBuffer(8 * FACTS * count),
    hashes: new SharedArrayBuffer(HASH_BYTES * count),
    states: new SharedArrayBuffer(count),
    control: new SharedArrayBuffer(12),
    // At most half full, so that probing stays short.
    claims: new SharedArrayBuffer(8 * 2 ** Math.ceil(Math.log2(2 * count + 2))),
  };
  const text = Buffer.from(work.paths);
  const offsets = new Uint32Array(work.offsets);
  let at = 0;
  paths.forEach((path, i) => {
    text.write(path, at, "latin1");
    at += path.length;
    offsets[i + 1] = at;
  });
  return work;
}

/** A thread's view of the shared list. */
export class WorkView {
  readonly count: number;
  readonly states: Uint8Array;
  private readonly text: Buffer;
  private readonly offsets: Uint32Array;
  private readonly numbers: Float64Array;
  private readonly hashBytes: Uint8Array;
  private readonly control: Int32Array;
  private readonly claims: BigUint64Array;

  constructor(work: SharedWork) {
    this.count = work.count;
    this.states = new Uint8Array(work.states);
    this.text = Buffer.from(work.paths);
    this.offsets = new Uint32Array(work.offsets);
    this.numbers = new Float64Array(work.facts);
    this.hashBytes = new Uint8Array(work.hashes);
    this.control = new Int32Array(work.control);
    this.claims = new BigUint64Array(work.claims);
  }

  /** The next item nobody has taken; undefined when there is none, or when the work was cancelled. */
  take(): number | undefined {
    if (Atomics.load(this.control, CANCELLED) !== 0) return undefined;
    const i = Atomics.add(this.control, NEXT, 1);
    return i < this.count ? i : undefined;
  }

  finished(): void {
    Atomics.add(this.control, DONE, 1);
  }

  get done(): number {
    return Atomics.load(this.control, DONE);
  }

  cancel(): void {
    Atomics.store(this.control, CANCELLED, 1);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.control, CANCELLED) !== 0;
  }

  path(i: number): ByteString {
    return this.text.toString("latin1", this.offsets[i], this.offsets[i + 1]) as ByteString;
  }

  facts(i: number): WorkFacts {
    const at = i * FACTS;
    const n = this.numbers;
    return { size: n[at]!, mtimeMs: n[at + 1]!, ctimeMs: n[at + 2]!, ino: n[at + 3]!, mode: n[at + 4]! };
  }

  setFacts(i: number, facts: WorkFacts): void {
    const at = i * FACTS;
    this.numbers[at] = facts.size;
    this.numbers[at + 1] = facts.mtimeMs;
    this.numbers[at + 2] = facts.ctimeMs;
    this.numbers[at + 3] = facts.ino;
    this.numbers[at + 4] = facts.mode;
  }

  hash(i: number): Hash {
    return hashFromBytes(this.hashBytes, i * HASH_BYTES);
  }

  setHash(i: number, hash: Hash): void {
    writeHash(hash, this.hashBytes, i * HASH_BYTES);
  }

  /**
   * True for the first caller with this hash, over all threads. Keys are the first 64 bits: two contents that share
   * them would make the second look taken, so whoever relies on it checks at the end that every hash was stored.
   */
  claim(hash: Hash): boolean {
    const key = BigInt(`0x${hash.slice(0, 16)}`) || 1n;
    const mask = this.claims.length - 1;
    for (let slot = Number.parseInt(hash.slice(0, 8), 16) & mask; ; slot = (slot + 1) & mask) {
      const found = Atomics.compareExchange(this.claims, slot, 0n, key);
      if (found === 0n) return true;
      if (found === key) return false;
    }
  }
}
