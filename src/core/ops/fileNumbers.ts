/**
 * A list of files in which each is found again: by its inode and then by identity. (A Map of 200,000 files costs 10 MB
 * and more each time it grows; this table costs 8 bytes a file.)
 */
import type { ScannedFile } from "../scan/scannedFolder";

const FIRST_SLOTS = 1 << 12;

export class FileNumbers {
  readonly files: ScannedFile[] = [];
  /** Number + 1; 0 = free. At most half of them are taken, so that probe chains stay short. */
  private slots = new Uint32Array(FIRST_SLOTS);

  /** Appends a file that is not in the list. */
  add(file: ScannedFile): void {
    if (2 * (this.files.length + 1) > this.slots.length) {
      this.slots = new Uint32Array(2 * this.slots.length);
      for (const [number, each] of this.files.entries()) this.insert(each, number);
    }
    this.insert(file, this.files.length);
    this.files.push(file);
  }

  /** The place of a file in the list; undefined: it is not there. */
  numberOf(file: ScannedFile): number | undefined {
    const { slots, files } = this;
    const mask = slots.length - 1;
    for (let slot = slotOf(file.ino) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = slots[slot]! - 1;
      if (files[number] === file) return number;
    }
    return undefined;
  }

  private insert(file: ScannedFile, number: number): void {
    const mask = this.slots.length - 1;
    let slot = slotOf(file.ino) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = number + 1;
  }
}

/** Inodes come in runs, and those of some file systems differ in their upper half only. */
function slotOf(ino: number): number {
  const mixed = Math.imul((ino % 2 ** 32) ^ (ino / 2 ** 32), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
