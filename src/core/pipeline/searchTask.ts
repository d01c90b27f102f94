/**
 * One lane of a search: takes contents from the shared list, in its order, and reports where the text is in them.
 *
 * The list ends early, for all lanes, when they have found as many matches as were asked for. What was taken until then
 * is always the beginning of the list and is searched to its end, so the first matches in the list's order are complete
 * whatever the number of lanes and whichever was faster.
 */
import { CheckpointError } from "../../shared/errors";
import { errnoOf } from "../fs/fileSystem";
import type { Hash } from "../store/hash";
import type { PackSet } from "../store/packSet";
import { type ContentFindings, GuardedBatch } from "./guardedBatch";
import { type LineMatch, LineSearch } from "./lineSearch";
import { compilePattern, type SearchPattern } from "./searchPattern";
import { type SharedWork, WorkView } from "./sharedWork";
import { type Guard, TookTooLong, timeGuard } from "./timeGuard";

export interface SearchTask {
  readonly kind: "search";
  /** Hashes, and sizes as far as they are known. */
  readonly work: SharedWork;
  readonly pattern: SearchPattern;
  /** Of one content, at most. */
  readonly matchesPerContent: number;
  /** Of all together: no content is begun once so many have been found. */
  readonly limit: number;
  /** Matches found so far by all lanes: 4 bytes, zero at first. */
  readonly found: SharedArrayBuffer;
}

export interface MatchedContent {
  readonly item: number;
  readonly matches: readonly LineMatch[];
  /** There are more in it than were asked for. */
  readonly hasMore: boolean;
}

export interface SearchTaskResult {
  readonly matched: readonly MatchedContent[];
  /** Damaged or missing contents; nothing is said about what is in them. */
  readonly unreadable: readonly { readonly item: number; readonly message: string }[];
  /** Contents and bytes searched. */
  readonly contents: number;
  readonly bytes: number;
  /** Contents that are no text. */
  readonly binary: number;
}

export type ContentSource = Pick<PackSet, "read" | "readTo" | "frameLength">;

/** Contents up to this size are searched whole, without their lines being counted; larger ones in blocks. */
const WHOLE_BYTES = 256 << 10;

/** Of a guarded run. A block takes a tenth of a second, unless the expression explodes. */
const TIMEOUT_MS = 10_000;

const NOTHING = new Uint8Array(0);

/** Stops the reading of a content of which no more needs to be seen. */
class Enough extends Error {}

/**
 * Runs until the list is empty or cancelled, or enough was found. `tick` is called before each item and each block.
 * Throws on errors that concern everything, and `usage` for a pattern that is invalid or takes too long.
 */
export function runSearchTask(
  source: ContentSource,
  task: SearchTask,
  tick: () => void = () => {},
  timeoutMs = TIMEOUT_MS,
): SearchTaskResult {
  const lane = new SearchLane(source, task, tick);
  try {
    lane.run(task.pattern.regex ? timeGuard(timeoutMs) : undefined);
  } catch (error) {
    new WorkView(task.work).cancel();
    if (!(error instanceof TookTooLong)) throw error;
    throw new CheckpointError(
      "usage",
      "This regular expression takes too long. Make it simpler: without one repetition inside another, for example.",
    );
  }
  const { matched, unreadable, contents, bytes, binary } = lane;
  return { matched, unreadable, contents, bytes, binary };
}

class SearchLane implements SearchTaskResult {
  readonly matched: MatchedContent[] = [];
  readonly unreadable: SearchTaskResult["unreadable"][number][] = [];
  contents = 0;
  bytes = 0;
  binary = 0;
  private readonly view: WorkView;
  private readonly search: LineSearch;
  private readonly found: Int32Array;

  constructor(
    private readonly source: ContentSource,
    private readonly task: SearchTask,
    private readonly tick: () => void,
  ) {
    this.view = new WorkView(task.work);
    this.search = new LineSearch(compilePattern(task.pattern), task.matchesPerContent);
    this.found = new Int32Array(task.found);
  }

  /** No guard: the search takes no longer than reading does. */
  run(guard: Guard | undefined): void {
    const batch = guard && new GuardedBatch(this.search, guard, WHOLE_BYTES);
    for (let item = this.take(); item !== undefined; item = this.take()) {
      if (!this.isSmall(item)) this.searchItem(item, (hash) => this.readInBlocks(hash, guard ?? unguarded));
      else if (batch === undefined) this.searchSmall(item);
      else this.gather(item, batch);
    }
    if (batch !== undefined) this.searchBatch(batch);
  }

  private take(): number | undefined {
    this.tick();
    return Atomics.load(this.found, 0) < this.task.limit ? this.view.take() : undefined;
  }

  /** Neither number is believed alone: one is the tree's, the other the pack's. */
  private isSmall(item: number): boolean {
    const frameBytes = this.source.frameLength(this.view.hash(item)) ?? 0;
    return this.view.facts(item).size <= WHOLE_BYTES && frameBytes <= WHOLE_BYTES;
  }

  private searchSmall(item: number): void {
    const use = (content: Uint8Array): void => {
      this.search.begin();
      this.search.all(content);
    };
    this.searchItem(item, (hash) => this.readSmall(item, hash, use));
  }

  /** `read` hands the content to the search. */
  private searchItem(item: number, read: (hash: Hash) => boolean): void {
    this.search.begin();
    if (this.isRead(item, read)) this.note(item, this.search);
    this.view.finished();
  }

  /** Read now, searched with others. */
  private gather(item: number, batch: GuardedBatch): void {
    let copied: Uint8Array = NOTHING;
    const use = (content: Uint8Array): void => {
      copied = batch.copy(content);
    };
    if (this.isRead(item, (hash) => this.readSmall(item, hash, use))) batch.add(item, copied);
    this.view.finished();
    if (batch.isFull) this.searchBatch(batch);
  }

  private searchBatch(batch: GuardedBatch): void {
    for (const { item, findings } of batch.search(this.tick)) this.note(item, findings);
  }

  private note(item: number, { matches, hasMore, isBinary, bytes }: ContentFindings): void {
    if (isBinary) this.binary++;
    else this.contents++;
    this.bytes += bytes;
    if (matches.length === 0) return;
    Atomics.add(this.found, 0, matches.length);
    this.matched.push({ item, matches, hasMore });
  }

  /** `read` answers false where the content is missing. Of what is missing or damaged nothing but that is noted. */
  private isRead(item: number, read: (hash: Hash) => boolean): boolean {
    try {
      const hash = this.view.hash(item);
      if (read(hash)) return true;
      throw new CheckpointError("damaged", `Its content (${hash}) is missing from the store. Run "Verify Store".`);
    } catch (error) {
      const message = damageOf(error);
      if (message === undefined) throw error;
      this.unreadable.push({ item, message });
      return false;
    }
  }

  /**
   * Where it lies in one block, as it nearly always does, nothing is allocated for it. `use` may be called twice (the
   * first copy was damaged): the last call counts. Not at all: it is empty.
   */
  private readSmall(item: number, hash: Hash, use: (content: Uint8Array) => void): boolean {
    const size = this.view.size(item);
    let blocks = 0;
    let isWhole = false;
    try {
      const isThere = this.source.readTo(hash, (block) => {
        isWhole = ++blocks === 1 && block.length === size;
        if (isWhole) use(block);
      });
      if (isWhole || blocks === 0) return isThere;
    } catch (error) {
      // Another pack may hold it intact.
      if (!CheckpointError.is(error, "damaged")) throw error;
    }
    const content = this.source.read(hash);
    if (content === undefined) return false;
    use(content);
    return true;
  }

  /** What is found before the content turns out damaged is not reported. */
  private readInBlocks(hash: Hash, guard: Guard): boolean {
    const { search } = this;
    try {
      const isThere = this.source.readTo(hash, (block) => {
        this.tick();
        guard(() => search.add(block));
        if (search.isDone || this.view.isCancelled) throw new Enough();
      });
      guard(() => search.end());
      return isThere;
    } catch (error) {
      if (error instanceof Enough) return true;
      throw error;
    }
  }
}

const unguarded: Guard = (body) => body();

/** What is wrong with one content only; undefined: everything else would fail too. */
function damageOf(error: unknown): string | undefined {
  if (CheckpointError.is(error, "damaged")) return error.message;
  // A bad sector.
  return errnoOf(error) === "EIO" ? CheckpointError.from(error).message : undefined;
}
