const NO_BYTES = Buffer.alloc(0);
const MIN_BYTES = 64 << 10;
/** Longer frames are few, and are read in pieces where that is possible. */
export const READ_BUFFER_BYTES = 2 << 20;

/**
 * Where frames are read into: one buffer for all packs of a set. A store may have a thousand packs, each of which is asked
 * for a few entries; with a buffer each, a search left 64 MB of garbage a lane. What was read is valid until the next read
 * from any of these packs.
 */
export class ReadBuffer {
  private bytes = NO_BYTES;

  /** At least `length` bytes; undefined: that is too much to be kept. */
  room(length: number): Buffer | undefined {
    if (length > READ_BUFFER_BYTES) return undefined;
    if (this.bytes.length < length)
      this.bytes = Buffer.allocUnsafeSlow(Math.min(READ_BUFFER_BYTES, Math.max(MIN_BYTES, 2 * length)));
    return this.bytes;
  }

  /** Gives the memory back; the buffer may be used again. */
  release(): void {
    this.bytes = NO_BYTES;
  }
}
