/** What the operations work with: the parts of one open store, and what one call brought along. */
import type { Progress } from "../../shared/api";
import { cancelled } from "../../shared/errors";
import type { FileSystem } from "../fs/fileSystem";
import type { PathRoot } from "../fs/osPath";
import type { ProcessIdentity } from "../fs/processIdentity";
import type { LanePool } from "../pipeline/lanes";
import type { FileIndex } from "../scan/fileIndex";
import type { Catalog } from "../store/catalog";
import type { Codecs } from "../store/codecs";
import type { PackSet } from "../store/packSet";
import type { JournalDeps } from "../store/restoreJournal";
import type { StoreLayout } from "../store/storeLayout";
import type { LastScan } from "./lastScan";
import type { ListedChanges } from "./listedChanges";
import type { TreeStore } from "./treeStore";

interface Environment {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly identity: ProcessIdentity;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Local time minus UTC at a moment, both in milliseconds. */
  readonly localOffsetMs: (at: number) => number;
  /** Fresh random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly sleep: (ms: number) => Promise<void>;
  readonly lockTimeoutMs: number;
  /** Absent: everything runs on the caller's thread. */
  readonly lanes: LanePool | undefined;
  /** As the file system of the workspace compares names. */
  readonly ignoreCase: boolean;
}

export interface Store extends Environment {
  readonly layout: StoreLayout;
  readonly root: PathRoot;
  readonly blobs: PackSet;
  readonly treePacks: PackSet;
  readonly trees: TreeStore;
  readonly catalog: Catalog;
  readonly listedChanges: ListedChanges;
  readonly index: FileIndex;
  readonly lastScan: LastScan;
  /** A name part that nothing else in the store has. */
  readonly nonce: () => string;
}

/** Observation and cancellation of one call. */
export class Operation {
  constructor(
    readonly report: (progress: Progress) => void,
    readonly isCancelled: () => boolean,
  ) {}

  /** Called between steps; an operation that has begun to commit no longer asks. */
  throwIfCancelled(): void {
    if (this.isCancelled()) throw cancelled();
  }
}

/** Where the journal of a running restore is, and what it takes to read and write it. */
export function journalOf({ fs, codecs, layout }: Store): JournalDeps {
  return { fs, codecs, folder: layout.journal };
}
