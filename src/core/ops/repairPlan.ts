/**
 * What a repair can heal, and from what: found out before anything is written. What is lost is looked for in the broken
 * packs themselves, at the paths where it lay, in all of the workspace, and (trees) in the neighbouring checkpoints.
 */
import { CheckpointError } from "../../shared/errors";
import type { ByteString } from "../../shared/pathText";
import { DEFAULT_SCAN_OPTIONS } from "../../shared/saves";
import { errnoOf } from "../fs/fileSystem";
import { joinPath } from "../fs/osPath";
import { readWholeFile } from "../fs/publishFile";
import type { Hash } from "../store/hash";
import { hasLaterManifest, PackData } from "../store/packData";
import { indexName, type PackId } from "../store/packFiles";
import { claimedHashes, type SalvagedFrame, salvageFrames } from "../store/packSalvage";
import { TREE_DIRECTORY } from "../store/tree";
import { captureWorkspace } from "./capture";
import type { Operation, Store } from "./context";
import { holdsContent } from "./fileContent";
import { folderOf, type PackKind, packsOf } from "./packRewrite";
import { newestScanOptions } from "./queries";
import { treesFromNeighbours } from "./repairTrees";
import { TreeStore } from "./treeStore";
import type { BrokenPack, LostContent, StoreCheck } from "./verify";

/** A frame that is intact where it lies, in a pack that is not. */
export interface FoundFrame extends SalvagedFrame {
  readonly pack: PackId;
}

export interface FoundFile {
  readonly hash: Hash;
  readonly path: ByteString;
  readonly content: LostContent;
}

/** What a repair will do. Plain data. */
export interface RepairPlan {
  /** Indexes to be written anew, from packs that are as they should be. */
  readonly indexes: readonly BrokenPack[];
  /** Lost contents that lie in the workspace. */
  readonly files: readonly FoundFile[];
  /** Lost trees, made anew. */
  readonly trees: ReadonlyMap<Hash, Uint8Array>;
  /** Lost contents and trees that lie in broken packs. */
  readonly frames: Readonly<Record<PackKind, readonly FoundFrame[]>>;
  /** Packs to be written anew with these frames; then the old files go to `damaged/`. */
  readonly packs: readonly (BrokenPack & { readonly frames: readonly SalvagedFrame[] })[];
}

/** What can be healed, and how. Reads what is broken and what of the workspace may help; writes nothing. */
export async function planRepair(store: Store, check: StoreCheck, operation: Operation): Promise<RepairPlan> {
  // What a later version wrote is not for this one to write anew.
  const broken = check.broken.filter(({ kind, id }) => !hasLaterManifest(store.fs, folderOf(store.layout, kind), id));
  const lost: Record<PackKind, Set<Hash>> = {
    blobs: new Set(check.lostContents.keys()),
    trees: new Set(check.lostTrees),
  };
  const scans = broken
    .filter(({ fault }) => fault !== "index")
    .map((pack) => ({ pack, ...scanBroken(store, pack, lost[pack.kind], operation) }));
  const frames: Record<PackKind, FoundFrame[]> = { blobs: [], trees: [] };
  for (const { pack, intact } of scans)
    for (const frame of intact)
      if (lost[pack.kind].delete(frame.hash)) frames[pack.kind].push({ ...frame, pack: pack.id });
  const trees = treesFromNeighbours(store, lost.trees, operation);
  for (const hash of trees.keys()) lost.trees.delete(hash);
  const files = filesAtPaths(store, check.lostContents, lost.blobs);
  if (lost.blobs.size + lost.trees.size > 0)
    await addFromScan(store, check.lostContents, lost, files, trees, operation);
  const packs = scans.flatMap(({ pack, intact, claimed }) => {
    // What a lost tree names nobody knows before it is found: only then can be told what of a blob pack is needed.
    if (pack.kind === "blobs" && check.lostTrees.size > 0) return [];
    const isNeeded =
      claimed === undefined ? lost[pack.kind].size > 0 : [...claimed].some((hash) => lost[pack.kind].has(hash));
    return isNeeded ? [] : [{ ...pack, frames: intact }];
  });
  return { indexes: broken.filter(({ fault }) => fault === "index"), files, trees, frames, packs };
}

/** Nothing can be healed, or is to be. */
export const isEmpty = ({ indexes, files, trees, frames, packs }: RepairPlan): boolean =>
  indexes.length + files.length + trees.size + frames.blobs.length + frames.trees.length + packs.length === 0;

interface BrokenScan {
  readonly intact: readonly SalvagedFrame[];
  /** What may have been in it; undefined: that cannot be told. */
  readonly claimed: ReadonlySet<Hash> | undefined;
}

function scanBroken(store: Store, { kind, id }: BrokenPack, lost: ReadonlySet<Hash>, operation: Operation): BrokenScan {
  const { fs, codecs } = store;
  const folder = folderOf(store.layout, kind);
  const index = readWholeFile(fs, `${folder}/${indexName(id)}`);
  const data = PackData.remains(fs, folder, id);
  if (data === undefined) return { intact: [], claimed: undefined };
  try {
    const named = claimedHashes(data, index);
    // A damaged frame decodes to something, too, and each time to something else: only what was expected is content.
    const intact = salvageFrames(codecs, data, index, () => operation.throwIfCancelled()).filter(
      ({ hash }) => named.has(hash) || lost.has(hash),
    );
    // An index that fits the pack names all that was in it; otherwise nothing does for certain.
    const isKnown = packsOf(store, kind).pack(id) !== undefined;
    return { intact, claimed: isKnown ? named : undefined };
  } finally {
    data.close();
  }
}

/** Lost contents that still lie where they lay. Takes them out of `lost`. */
function filesAtPaths(store: Store, contents: StoreCheck["lostContents"], lost: Set<Hash>): FoundFile[] {
  const files: FoundFile[] = [];
  for (const hash of [...lost]) {
    const content = contents.get(hash);
    const path = content && [...content.paths].find((each) => liesAt(store, each, hash, content.size));
    if (content === undefined || path === undefined) continue;
    files.push({ hash, path, content });
    lost.delete(hash);
  }
  return files;
}

function liesAt(store: Store, path: ByteString, hash: Hash, size: number): boolean {
  try {
    const stat = store.fs.lstat(store.root.os(path));
    return stat !== undefined && holdsContent(store, path, stat, { size, hash });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false; // not there, or not to be read
  }
}

/** As `filesAtPaths`, wherever in the workspace they lie by now; and trees that its folders have. */
async function addFromScan(
  store: Store,
  contents: StoreCheck["lostContents"],
  lost: Readonly<Record<PackKind, Set<Hash>>>,
  files: FoundFile[],
  trees: Map<Hash, Uint8Array>,
  operation: Operation,
): Promise<void> {
  const scan = newestScanOptions(store) ?? DEFAULT_SCAN_OPTIONS;
  let present: Awaited<ReturnType<typeof captureWorkspace>>;
  try {
    present = await captureWorkspace(store, { scan, store: false, chunkBytes: 0 }, operation);
  } catch (error) {
    if (CheckpointError.is(error, "cancelled")) throw error;
    return; // what cannot be looked at heals nothing
  }
  for (const [hash, bytes] of present.newTrees) if (lost.trees.delete(hash)) trees.set(hash, bytes);
  const view = new TreeStore(store.treePacks).with(present.newTrees);
  const seen = new Set<Hash>();
  const visit = (folder: ByteString, tree: Hash): void => {
    for (const entry of view.read(tree)) {
      const path = joinPath(folder, entry.name);
      if (entry.type === TREE_DIRECTORY) {
        if (seen.has(entry.hash)) continue;
        seen.add(entry.hash);
        visit(path, entry.hash);
      } else if (lost.blobs.has(entry.hash) && liesAt(store, path, entry.hash, entry.size)) {
        files.push({
          hash: entry.hash,
          path,
          content: contents.get(entry.hash) ?? { ...entry, paths: new Set([path]) },
        });
        lost.blobs.delete(entry.hash);
      }
    }
  };
  visit("" as ByteString, present.rootTree);
}
