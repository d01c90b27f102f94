/** Sizes and offsets in the files of a store: eight bytes, of which a number can hold 53 bits. */

/** A u64 LE. Values beyond 2^53 lose precision, but stay too large for every check they have to pass. */
export function readUInt64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

export function writeUInt64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, offset);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4);
}
