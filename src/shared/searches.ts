/** What a search is asked for and what it finds. */
import type { Checkpoint } from "./checkpoints";

/** Matches at most unless told; more nobody reads. */
export const DEFAULT_MATCHES = 1_000;
/** Matching lines listed of one version of a file; a log may have millions. */
export const MATCHES_PER_VERSION = 100;
/** A regular expression sees this many UTF-16 units of a line: editors show no more of it either. */
export const LINE_CHARACTERS = 10_000;

export interface SearchRequest {
  /** What one line must hold: text, or a JavaScript regular expression (with the flag "u") if `regex` says so. */
  readonly text: string;
  readonly regex?: boolean;
  readonly matchCase?: boolean;
  /** Only files at these paths: one pattern in gitignore syntax ("*.ts", "/src/"); with "!" in front, all others. */
  readonly path?: string;
  /** Only paths at which the newest checkpoint has nothing any more. */
  readonly deleted?: boolean;
  /** Matches at most; DEFAULT_MATCHES unless told. */
  readonly limit?: number;
}

/** The first match in one line of one version of a file. */
export interface SearchMatch {
  readonly path: string;
  /** Of the version's content. */
  readonly hash: string;
  /** The newest one that has this content at this path. */
  readonly checkpoint: Pick<Checkpoint, "id" | "number" | "createdAt" | "name">;
  /** The newest checkpoint of all has nothing at this path. */
  readonly deleted: boolean;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The line; of a long one, what is around the match. */
  readonly preview: string;
  /** Where the match is in the preview, and how long, in UTF-16 units. */
  readonly start: number;
  readonly length: number;
}

export interface SearchResult {
  /** By path, then newest version first, then line. */
  readonly matches: readonly SearchMatch[];
  /** Paths, over all checkpoints, that the search was about. */
  readonly files: number;
  /** Contents searched, each once however many checkpoints have it, and their bytes. */
  readonly contents: number;
  readonly bytes: number;
  /** Contents that are no text, and were not searched. */
  readonly binary: number;
  /** There are, or may be, more matches than were asked for. */
  readonly limitReached: boolean;
  /** Contents among the matches with more matching lines than are listed of one (MATCHES_PER_VERSION). */
  readonly cutContents: number;
  /** What is damaged, and so was not searched. A folder ends with "/". */
  readonly unreadable: readonly {
    readonly path: string;
    readonly checkpoint: SearchMatch["checkpoint"];
    readonly message: string;
  }[];
}
