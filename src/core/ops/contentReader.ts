/**
 * Reads, hashes and (if asked) stores files, on lane threads or here: the middle of every capture.
 *
 *   add, begin   files are named; lanes may begin with them while the scan is still finding more
 *   read         all are read: their hashes are known, and trees can be made of them
 *   published    their content is in published packs; lanes sync theirs while this thread makes the trees
 *
 * Whoever made a reader ends it by `published` or by `abandon`: lanes that are ahead of the scan wait for one of them.
 */

import { type ByteString, pathToText } from "../../shared/pathText";
import type { Skipped } from "../../shared/saves";
import { GrowingWork, type WorkRoom } from "../pipeline/growingWork";
import { AS_SYMLINK, SKIPPED, STORED, type StoreTaskResult } from "../pipeline/storeTask";
import { type IndexedEntry, SYMLINK } from "../scan/recordLayout";
import type { ScannedFile } from "../scan/scannedFolder";
import type { Operation, Store } from "./context";
import { HardLinks, type UnreadFile } from "./hardLinks";
import { isWorthLanes } from "./laneWork";
import { ReadingRound, type ReadOptions } from "./readingRound";

/** What became of each file that had to be read; a missing one could not be. */
export interface Resolved {
  get(file: ScannedFile): IndexedEntry | undefined;
  /** The size of what was read. */
  size(file: ScannedFile): number | undefined;
}

export interface Contents {
  readonly skipped: readonly (Skipped & { readonly file: ScannedFile })[];
  /** By how much the files that were read are larger than they were when they were found. */
  readonly growth: number;
  readonly newObjects: number;
  readonly newBytes: number;
  readonly deduplicated: number;
  readonly raw: number;
  readonly bytesIn: number;
}

/** For files that are read while more are found. What finds no room is read afterwards. */
const ROOM: WorkRoom = { items: 1 << 18, pathBytes: 1 << 25 };
/** How often the lanes' progress is looked at when trees could be made. */
const WAIT_MS = 2;

export class ContentReader implements Resolved {
  private readonly links = new HardLinks();
  private waiting: UnreadFile[] = [];
  private waitingBytes = 0;
  private added = 0;
  /** Where lanes work while files are still being added. */
  private early: { readonly list: GrowingWork; readonly round: ReadingRound } | undefined;
  private isFull = false;
  private readonly rounds: ReadingRound[] = [];

  constructor(
    private readonly store: Store,
    private readonly options: ReadOptions,
    private readonly operation: Operation,
    private readonly room: WorkRoom = ROOM,
  ) {}

  /** Takes a file that has to be read. */
  add(path: ByteString, file: ScannedFile): void {
    const found = { path, file };
    this.added++;
    if (!this.links.isFirst(found)) return;
    this.waiting.push(found);
    this.waitingBytes += file.size;
  }

  /** More files are still to come: lets lanes begin with those that were added, if they are enough. */
  begin(): void {
    if (this.isFull || this.store.lanes === undefined) return;
    if (isWorthLanes(this.waiting.length, this.waitingBytes)) this.passOn();
  }

  /**
   * All files have been added: resolves when all are read. Rejects with `cancelled`, and with the first error that
   * concerns everything; the caller abandons the reader then.
   */
  async read(): Promise<void> {
    if (this.early !== undefined) {
      if (!this.isFull) this.passOn();
      this.early.list.end();
      await this.early.round.whenRead(WAIT_MS);
      // Its lanes are busy until then.
      if (this.waiting.length > 0) await this.early.round.results;
    }
    if (this.waiting.length > 0) await this.readWaiting();
    this.operation.throwIfCancelled();
  }

  get(file: ScannedFile): IndexedEntry | undefined {
    const first = this.links.first(file);
    for (const round of this.rounds) {
      const item = round.stored(first);
      if (item === undefined) continue;
      const { size, mtimeMs, ctimeMs, ino, mode } = round.view.facts(item);
      const hash = round.view.hash(item);
      return { name: file.name, type: file.type, mode, size, mtimeMs, ctimeMs, ino, hash, racy: false };
    }
    return undefined;
  }

  size(file: ScannedFile): number | undefined {
    const first = this.links.first(file);
    for (const round of this.rounds) {
      const item = round.stored(first);
      if (item !== undefined) return round.view.size(item);
    }
    return undefined;
  }

  /** After `read`: resolves when the packs are published and the store knows them. Rejects as `read` does. */
  async published(): Promise<Contents> {
    const results = (await Promise.all(this.rounds.map((round) => round.results))).flat();
    this.operation.throwIfCancelled();
    // Catalog and index come next, and need memory themselves.
    if (this.early !== undefined) this.store.lanes?.release();
    for (const { pack } of results) if (pack !== undefined) this.store.blobs.add(pack);
    let growth = 0;
    let items = 0;
    for (const round of this.rounds) {
      items += round.files.length;
      if (this.options.store) round.expectStored();
      round.files.forEach((file, item) => {
        if (round.view.states[item] !== STORED) return;
        // All names of a file have one size, also as they were found.
        growth += (round.view.size(item) - file.size) * (1 + this.links.othersOf(file).length);
      });
    }
    const sum = (pick: (result: StoreTaskResult) => number): number =>
      results.reduce((total, each) => total + pick(each), 0);
    return {
      skipped: (await Promise.all(this.rounds.map((round) => this.skippedIn(round)))).flat(),
      growth,
      newObjects: sum((each) => each.newObjects),
      newBytes: sum((each) => each.newBytes),
      deduplicated: sum((each) => each.deduplicated) + (this.added - items),
      raw: sum((each) => each.raw),
      bytesIn: sum((each) => each.bytesIn),
    };
  }

  /** Ends what is under way, and takes back what was published. Never rejects. */
  async abandon(): Promise<void> {
    for (const { view } of this.rounds) view.cancel();
    this.early?.list.end();
    for (const settled of await Promise.allSettled(this.rounds.map((round) => round.results))) {
      if (settled.status === "rejected") continue; // its lanes took back what they had
      // A pack that was there before may be what a checkpoint lives on; ours nobody knows yet.
      for (const { pack } of settled.value) if (pack?.created === true) this.store.blobs.remove(pack.id);
    }
  }

  /** Gives what was added to the lanes. */
  private passOn(): void {
    this.early ??= this.startEarly();
    const { list, round } = this.early;
    const rest: UnreadFile[] = [];
    for (const { path, file } of inReadingOrder(this.waiting)) {
      if (rest.length === 0 && list.add(path, file, stateOf(file))) round.take(file);
      else rest.push({ path, file });
    }
    list.publish();
    this.isFull = rest.length > 0;
    this.waiting = rest;
    this.waitingBytes = rest.reduce((sum, { file }) => sum + file.size, 0);
  }

  private startEarly(): { list: GrowingWork; round: ReadingRound } {
    const list = new GrowingWork(this.room);
    const round = new ReadingRound(this.store, list.work, this.options);
    round.start(true, this.operation);
    this.rounds.push(round);
    return { list, round };
  }

  private async readWaiting(): Promise<void> {
    const { waiting } = this;
    const isBig = isWorthLanes(waiting.length, this.waitingBytes);
    const list = new GrowingWork({
      items: waiting.length,
      pathBytes: waiting.reduce((sum, { path }) => sum + path.length, 0),
    });
    const round = new ReadingRound(this.store, list.work, this.options);
    for (const { path, file } of inReadingOrder(waiting)) {
      list.add(path, file, stateOf(file));
      round.take(file);
    }
    list.end();
    this.waiting = [];
    this.waitingBytes = 0;
    this.rounds.push(round);
    round.start(isBig, this.operation);
    await round.whenRead(WAIT_MS);
  }

  private async skippedIn(round: ReadingRound): Promise<Contents["skipped"][number][]> {
    return (await round.results).flatMap(({ skipped }) =>
      skipped.flatMap(({ item, reason, message }) => {
        const file = round.files[item];
        if (file === undefined || round.view.states[item] !== SKIPPED) return [];
        return [{ path: round.view.path(item), file }, ...this.links.othersOf(file)].map((each) => ({
          path: pathToText(each.path),
          reason,
          message,
          file: each.file,
        }));
      }),
    );
  }
}

const stateOf = (file: ScannedFile): number => (file.type === SYMLINK ? AS_SYMLINK : 0);

/** Big files first (so that no lane is left with one at the end), then by inode, which is roughly the order on disk. */
function inReadingOrder(files: UnreadFile[]): UnreadFile[] {
  const isBig = (item: UnreadFile): number => (item.file.size > 1024 * 1024 ? 0 : 1);
  return files.sort((a, b) => isBig(a) - isBig(b) || a.file.ino - b.file.ino);
}
