/**
 * Checking a store. Quick: every part opens, and every checkpoint's trees and contents are somewhere. Full: every byte
 * of every pack is read and hashed as well. Nothing is changed by either. Packs and trees are opened anew: what this
 * process has in memory says nothing about what is on the disk.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { VerifyProblem, VerifyResult } from "../../shared/upkeep";
import { joinPath } from "../fs/osPath";
import type { Hash } from "../store/hash";
import type { PackProblem, PackReader } from "../store/packReader";
import { openPackSet, type PackSet } from "../store/packSet";
import { TREE_DIRECTORY } from "../store/tree";
import type { Operation, Store } from "./context";
import { TreeStore } from "./treeStore";

/** Paths named per damaged checkpoint. */
const NAMED_PATHS = 100;

export function verify(store: Store, full: boolean, operation: Operation): VerifyResult {
  const { fs, codecs, layout } = store;
  const blobs = openPackSet({ fs, codecs, folder: layout.packs });
  const treePacks = openPackSet({ fs, codecs, folder: layout.trees });
  try {
    return verifyPacks(store, blobs, treePacks, full, operation);
  } finally {
    blobs.close();
    treePacks.close();
  }
}

function verifyPacks(
  store: Store,
  blobs: PackSet,
  treePacks: PackSet,
  full: boolean,
  operation: Operation,
): VerifyResult {
  const check = new Check(blobs, treePacks, operation);
  check.packs(blobs, "packs", full);
  check.packs(treePacks, "trees", full);
  const { checkpoints } = store.catalog;
  const damaged = checkpoints.flatMap((checkpoint, i) => {
    operation.report({ phase: "verify", done: i, total: checkpoints.length });
    operation.throwIfCancelled();
    const paths = check.checkpoint(checkpoint);
    return paths.length === 0 ? [] : [{ checkpoint, paths }];
  });
  return {
    ok: check.problems.length === 0 && damaged.length === 0,
    full,
    checkpoints: checkpoints.length,
    packs: blobs.list().length + treePacks.list().length,
    objects: blobs.entryCount + treePacks.entryCount,
    bytesRead: check.bytesRead,
    problems: check.problems,
    damaged,
  };
}

class Check {
  readonly problems: VerifyProblem[] = [];
  bytesRead = 0;
  private readonly bad = new Set<Hash>();
  /** Trees below which nothing is wrong. */
  private readonly sound = new Set<Hash>();

  private readonly trees: TreeStore;

  constructor(
    private readonly blobs: PackSet,
    treePacks: PackSet,
    private readonly operation: Operation,
  ) {
    this.trees = new TreeStore(treePacks);
  }

  packs(packs: PackSet, folder: string, full: boolean): void {
    for (const { id, message, rebuilt } of packs.damagedIndexes)
      this.problems.push({
        part: `${folder}/pack-${id}.idx`,
        message: rebuilt ? `${message} (its content can still be read)` : message,
      });
    if (!full) return;
    const ids = packs.list();
    ids.forEach((id, i) => {
      const pack = packs.pack(id);
      if (pack === undefined) return;
      this.operation.report({ phase: "verify", done: i, total: ids.length });
      this.operation.throwIfCancelled();
      const found = this.problemsOf(pack);
      // Another process may have merged it into another pack meanwhile, from where the checkpoints below are looked up.
      if (found.length > 0) packs.refresh();
      if (!packs.ids().includes(id)) return;
      for (const { hash, message } of found) {
        // An intact copy in another pack serves just as well.
        if (hash !== undefined && !isReadable(packs, hash)) this.bad.add(hash);
        this.problems.push({ part: `${folder}/pack-${id}.dat`, message });
      }
    });
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

  /** Paths of a checkpoint that cannot be restored. */
  checkpoint(checkpoint: Checkpoint): string[] {
    const paths: string[] = [];
    this.tree("" as ByteString, checkpoint.rootTree as Hash, paths);
    return paths;
  }

  private tree(path: ByteString, hash: Hash, paths: string[]): boolean {
    if (this.sound.has(hash)) return true;
    let whole = true;
    const blame = (damagedPath: ByteString): void => {
      whole = false;
      if (paths.length < NAMED_PATHS) paths.push(pathToText(damagedPath));
    };
    try {
      for (const entry of this.trees.read(hash)) {
        const child = joinPath(path, entry.name);
        if (entry.type === TREE_DIRECTORY) whole = this.tree(child, entry.hash, paths) && whole;
        else if (this.bad.has(entry.hash) || !this.blobs.has(entry.hash)) blame(child);
      }
    } catch (error) {
      if (!CheckpointError.is(error)) throw error;
      blame(`${path}/` as ByteString);
    }
    if (whole) this.sound.add(hash);
    return whole;
  }
}

function isReadable(packs: PackSet, hash: Hash): boolean {
  try {
    return packs.readTo(hash, () => {});
  } catch {
    return false; // named by the pack that was being checked
  }
}
