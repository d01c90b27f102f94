/**
 * Content hashes: XXH3-128, 16 bytes, stored little-endian (the reverse of what `xxhsum -H2` prints).
 *
 * In memory a hash is the hex text of the stored bytes: it compares with ===, serves as a key, sorts like the bytes.
 */

/** 32 lower-case hex digits of the 16 stored bytes. */
export type Hash = string & { readonly __hash: never };

export const HASH_BYTES = 16;

const DIGITS = Buffer.from("0123456789abcdef", "latin1");

/** The value of each ASCII hex digit; 0 for everything else, which `Hash` values never hold. */
const NIBBLES = new Uint8Array(256);
for (let value = 0; value < DIGITS.length; value++) NIBBLES[DIGITS[value]!] = value;

// One scratch for all calls: nothing here yields, and a native latin1 slice is several times cheaper than joining text.
const scratch = Buffer.alloc(2 * HASH_BYTES);

/** The hash whose 16 bytes begin at `offset`. The caller has made sure that they are there. */
export function hashFromBytes(bytes: Uint8Array, offset: number): Hash {
  for (let i = 0; i < HASH_BYTES; i++) {
    const byte = bytes[offset + i]!;
    scratch[2 * i] = DIGITS[byte >> 4]!;
    scratch[2 * i + 1] = DIGITS[byte & 15]!;
  }
  return scratch.toString("latin1") as Hash;
}

/** The hash whose bytes `bytes` (16 of them) holds in reverse: what XXH3 calls its canonical form. */
export function hashFromCanonical(bytes: Uint8Array): Hash {
  for (let i = 0; i < HASH_BYTES; i++) {
    const byte = bytes[HASH_BYTES - 1 - i]!;
    scratch[2 * i] = DIGITS[byte >> 4]!;
    scratch[2 * i + 1] = DIGITS[byte & 15]!;
  }
  return scratch.toString("latin1") as Hash;
}

/** The hash in XXH3's canonical order, as `xxhsum -H2` prints it and packs are named: the bytes in reverse. */
export function canonicalText(hash: Hash): string {
  let text = "";
  for (let i = 2 * HASH_BYTES - 2; i >= 0; i -= 2) text += hash.slice(i, i + 2);
  return text;
}

/** Writes the 16 bytes of `hash` at `offset`. */
export function writeHash(hash: Hash, into: Uint8Array, offset: number): void {
  for (let i = 0; i < HASH_BYTES; i++)
    into[offset + i] = (NIBBLES[hash.charCodeAt(2 * i)]! << 4) | NIBBLES[hash.charCodeAt(2 * i + 1)]!;
}
