/**
 * Searches contents, one after the other, line by line, in the memory of one small window.
 *
 *   what was kept of the last step + STEP_BYTES of the block → all to the last line feed is searched; the rest is kept
 *
 * A line that is longer than PIECE_BYTES is not kept whole: it is searched piece by piece. Text is found wherever it
 * lies in such a line, because pieces overlap; a regular expression sees the first LINE_CHARACTERS characters of it,
 * since its time may grow with the square of a line's length. One match a line is reported, the first.
 */
import { LINE_CHARACTERS } from "../../shared/searches";
import type { ByteFinder, Finder } from "./searchPattern";
import { isUtf8Continuation, utf16Length } from "./utf8";

export interface LineMatch {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** The line, or what is around the match in a long one. */
  readonly preview: string;
  /** Where the match is in the preview. */
  readonly start: number;
  readonly length: number;
}

/** Holds LINE_CHARACTERS, at most 4 bytes each. */
const PIECE_BYTES = 64 << 10;
/** Taken of a block at once: a window that is always the same leaves no garbage (measured: 100 MB less at the peak). */
const STEP_BYTES = 256 << 10;
/** A zero byte in the first ones means binary, as git has it. */
const BINARY_PROBE_BYTES = 8 << 10;
const PREVIEW_CHARACTERS = 200;
/** Of a preview that is cut, before the match. */
const PREVIEW_LEAD = 50;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const NOTHING = Buffer.alloc(0);

export class LineSearch {
  matches: LineMatch[] = [];
  /** There are more matches than were asked for. */
  hasMore = false;
  isBinary = false;
  /** Bytes looked at. */
  bytes = 0;
  private isStarted = false;
  private window: Buffer = NOTHING;
  /** Bytes at the window's start that the next step continues. */
  private kept = 0;
  /** Of the first byte not yet searched (or kept for its context). */
  private line = 1;
  /** UTF-16 units of that byte's line before it. */
  private column = 0;
  private lastMatchedLine = 0;

  constructor(
    private readonly finder: Finder,
    private readonly maxMatches: number,
  ) {}

  /** Forgets the content before; its `matches` stay whoever has them. */
  begin(): void {
    this.matches = [];
    this.hasMore = false;
    this.isBinary = false;
    this.bytes = 0;
    this.isStarted = false;
    this.kept = 0;
    this.line = 1;
    this.column = 0;
    this.lastMatchedLine = 0;
  }

  /** The whole content at once; it may be reused afterwards. */
  all(content: Uint8Array): void {
    const text = this.start(Buffer.from(content.buffer, content.byteOffset, content.length));
    if (text.length > 0) this.search(text);
  }

  /** The next block; it may be reused afterwards. Only the first one is probed for binary content: in packs 64 KB. */
  add(block: Uint8Array): void {
    const bytes = this.start(Buffer.from(block.buffer, block.byteOffset, block.length));
    for (let at = 0; at < bytes.length && !this.isDone; at += STEP_BYTES)
      this.step(bytes.subarray(at, Math.min(bytes.length, at + STEP_BYTES)));
  }

  /** After the last block. */
  end(): void {
    if (!this.isDone && this.kept > 0) this.search(this.window.subarray(0, this.kept));
    this.kept = 0;
  }

  /** Nothing that follows can change the answer. */
  get isDone(): boolean {
    return this.isBinary || this.hasMore;
  }

  private step(bytes: Buffer): void {
    if (this.window.length === 0) this.window = Buffer.allocUnsafeSlow(PIECE_BYTES + STEP_BYTES);
    this.window.set(bytes, this.kept);
    const filled = this.window.subarray(0, this.kept + bytes.length);
    let done = filled.lastIndexOf(LINE_FEED) + 1;
    if (done > 0) {
      this.search(filled.subarray(0, done));
      this.advance(filled.subarray(0, done));
    }
    const rest = filled.subarray(done);
    if (rest.length > PIECE_BYTES) {
      this.search(rest);
      done = filled.length - (this.finder.kind === "bytes" ? this.finder.finder.overlap : 0);
      this.advance(filled.subarray(filled.length - rest.length, done));
    }
    this.window.copyWithin(0, done, filled.length);
    this.kept = filled.length - done;
  }

  /** The block without what is no text of its own: the byte order mark at the beginning. */
  private start(block: Buffer): Buffer {
    if (!this.isStarted) {
      this.isStarted = true;
      if (block.subarray(0, BINARY_PROBE_BYTES).includes(0)) {
        this.isBinary = true;
        return NOTHING;
      }
      this.bytes += block.length;
      return block.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
        ? block.subarray(BYTE_ORDER_MARK.length)
        : block;
    }
    this.bytes += block.length;
    return block;
  }

  private search(bytes: Buffer): void {
    if (this.finder.kind === "bytes") this.searchBytes(this.finder.finder, bytes);
    else if (mayHold(bytes, this.finder.required)) this.searchLines(this.finder.expression, bytes.toString("utf8"));
  }

  /** These bytes will not be seen again; what is left of them is their number of lines, and of columns in the last. */
  private advance(bytes: Buffer): void {
    const lineStart = bytes.lastIndexOf(LINE_FEED) + 1;
    if (lineStart > 0) this.column = 0;
    this.line += countLineFeeds(bytes, 0, lineStart);
    this.column += utf16Length(bytes, lineStart, bytes.length);
  }

  private searchBytes(finder: ByteFinder, bytes: Buffer): void {
    finder.load(bytes);
    let line = this.line;
    let counted = 0;
    for (let at = finder.find(0); at >= 0; ) {
      line += countLineFeeds(bytes, counted, at);
      counted = at;
      const lineStart = at === 0 ? 0 : bytes.lastIndexOf(LINE_FEED, at - 1) + 1;
      const feed = bytes.indexOf(LINE_FEED, at + finder.length);
      const lineEnd = feed < 0 ? bytes.length : feed;
      if (line !== this.lastMatchedLine) {
        const before = (lineStart === 0 ? this.column : 0) + utf16Length(bytes, lineStart, at);
        const end = bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
        if (!this.report(line, before, ...around(bytes, lineStart, end, at, at + finder.length))) return;
      }
      if (feed < 0) return;
      at = finder.find(feed);
    }
  }

  private searchLines(expression: RegExp, text: string): void {
    let line = this.line;
    // What follows the first piece of a long line is not looked at.
    let start = this.column > 0 ? nextLine(text, 0) : 0;
    if (start > 0) line++;
    for (let end: number; start < text.length; start = end + 1, line++) {
      end = text.indexOf("\n", start);
      if (end < 0) end = text.length;
      const shown = text.charCodeAt(end - 1) === CARRIAGE_RETURN && end > start ? end - 1 : end;
      const match = expression.exec(text.slice(start, Math.min(shown, start + LINE_CHARACTERS)));
      if (match === null) continue;
      const found = start + match.index;
      const from = Math.max(start, found - PREVIEW_CHARACTERS);
      const matchEnd = found + match[0].length;
      const after = text.slice(matchEnd, Math.min(shown, matchEnd + PREVIEW_CHARACTERS));
      if (!this.report(line, match.index, text.slice(from, found), match[0], after)) return;
    }
  }

  /** False: that is enough. */
  private report(line: number, unitsBefore: number, before: string, match: string, after: string): boolean {
    if (this.matches.length >= this.maxMatches) {
      this.hasMore = true;
      return false;
    }
    this.lastMatchedLine = line;
    this.matches.push({ line, column: unitsBefore + 1, ...previewOf(before, match, after) });
    return true;
  }
}

/** False: a text that every match has is not in there. */
function mayHold(bytes: Buffer, required: ByteFinder | undefined): boolean {
  required?.load(bytes);
  return required === undefined || required.find(0) >= 0;
}

/** The text around a match, as far as a preview may need it: before it, itself, after it. */
function around(
  bytes: Buffer,
  lineStart: number,
  lineEnd: number,
  matchStart: number,
  matchEnd: number,
): [string, string, string] {
  let from = Math.max(lineStart, matchStart - 4 * PREVIEW_CHARACTERS);
  let to = Math.min(lineEnd, matchEnd + 4 * PREVIEW_CHARACTERS);
  while (from < matchStart && from > lineStart && isUtf8Continuation(bytes[from])) from++;
  while (to > matchEnd && to < lineEnd && isUtf8Continuation(bytes[to])) to--;
  const lastShown = Math.min(matchEnd, matchStart + 4 * PREVIEW_CHARACTERS);
  return [
    bytes.toString("utf8", from, matchStart),
    bytes.toString("utf8", matchStart, lastShown),
    lastShown < matchEnd ? "" : bytes.toString("utf8", matchEnd, to),
  ];
}

function previewOf(before: string, match: string, after: string): Pick<LineMatch, "preview" | "start" | "length"> {
  const whole = before + match + after;
  const isShort = whole.length <= PREVIEW_CHARACTERS;
  const from = isShort ? 0 : wholeCharacter(whole, Math.max(0, before.length - PREVIEW_LEAD));
  const preview = isShort ? whole : whole.slice(from, wholeCharacter(whole, from + PREVIEW_CHARACTERS));
  const start = before.length - from;
  // Flattened: a slice would keep the text alive that it was cut from.
  return { preview: Buffer.from(preview).toString(), start, length: Math.min(match.length, preview.length - start) };
}

/** `at`, or one less where that is in the middle of a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}

function nextLine(text: string, from: number): number {
  const feed = text.indexOf("\n", from);
  return feed < 0 ? text.length : feed + 1;
}

/** `indexOf` and not a loop over the bytes: at the usual 20 to 100 bytes a line it is two to four times as fast. */
function countLineFeeds(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED, from); at >= 0 && at < to; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
