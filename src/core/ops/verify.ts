/**
 * Checking a store. Quick: every part opens, and every checkpoint's trees and contents are somewhere. Full: every byte
 * of every pack is read and hashed as well. Nothing is changed by either. Packs and trees are opened anew: what this
 * process has in memory says nothing about what is on the disk. What is found damaged is known from then on (see
 * store/knownDamage.ts).
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { VerifyProblem, VerifyResult } from "../../shared/upkeep";
import { joinPath } from "../fs/osPath";
import { LOG_FILE } from "../store/checkpointLog";
import type { Hash } from "../store/hash";
import type { PackId } from "../store/packFiles";
import type { PackProblem, PackReader } from "../store/packReader";
import { openPackSet, type PackSet } from "../store/packSet";
import { readIntent } from "../store/restoreJournal";
import { CATALOG_FILE, describeStore, STORE_FILE } from "../store/storeLayout";
import { MAX_FOLDER_DEPTH, TREE_DIRECTORY, type TreeEntryType } from "../store/tree";
import { journalOf, type Operation, type Store } from "./context";
import type { PackKind } from "./packRewrite";
import { TreeStore } from "./treeStore";
import { takeInChanges } from "./withLock";

/** Paths named per damaged checkpoint. */
const NAMED_PATHS = 100;
/** Paths remembered of a content that is lost, for whoever looks for it in the workspace. */
const TRIED_PATHS = 20;

/** A content that a checkpoint needs and the store does not have intact. */
export interface LostContent {
  readonly type: TreeEntryType;
  readonly size: number;
  /** Some of those at which it lay. */
  readonly paths: Set<ByteString>;
}

/** A pack with something wrong: "index" if that is all, and its `.dat` is as it should be. */
export interface BrokenPack {
  readonly kind: PackKind;
  readonly id: PackId;
  readonly fault: "index" | "manifest" | "content";
}

/** What a check found out. */
export interface StoreCheck {
  readonly result: VerifyResult;
  readonly broken: readonly BrokenPack[];
  readonly lostContents: ReadonlyMap<Hash, LostContent>;
  readonly lostTrees: ReadonlySet<Hash>;
}

export type CheckedPacks = Readonly<Record<PackKind, PackSet>>;

export function verify(store: Store, full: boolean, operation: Operation): VerifyResult {
  return checkStore(store, full, operation).result;
}

export function checkStore(store: Store, full: boolean, operation: Operation): StoreCheck {
  const { fs, codecs, layout } = store;
  const packs: CheckedPacks = {
    blobs: openPackSet({ fs, codecs, folder: layout.packs }),
    trees: openPackSet({ fs, codecs, folder: layout.trees }),
  };
  try {
    const found = checkPacks(store, packs, full, operation);
    store.blobs.adoptDamage(packs.blobs, full ? packs.blobs.list() : []);
    store.treePacks.adoptDamage(packs.trees, full ? packs.trees.list() : []);
    return found;
  } finally {
    packs.blobs.close();
    packs.trees.close();
  }
}

/** As `checkStore`, by these packs. */
export function checkPacks(store: Store, packs: CheckedPacks, full: boolean, operation: Operation): StoreCheck {
  const check = new Check(packs, operation);
  check.packs("blobs", full);
  check.packs("trees", full);
  check.files(store);
  const checkpoints = check.catalog(store);
  check.log(store);
  const damaged = checkpoints.flatMap((checkpoint, i) => {
    operation.report({ phase: "verify", done: i, total: checkpoints.length });
    operation.throwIfCancelled();
    const paths = check.checkpoint(checkpoint);
    return paths.length === 0 ? [] : [{ checkpoint, paths }];
  });
  const { problems, broken, lostContents, lostTrees } = check;
  return {
    result: {
      ok: problems.length === 0 && damaged.length === 0,
      full,
      checkpoints: checkpoints.length,
      packs: packs.blobs.list().length + packs.trees.list().length,
      objects: packs.blobs.entryCount + packs.trees.entryCount,
      bytesRead: check.bytesRead,
      problems,
      damaged,
      healed: [],
    },
    broken: [...broken.values()],
    lostContents,
    lostTrees,
  };
}

const FOLDERS: Readonly<Record<PackKind, string>> = { blobs: "packs", trees: "trees" };

class Check {
  readonly problems: VerifyProblem[] = [];
  readonly broken = new Map<string, BrokenPack>();
  readonly lostContents = new Map<Hash, LostContent>();
  readonly lostTrees = new Set<Hash>();
  bytesRead = 0;
  /** Trees below which nothing is wrong. */
  private readonly sound = new Set<Hash>();
  private readonly trees: TreeStore;

  constructor(
    private readonly sets: CheckedPacks,
    private readonly operation: Operation,
  ) {
    this.trees = new TreeStore(sets.trees);
  }

  packs(kind: PackKind, full: boolean): void {
    const packs = this.sets[kind];
    for (const { id, message, rebuilt, packFault } of packs.damagedIndexes) {
      if (packFault !== undefined)
        this.blame(kind, id, "content", `${packFault}. Perhaps not all of its content can be read.`);
      else this.blame(kind, id, "index", rebuilt ? `${message} (its content can still be read)` : message);
    }
    if (!full) return;
    const ids = packs.list();
    ids.forEach((id, i) => {
      const pack = packs.pack(id);
      if (pack === undefined) return;
      this.operation.report({ phase: "verify", done: i, total: ids.length });
      this.operation.throwIfCancelled();
      packs.forgetDamage(id);
      const found = this.problemsOf(pack);
      // Another process may have merged it into another pack meanwhile, from where the checkpoints below are looked up.
      if (found.length > 0) packs.refresh();
      if (!packs.ids().includes(id)) return;
      for (const { part, message } of found)
        this.blame(kind, id, part === undefined ? "content" : part.endsWith(".idx") ? "index" : "manifest", message);
    });
    // What is left of broken packs was blamed already; which entries of it are of use shows when they are read.
    for (const pack of packs.remains()) {
      packs.forgetDamage(pack.id);
      this.problemsOf(pack);
    }
  }

  /** Everything that is not a pack. */
  files(store: Store): void {
    this.part(STORE_FILE, () => void describeStore(store.fs, store.layout), CATALOG_FILE);
    this.part("journal/restore.json", () => void readIntent(journalOf(store)), undefined, true);
  }

  /** After `catalog`. */
  log(store: Store): void {
    this.part(LOG_FILE, () => {
      if (store.catalog.hasDamagedLog())
        this.problems.push({
          part: LOG_FILE,
          message: `${LOG_FILE}, which helps where the catalog is lost, has damaged lines. Run "Repair Store": it is written anew.`,
        });
    });
  }

  /** The checkpoints; none, and a problem more, when they cannot be read. */
  catalog(store: Store): readonly Checkpoint[] {
    let checkpoints: readonly Checkpoint[] = [];
    this.part(CATALOG_FILE, () => {
      takeInChanges(store);
      checkpoints = store.catalog.checkpoints;
    });
    return checkpoints;
  }

  /** Paths of a checkpoint that cannot be restored. */
  checkpoint(checkpoint: Checkpoint): string[] {
    const paths: string[] = [];
    this.tree("" as ByteString, checkpoint.rootTree as Hash, paths);
    return paths;
  }

  /**
   * `other`: the part to be blamed where the error names that one. `mayBeNewer`: of another version it is a problem like
   * any other; for the parts that everything depends on it is the end of the check.
   */
  private part(part: string, look: () => void, other?: string, mayBeNewer = false): void {
    try {
      look();
    } catch (error) {
      const isNewer = mayBeNewer && CheckpointError.is(error, "newer-format");
      if (!isNewer && !CheckpointError.is(error, "damaged")) throw error;
      // Said by whoever looks at that part itself.
      if (other !== undefined && String(error.details.path ?? "").endsWith(other)) return;
      this.problems.push({ part, message: error.message });
    }
  }

  private blame(kind: PackKind, id: PackId, fault: BrokenPack["fault"], message: string): void {
    const suffix = { index: "idx", manifest: "dat.parts.json", content: "dat" }[fault];
    this.problems.push({ part: `${FOLDERS[kind]}/pack-${id}.${suffix}`, message });
    const key = `${kind} ${id}`;
    // The worst of it counts: whoever repairs the content makes index and manifest anew.
    if (this.broken.get(key)?.fault !== "content") this.broken.set(key, { kind, id, fault });
  }

  private problemsOf(pack: PackReader): PackProblem[] {
    try {
      return pack.verify((entry) => {
        this.bytesRead += entry.length;
        this.operation.throwIfCancelled();
      });
    } finally {
      // A store may have more packs than a process may have files open.
      pack.close();
    }
  }

  private tree(path: ByteString, hash: Hash, paths: string[], depth = 0): boolean {
    if (this.sound.has(hash)) return true;
    let whole = true;
    const blame = (damagedPath: ByteString): void => {
      whole = false;
      if (paths.length < NAMED_PATHS) paths.push(pathToText(damagedPath));
    };
    if (depth > MAX_FOLDER_DEPTH) {
      blame(`${path}/` as ByteString);
      return false;
    }
    try {
      for (const entry of this.trees.read(hash)) {
        const child = joinPath(path, entry.name);
        if (entry.type === TREE_DIRECTORY) whole = this.tree(child, entry.hash, paths, depth + 1) && whole;
        else if (!this.sets.blobs.offers(entry.hash)) {
          blame(child);
          this.lose(entry.hash, entry, child);
        }
      }
    } catch (error) {
      if (!CheckpointError.is(error)) throw error;
      blame(`${path}/` as ByteString);
      // One of a later version is not lost, only not for this program.
      if (CheckpointError.is(error, "damaged")) {
        this.lostTrees.add(hash);
        this.sets.trees.noteUnreadable(hash);
      }
    }
    if (whole) this.sound.add(hash);
    return whole;
  }

  private lose(hash: Hash, { type, size }: { type: TreeEntryType; size: number }, path: ByteString): void {
    const known = this.lostContents.get(hash) ?? { type, size, paths: new Set() };
    if (known.paths.size < TRIED_PATHS) known.paths.add(path);
    this.lostContents.set(hash, known);
    this.sets.blobs.noteUnreadable(hash);
  }
}
