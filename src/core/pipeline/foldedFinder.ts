/**
 * Finds text in bytes whatever its case, spelled in any of the ways that its characters may be written in.
 *
 * Nearly every text has spellings of one length: then Horspool's algorithm runs over the bytes, which looks at the byte
 * where a match would end and moves on by as much as that byte allows. Two ASCII letters have a longer spelling
 * besides, `k` the Kelvin sign and `s` the long s; contents that hold one of those, and texts with characters that
 * change their length with their case, are searched by a regular expression over the bytes read as Latin-1. (Kernel
 * sources, a core: 19 characters 3.5 GB/s, 3 to 9 characters 1 to 1.5; the expression 0.8 to 1.5, and all that is
 * searched becomes garbage, which for a search of 1.35 GB was a third of its CPU time and 100 MB of its peak memory.
 * 2026-11-20, Node 20.20.)
 */
import type { ByteFinder } from "./searchPattern";

/** `characters`: for each one of the text, the ways to write it; at least one is ASCII or has several. */
export function foldedFinder(characters: readonly (readonly string[])[]): ByteFinder {
  const spelled = characters.map((each) => each.map((spelling) => Buffer.from(spelling)));
  const hasOneLength = (each: readonly Buffer[]): boolean => each.every(({ length }) => length === each[0]?.length);
  const isUsual = spelled.every((each) => hasOneLength(each) || each.some(({ length }) => length === 1));
  return isUsual ? new FoldedFinder(spelled) : new ExpressionFinder(spelled);
}

class FoldedFinder implements ByteFinder {
  readonly overlap: number;
  length: number;
  /** Bytes of the usual spellings. */
  private readonly usualLength: number;
  /** For each position and byte, whether that may be there. */
  private readonly accepted: Uint8Array;
  /** By the byte where a match would end: how far the next possible end is; 0 = it may end here. */
  private readonly skip: Uint16Array;
  /** The same where it turned out not to end. */
  private readonly next: Uint16Array;
  /** Characters of more than one byte, whose bytes belong together. */
  private readonly wide: readonly { readonly at: number; readonly spellings: readonly Buffer[] }[];
  private readonly unusual: readonly Buffer[];
  private readonly expression: ExpressionFinder;
  private bytes: Buffer = Buffer.alloc(0);
  private isUnusual = false;

  constructor(spelled: readonly (readonly Buffer[])[]) {
    this.expression = new ExpressionFinder(spelled);
    this.overlap = this.expression.overlap;
    const usual = spelled.map((each) => each.filter(({ length }) => length === shortest(each)));
    this.unusual = spelled.flatMap((each) => each.filter(({ length }) => length > shortest(each)));
    this.usualLength = usual.reduce((sum, each) => sum + shortest(each), 0);
    this.length = this.usualLength;
    this.accepted = new Uint8Array(256 * this.usualLength);
    const wide: { at: number; spellings: readonly Buffer[] }[] = [];
    let at = 0;
    for (const spellings of usual) {
      for (const bytes of spellings) for (const [i, byte] of bytes.entries()) this.accepted[256 * (at + i) + byte] = 1;
      if (shortest(spellings) > 1) wide.push({ at, spellings });
      at += shortest(spellings);
    }
    this.wide = wide;
    const last = this.usualLength - 1;
    this.next = new Uint16Array(256).fill(this.usualLength);
    for (let i = 0; i < last; i++)
      for (let byte = 0; byte < 256; byte++) if (this.accepted[256 * i + byte] === 1) this.next[byte] = last - i;
    this.skip = this.next.map((distance, byte) => (this.accepted[256 * last + byte] === 1 ? 0 : distance));
  }

  load(bytes: Buffer): void {
    this.bytes = bytes;
    this.isUnusual = this.unusual.some((spelling) => bytes.includes(spelling));
    if (this.isUnusual) this.expression.load(bytes);
    else this.length = this.usualLength;
  }

  find(from: number): number {
    if (this.isUnusual) {
      const found = this.expression.find(from);
      this.length = this.expression.length;
      return found;
    }
    const { bytes, skip, next, usualLength } = this;
    const end = bytes.length;
    for (let last = from + usualLength - 1; last < end; ) {
      const byte = bytes[last]!;
      const distance = skip[byte]!;
      if (distance > 0) last += distance;
      else if (this.matches(last - usualLength + 1)) return last - usualLength + 1;
      else last += next[byte]!;
    }
    return -1;
  }

  private matches(at: number): boolean {
    const { bytes, accepted, usualLength } = this;
    for (let i = 0; i < usualLength; i++) if (accepted[256 * i + bytes[at + i]!] !== 1) return false;
    return this.wide.every((each) =>
      each.spellings.some((spelling) => spelling.equals(bytes.subarray(at + each.at, at + each.at + spelling.length))),
    );
  }
}

const shortest = (spellings: readonly Buffer[]): number => Math.min(...spellings.map(({ length }) => length));

class ExpressionFinder implements ByteFinder {
  readonly overlap: number;
  length = 0;
  private readonly expression: RegExp;
  private text = "";

  constructor(spelled: readonly (readonly Buffer[])[]) {
    this.expression = new RegExp(spelled.map(bytePattern).join(""), "g");
    const longest = (each: readonly Buffer[]): number => Math.max(...each.map(({ length }) => length));
    this.overlap = spelled.reduce((sum, each) => sum + longest(each), 0) - 1;
  }

  load(bytes: Buffer): void {
    this.text = bytes.toString("latin1");
  }

  find(from: number): number {
    this.expression.lastIndex = from;
    const match = this.expression.exec(this.text);
    if (match === null) return -1;
    this.length = match[0].length;
    return match.index;
  }
}

/** Matches any of these, in bytes read as Latin-1. */
function bytePattern(spellings: readonly Buffer[]): string {
  const single = spellings.filter((each) => each.length === 1).map(escaped);
  const long = spellings.filter((each) => each.length > 1).map(escaped);
  const choices = [...(single.length === 0 ? [] : [`[${single.join("")}]`]), ...long];
  return choices.length === 1 ? (choices[0] ?? "") : `(?:${choices.join("|")})`;
}

const escaped = (bytes: Buffer): string =>
  Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
