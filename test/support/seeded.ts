import { randomFrom } from "./randomNumbers.mjs";

/** Randomness that can be repeated: a failing test says its seed; CHECKPOINT_TEST_SEED runs that one again. */
export class Random {
  /** In [0, 1). */
  readonly next: () => number;

  constructor(readonly seed: number) {
    this.next = randomFrom(seed);
  }

  /** A whole number in [0, below). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }

  /** `share` of the bytes are random, the rest repeats: 1 does not shrink. */
  bytes(length: number, share = 1): Buffer {
    const bytes = Buffer.alloc(length, "some text that repeats itself\n");
    for (let i = 0; i < length; i++) if (share === 1 || this.chance(share)) bytes[i] = this.below(256);
    return bytes;
  }
}

/** Runs `body` with that many different seeds; a failure carries the seed. */
export async function withSeeds(runs: number, body: (random: Random) => Promise<void> | void): Promise<void> {
  const fixed = process.env.CHECKPOINT_TEST_SEED;
  const first = fixed === undefined ? Date.now() % 2 ** 31 : Number(fixed);
  for (let i = 0; i < (fixed === undefined ? runs : 1); i++) {
    const seed = first + i;
    try {
      await body(new Random(seed));
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
}
