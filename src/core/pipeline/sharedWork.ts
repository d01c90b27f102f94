/**
 * A list of work that several threads share without messages: paths and facts lie in shared memory, an atomic counter
 * hands out items one at a time (so lanes balance themselves), results are written back in place.
 */
import type { ByteString } from "../../shared/pathText";
import { HASH_BYTES, type Hash, hashFromBytes, writeHash } from "../store/hash";
import { CONTROL_BYTES, type QueuedWork, WorkQueue } from "./workQueue";

export interface SharedWork extends QueuedWork {
  readonly paths: SharedArrayBuffer;
  /** count + 1 offsets into `paths`. */
  readonly offsets: SharedArrayBuffer;
  /** FACTS numbers an item. */
  readonly facts: SharedArrayBuffer;
  readonly hashes: SharedArrayBuffer;
  /** One byte an item; its meaning belongs to the kind of work. */
  readonly states: SharedArrayBuffer;
  /** Open-addressing table of 64-bit keys, for `claim`. */
  readonly claims: SharedArrayBuffer;
  /**
   * One word, twice the number of items that are there, odd once no more will come. Absent: all are there (see
   * `GrowingWork`).
   */
  readonly arrivals?: SharedArrayBuffer;
}

export interface WorkFacts {
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  ino: number;
  mode: number;
}

const FACTS = 5;

/** A list of these items, all of which may be taken at once. */
export function createSharedWork(paths: readonly ByteString[]): SharedWork {
  const work = allocateWork(
    paths.length,
    paths.reduce((sum, path) => sum + path.length, 0),
  );
  const view = new WorkView(work);
  for (let i = 0; i < paths.length; i++) view.setPath(i, paths[i]!);
  return work;
}

/** Room for `count` items whose paths have `pathBytes` bytes together. What is not written costs no memory. */
export function allocateWork(count: number, pathBytes: number): SharedWork {
  return {
    count,
    paths: new SharedArrayBuffer(pathBytes),
    offsets: new SharedArrayBuffer(4 * (count + 1)),
    facts: new SharedArrayBuffer(8 * FACTS * count),
    hashes: new SharedArrayBuffer(HASH_BYTES * count),
    states: new SharedArrayBuffer(count),
    control: new SharedArrayBuffer(CONTROL_BYTES),
    // At most half full, so that probing stays short.
    claims: new SharedArrayBuffer(8 * 2 ** Math.ceil(Math.log2(Math.max(2, 2 * count)))),
  };
}

/** A thread's view of the shared list. */
export class WorkView extends WorkQueue {
  readonly states: Uint8Array;
  private readonly text: Buffer;
  private readonly offsets: Uint32Array;
  private readonly numbers: Float64Array;
  private readonly hashBytes: Uint8Array;
  private readonly hashKeys: BigUint64Array;
  private readonly claims: BigUint64Array;
  private readonly arrivals: Int32Array | undefined;

  constructor(work: SharedWork) {
    super(work);
    this.states = new Uint8Array(work.states);
    this.text = Buffer.from(work.paths);
    this.offsets = new Uint32Array(work.offsets);
    this.numbers = new Float64Array(work.facts);
    this.hashBytes = new Uint8Array(work.hashes);
    this.hashKeys = new BigUint64Array(work.hashes);
    this.claims = new BigUint64Array(work.claims);
    this.arrivals = work.arrivals && new Int32Array(work.arrivals);
  }

  /** Items there are so far. */
  get total(): number {
    return this.arrivals === undefined ? this.count : Atomics.load(this.arrivals, 0) >> 1;
  }

  /** As for every queue; where items are still to come, waits for the next one. */
  override take(): number | undefined {
    const item = super.take();
    const { arrivals } = this;
    if (item === undefined || arrivals === undefined) return item;
    for (;;) {
      const word = Atomics.load(arrivals, 0);
      if (item < word >> 1) return item;
      if ((word & 1) !== 0) return undefined;
      Atomics.wait(arrivals, 0, word);
    }
  }

  path(i: number): ByteString {
    return this.text.toString("latin1", this.offsets[i], this.offsets[i + 1]) as ByteString;
  }

  /** For items in order: a path begins where the one before ends. */
  setPath(i: number, path: ByteString): void {
    const at = this.offsets[i]!;
    this.text.write(path, at, "latin1");
    this.offsets[i + 1] = at + path.length;
  }

  facts(i: number): WorkFacts {
    const at = i * FACTS;
    const n = this.numbers;
    return { size: n[at]!, mtimeMs: n[at + 1]!, ctimeMs: n[at + 2]!, ino: n[at + 3]!, mode: n[at + 4]! };
  }

  size(i: number): number {
    return this.numbers[i * FACTS]!;
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
   * True for the first caller with the hash of this item, which has been set, over all threads. Keys are its first 64
   * bits: two contents that share them would make the second look taken, so whoever relies on it checks at the end that
   * every hash was stored.
   */
  claim(i: number): boolean {
    const key = this.hashKeys[2 * i]! || 1n;
    const mask = this.claims.length - 1;
    for (let slot = Number(BigInt.asUintN(32, key)) & mask; ; slot = (slot + 1) & mask) {
      const found = Atomics.compareExchange(this.claims, slot, 0n, key);
      if (found === 0n) return true;
      if (found === key) return false;
    }
  }
}
