/**
 * Small contents that are searched together, since a guarded run costs 50 µs to start. Such a run can be ended between
 * any two instructions, so nothing happens in it but the search: contents are read and copied here before, and what was
 * found is counted after. (Were they read in it, an expression that explodes could leave the store half changed.)
 */
import type { LineMatch, LineSearch } from "./lineSearch";
import type { Guard } from "./timeGuard";

/** What a search found in one content. */
export interface ContentFindings {
  readonly matches: readonly LineMatch[];
  readonly hasMore: boolean;
  readonly isBinary: boolean;
  readonly bytes: number;
}

/** Takes a few milliseconds to read. (Copying costs 0.2 s of CPU a GB. 2026-11-20, 2 cores.) */
const BATCH_BYTES = 2 << 20;
/** The longest that a guarded run takes on purpose. */
const SLICE_MS = 200;

export class GuardedBatch {
  private readonly buffer: Buffer;
  private filled = 0;
  private contents: { readonly item: number; readonly content: Uint8Array }[] = [];

  /** `usualBytes`: the largest content that is expected; a larger one takes memory of its own. */
  constructor(
    private readonly lineSearch: LineSearch,
    private readonly guard: Guard,
    usualBytes: number,
  ) {
    this.buffer = Buffer.allocUnsafeSlow(BATCH_BYTES + usualBytes);
  }

  get isFull(): boolean {
    return this.filled >= BATCH_BYTES;
  }

  /**
   * A copy of `content`, to be given to `add`; it is valid until the next copy is made or the batch has been searched.
   */
  copy(content: Uint8Array): Uint8Array {
    if (this.filled + content.length > this.buffer.length) return Uint8Array.from(content);
    this.buffer.set(content, this.filled);
    return this.buffer.subarray(this.filled, this.filled + content.length);
  }

  /** `copied`: what `copy` answered last. */
  add(item: number, copied: Uint8Array): void {
    this.contents.push({ item, content: copied });
    this.filled += copied.length;
  }

  /** Searches all that was added, and is empty afterwards. `tick` is called before each run. Throws `TookTooLong`. */
  search(tick: () => void): { readonly item: number; readonly findings: ContentFindings }[] {
    const { contents } = this;
    const findings: ContentFindings[] = [];
    while (findings.length < contents.length) {
      tick();
      this.guard(() => this.searchForAWhile(findings));
    }
    this.contents = [];
    this.filled = 0;
    return contents.map(({ item }, i) => ({ item, findings: findings[i]! }));
  }

  private searchForAWhile(findings: ContentFindings[]): void {
    const end = performance.now() + SLICE_MS;
    do {
      this.lineSearch.begin();
      this.lineSearch.all(this.contents[findings.length]!.content);
      const { matches, hasMore, isBinary, bytes } = this.lineSearch;
      findings.push({ matches, hasMore, isBinary, bytes });
    } while (findings.length < this.contents.length && performance.now() < end);
  }
}
