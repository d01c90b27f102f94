/**
 * What may have changed in one workspace folder since the last save: paths, or the doubt that makes the next save look
 * at everything. No vscode: events and times come in.
 *
 * A file watcher is a hint. Measured with VS Code 1.139 on Linux (its watcher is @parcel/watcher 2.5.6), and read in
 * its source: events come 0.1 s late and, in a flood, up to 12 s; a flood beyond 30,000 waiting events or 16,384 in the
 * kernel loses some without a word; a watcher that found no free watches, or is still starting, is silent for good or
 * for a while; a folder moved in reports itself and nothing of what happens in its subfolders, ever after.
 *
 * So paths are given only while all of this holds, and everything else is doubt:
 * - the watcher was heard before the last look at everything began, so that nothing fell between the two;
 * - what the editor wrote came back from the watcher (each first such write is a probe of its hearing);
 * - no flood, no sleep of the machine, no change of rules, no excluded paths since then;
 * - the last look at everything is not old: what slips through all of the above is late, never lost.
 * That no change was noticed is no doubt: of several workspace folders most are at rest while one is worked in, and what
 * is typed is not on disk yet. Such a look is at what is never sure (`newFolders`), which is often nothing.
 * A look that fails gives its paths and its doubt back.
 */
import { covers, isCovered, parentOf } from "./pathCover";

/** Why everything has to be looked at. For the log and for tests. */
type Doubt =
  | "first look"
  | "file watcher not heard yet"
  | "file watcher is silent"
  | "file watcher leaves out saved files"
  | "too many changes"
  | "a change that cannot be placed"
  | "the computer slept"
  | "rules changed"
  | "time for it"
  | "asked for";

/** One save's share of the changes. Exactly one of `succeeded` and `failed` is to be called. */
export interface Look {
  /** To be looked at; a folder stands for all that is in it. Empty: nothing has changed. Undefined: everything. */
  readonly paths: readonly string[] | undefined;
  /** Present when `paths` is not. */
  readonly doubt: Doubt | undefined;
  /** The save is done, and looked at this much. What came before it is forgotten. */
  succeeded(scanned: "all" | "changed"): void;
  /** Nothing was saved: the next look covers this one's changes, too. */
  failed(): void;
}

/** For a save of which nothing is known. */
export function everything(doubt: Doubt): Look {
  return { paths: undefined, doubt, succeeded: () => undefined, failed: () => undefined };
}

/** What else decides whether the paths of a set can be all there is. */
interface LookConditions {
  /** What the scan goes by; another text than at the last look at everything asks for a new one. */
  readonly rules: string;
  /** The watcher is told to leave out paths that a scan takes in, or cannot see them. */
  readonly watcherHides: boolean;
}

interface ChangedPathSetOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether the system watches what is in a new folder by itself; inotify does not. */
  readonly followsNewFolders: boolean;
}

/** Beyond it, looking at everything is about as fast, and what came is likely not all there was. */
export const MAX_PATHS = 2_000;
/** New folders that are looked at in every save. Beyond it they are put together under their parents. */
export const MAX_NEW_FOLDERS = 200;
export const MAX_FULL_AGE_MS = 30 * 60_000;
/** Between two ticks of a clock that ticks every TICK_MS. */
export const TICK_MS = 30_000;
export const MAX_TICK_GAP_MS = 120_000;
/** A watcher told to restart goes on reporting for a moment, and then reads the whole tree before it hears again. */
export const SETTLE_MS = 10_000;
/** By then the watcher has told of a write, unless a flood (which is doubt in itself) keeps it busy. */
export const ECHO_MS = 10_000;

export class ChangedPathSet {
  private batch = new Batch();
  private readonly now: () => number;
  private readonly followsNewFolders: boolean;
  /** Their insides may be deaf: part of every look from now on. */
  private newFolders = new Set<string>();
  /** New folders may have been missed: only a restart of the watcher, which reads the tree, ends it. */
  private lostTrack = false;
  private watcherStartedAt: number;
  private isHeard = false;
  /** A write by the editor that the watcher has yet to tell of. */
  private echo: { readonly path: string; readonly since: number } | undefined;
  private lastTickAt: number;
  private lastFull: { readonly at: number; readonly rules: string } | undefined;

  constructor({ now, followsNewFolders }: ChangedPathSetOptions) {
    this.now = now;
    this.followsNewFolders = followsNewFolders;
    this.watcherStartedAt = this.lastTickAt = now();
    this.batch.doubtAll("first look");
  }

  /** The file watcher reported `path` ("" = the folder itself, or somewhere in it). */
  heard(path: string): void {
    if (this.now() - this.watcherStartedAt >= SETTLE_MS) this.isHeard = true;
    if (this.echo && covers(path, this.echo.path)) this.echo = undefined;
    this.batch.add(path);
  }

  /**
   * The editor wrote, made, moved or removed `path`; `isWatched`: the watcher ought to report it as well. True: that is
   * now waited for, unless `writtenThroughLink` says otherwise.
   */
  written(path: string, isWatched: boolean): boolean {
    // A path that is in the set already may have been reported before the editor told of it.
    const isAudible = isWatched && path !== "" && !this.batch.has(path) && !isCovered(path, this.newFolders);
    const isProbe = isAudible && this.echo === undefined;
    if (isProbe) this.echo = { path, since: this.now() };
    this.batch.add(path);
    return isProbe;
  }

  /** `path`, written before, is reached through a link, behind which no watcher looks: silence proves nothing. */
  writtenThroughLink(path: string): void {
    if (this.echo?.path === path) this.echo = undefined;
  }

  /** `path`, reported before, turned out to be a folder. */
  sawFolder(path: string): void {
    if (this.followsNewFolders || isCovered(path, this.newFolders)) return;
    this.newFolders.add(path);
    if (this.newFolders.size > MAX_NEW_FOLDERS) this.newFolders = coarsened(this.newFolders, MAX_NEW_FOLDERS / 2);
  }

  /** Events came at a rate at which some are lost. */
  flooded(): void {
    this.batch.doubtAll("too many changes");
    if (!this.followsNewFolders) this.lostTrack = true;
  }

  /** The watcher was set up anew: what it missed meanwhile nobody knows. */
  watcherRestarted(): void {
    this.watcherStartedAt = this.now();
    this.isHeard = false;
    this.echo = undefined;
    this.lostTrack = false;
    this.newFolders.clear();
    this.batch.doubtAll("file watcher not heard yet");
  }

  /** To be called every TICK_MS: a gap means that the machine slept, or that the clock was set. */
  tick(): void {
    const gap = this.now() - this.lastTickAt;
    this.lastTickAt += gap;
    if (gap < 0 || gap > MAX_TICK_GAP_MS) this.batch.doubtAll("the computer slept");
  }

  /**
   * What a save that begins now has to look at. Changes reported from here on belong to the next look. `wanted`: "all"
   * for a save that looks at everything in any case.
   */
  take(wanted: "all" | "changed", { rules, watcherHides }: LookConditions): Look {
    this.tick();
    this.listenForEcho();
    const taken = this.batch;
    const startedAt = this.now();
    const doubt = wanted === "all" ? "asked for" : this.doubtOf(taken, rules, watcherHides);
    this.batch = new Batch();
    // What changes while this save looks around would go unnoticed by a watcher that is not there yet.
    if (!this.isHeard) this.batch.doubtAll("file watcher not heard yet");
    return {
      paths: doubt === undefined ? [...new Set([...taken.paths, ...this.newFolders])] : undefined,
      doubt,
      succeeded: (scanned) => {
        if (scanned === "all") this.lastFull = { at: startedAt, rules };
      },
      failed: () => this.batch.addAll(taken),
    };
  }

  private doubtOf(taken: Batch, rules: string, watcherHides: boolean): Doubt | undefined {
    if (watcherHides) return "file watcher leaves out saved files";
    if (taken.doubt !== undefined) return taken.doubt;
    if (this.lostTrack || this.newFolders.has("")) return "too many changes";
    if (this.lastFull === undefined) return "first look";
    if (this.lastFull.rules !== rules) return "rules changed";
    if (this.now() - this.lastFull.at >= MAX_FULL_AGE_MS) return "time for it";
    return undefined;
  }

  private listenForEcho(): void {
    if (this.echo === undefined || this.now() - this.echo.since < ECHO_MS) return;
    this.echo = undefined;
    this.isHeard = false;
    this.batch.doubtAll("file watcher is silent");
  }
}

/** The changes of one look. In doubt it holds no paths. */
class Batch {
  readonly paths = new Set<string>();
  doubt: Doubt | undefined;

  doubtAll(doubt: Doubt): void {
    this.doubt ??= doubt;
    this.paths.clear();
  }

  has(path: string): boolean {
    return isCovered(path, this.paths);
  }

  add(path: string): void {
    if (this.doubt !== undefined || this.has(path)) return;
    if (path === "") this.doubtAll("a change that cannot be placed");
    else this.paths.add(path);
    if (this.paths.size > MAX_PATHS) this.thinOut();
  }

  addAll(other: Batch): void {
    if (other.doubt !== undefined) this.doubtAll(other.doubt);
    for (const path of other.paths) this.add(path);
  }

  /** Drops what a folder reported later stands for; when that frees little, there is too much. */
  private thinOut(): void {
    for (const path of this.paths) if (isCovered(parentOf(path), this.paths)) this.paths.delete(path);
    if (this.paths.size > MAX_PATHS / 2) this.doubtAll("too many changes");
  }
}

/** The same places with at most `limit` paths: deeper ones give way to the folders they are in. */
export function coarsened(paths: ReadonlySet<string>, limit: number): Set<string> {
  let depth = Math.max(0, ...Array.from(paths, (path) => path.split("/").length));
  let result = new Set(paths);
  while (result.size > limit && depth > 0) {
    depth--;
    result = new Set(Array.from(result, (path) => path.split("/").slice(0, depth).join("/")));
    for (const path of result) if (path !== "" && isCovered(parentOf(path), result)) result.delete(path);
  }
  return result;
}
