/** Searching what is in the files of all checkpoints: each content once, however many checkpoints and paths have it. */
import ignore from "ignore";
import type { Checkpoint } from "../../shared/checkpoints";
import { type ByteString, pathToText } from "../../shared/pathText";
import {
  DEFAULT_MATCHES,
  MATCHES_PER_VERSION,
  type SearchMatch,
  type SearchRequest,
  type SearchResult,
} from "../../shared/searches";
import { compilePattern } from "../pipeline/searchPattern";
import { runSearchTask, type SearchTask, type SearchTaskResult } from "../pipeline/searchTask";
import { allocateWork, WorkView } from "../pipeline/sharedWork";
import type { Operation, Store } from "./context";
import { isWorthLanes, runLaneWork } from "./laneWork";
import { type Place, type StoredContent, storedContents } from "./storedContents";

/** Changes nothing. Rejects with `usage` for a text or pattern that cannot be searched for, and with `cancelled`. */
export async function search(store: Store, request: SearchRequest, operation: Operation): Promise<SearchResult> {
  const limit = request.limit ?? DEFAULT_MATCHES;
  const pattern = { text: request.text, regex: request.regex === true, matchCase: request.matchCase === true };
  // Refused before anything is read.
  compilePattern(pattern);
  operation.report({ phase: "search", done: 0, total: 0 });
  const wanted = pathFilter(request.path, store.ignoreCase);
  const select = (path: ByteString, deleted: boolean): boolean =>
    (deleted || request.deleted !== true) && (wanted === undefined || wanted(pathToText(path)));
  const { contents, files, damaged } = storedContents(store, select, operation);

  const results = contents.length === 0 ? [] : await searchContents(store, contents, pattern, limit, operation);
  operation.throwIfCancelled();
  const sum = (pick: (result: SearchTaskResult) => number): number =>
    results.reduce((total, each) => total + pick(each), 0);
  const listed = listMatches(contents, results, limit);
  const searched = sum((each) => each.contents + each.binary + each.unreadable.length);
  const limitReached = listed.hasMore || searched < contents.length;
  // Where the list was cut, lanes may have looked beyond its end, some more and some less far.
  const end = limitReached ? listed.end : Number.POSITIVE_INFINITY;
  return {
    matches: listed.matches,
    files,
    contents: sum((each) => each.contents),
    bytes: sum((each) => each.bytes),
    binary: sum((each) => each.binary),
    limitReached,
    cutContents: listed.cut,
    unreadable: [...damaged, ...unreadableContents(store, contents, results, end)].map(
      ({ path, checkpoint, message }) => ({
        path,
        checkpoint: summary(checkpoint),
        message,
      }),
    ),
  };
}

function searchContents(
  store: Store,
  contents: readonly StoredContent[],
  pattern: SearchTask["pattern"],
  limit: number,
  operation: Operation,
): Promise<SearchTaskResult[]> {
  // Lanes have no use for paths: one content may have many.
  const shared = allocateWork(contents.length, 0);
  const view = new WorkView(shared);
  contents.forEach(({ hash, size }, i) => {
    view.setHash(i, hash);
    view.setFacts(i, { size, mtimeMs: 0, ctimeMs: 0, ino: 0, mode: 0 });
  });
  const task: SearchTask = {
    kind: "search",
    work: shared,
    pattern,
    matchesPerContent: MATCHES_PER_VERSION,
    limit,
    found: new SharedArrayBuffer(4),
  };
  const bytes = contents.reduce((sum, each) => sum + each.size, 0);
  const isBig = isWorthLanes(contents.length, bytes);
  const here = (tick: () => void): SearchTaskResult => runSearchTask(store.blobs, task, tick);
  return runLaneWork(store, { view, phase: "search", isBig, task: () => task, here }, operation);
}

/** The first `limit` matches by path, then newest version first, then line. */
function listMatches(contents: readonly StoredContent[], results: readonly SearchTaskResult[], limit: number) {
  const found = results
    .flatMap((result) => result.matched)
    .flatMap((each) => (contents[each.item] as StoredContent).places.map((place) => ({ ...each, place })))
    .sort((a, b) => a.place.order - b.place.order);
  const matches: SearchMatch[] = [];
  const cut = new Set<number>();
  let end = -1;
  for (const { item, place, matches: lines, hasMore } of found) {
    const room = limit - matches.length;
    if (room === 0) return { matches, cut: cut.size, end, hasMore: true };
    const { hash } = contents[item] as StoredContent;
    const path = pathToText(place.path);
    const checkpoint = summary(place.checkpoint);
    for (const line of lines.slice(0, room)) matches.push({ path, hash, checkpoint, deleted: place.deleted, ...line });
    end = place.order;
    if (hasMore) cut.add(item);
    if (lines.length > room) return { matches, cut: cut.size, end, hasMore: true };
  }
  return { matches, cut: cut.size, end, hasMore: false };
}

interface Unreadable {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly message: string;
}

/** By the first place of each, as far as the list of matches goes. */
function unreadableContents(
  store: Store,
  contents: readonly StoredContent[],
  results: readonly SearchTaskResult[],
  end: number,
): Unreadable[] {
  const still = new Set(store.catalog.checkpoints.map((each) => each.id));
  for (const { item } of results.flatMap((result) => result.unreadable)) {
    const { hash, places } = contents[item] as StoredContent;
    if (places.some(({ checkpoint }) => still.has(checkpoint.id))) store.blobs.noteUnreadable(hash);
  }
  return (
    results
      .flatMap((result) => result.unreadable)
      .map(({ item, message }) => ({ place: (contents[item] as StoredContent).places[0] as Place, message }))
      // Content of a checkpoint that was deleted meanwhile is gone, not damaged.
      .filter(({ place }) => place.order <= end && still.has(place.checkpoint.id))
      .sort((a, b) => a.place.order - b.place.order)
      .map(({ place, message }) => ({ path: pathToText(place.path), checkpoint: place.checkpoint, message }))
  );
}

function summary({ id, number, createdAt, name }: Checkpoint): SearchMatch["checkpoint"] {
  return { id, number, createdAt, name };
}

/** Whether a path is meant by a pattern in gitignore syntax; "!" in front: by all but this one. Undefined: all are. */
function pathFilter(glob: string | undefined, ignoreCase: boolean): ((path: string) => boolean) | undefined {
  if (glob === undefined || glob === "") return undefined;
  const isInverted = glob.startsWith("!");
  const pattern = (isInverted ? glob.slice(1) : glob).replace(/^#/, "\\#");
  const matcher = ignore({ ignorecase: ignoreCase, allowRelativePaths: true }).add(pattern);
  return (path) => matcher.ignores(path) !== isInverted;
}
