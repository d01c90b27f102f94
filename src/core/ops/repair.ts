/**
 * Making a damaged store whole again, as far as anything still tells what was in it.
 *
 *   lock → store.json → catalog (made anew if it cannot be used, see rebuildCatalog) → check, every byte → plan → execute,
 *   and once more with what that made readable, until nothing more can be healed
 *
 * Where lost content comes from: frames that are intact under a header or index that is not; files of the workspace that
 * still hash to the name; for trees also the scan of the workspace and the neighbouring checkpoints (see repairTrees).
 * Nothing is believed: content is what it hashes to.
 *
 * A pack with something damaged in it is written anew without that, and its old files are moved to `damaged/`, once no
 * checkpoint needs any more what is damaged in it; while a purge owes a sweep, they are deleted. Until then it stays where it is: what is intact in it is read from
 * there. Killed at any moment, everything that could be read before can be read still: packs are published and read back
 * before others go, and the next repair goes on.
 */
import { constants } from "node:fs";
import { CheckpointError } from "../../shared/errors";
import { pathToText } from "../../shared/pathText";
import type { VerifyProblem, VerifyResult } from "../../shared/upkeep";
import { isSymlink } from "../fs/fileSystem";
import { makeFolders, namesIn, publishFile, unlinkIfThere } from "../fs/publishFile";
import { LOG_FILE } from "../store/checkpointLog";
import { canonicalText } from "../store/hash";
import { PackData } from "../store/packData";
import { indexName, type PackId } from "../store/packFiles";
import { ENTRY_HEADER_BYTES } from "../store/packHeaders";
import type { SalvagedFrame } from "../store/packSalvage";
import { walkPack } from "../store/packWalk";
import type { PackWriter } from "../store/packWriter";
import { CATALOG_FILE, describeStore, recordStore, STORE_FILE, type StoreDescription } from "../store/storeLayout";
import type { Operation, Store } from "./context";
import { writeDownDamage } from "./damageNotes";
import { folderOf, newPackWriter, type PackKind, packsOf, publishRewritten } from "./packRewrite";
import { executeCatalogPlan, planCatalog } from "./rebuildCatalog";
import { type FoundFile, isEmpty, planRepair, type RepairPlan } from "./repairPlan";
import { retirePacks } from "./retirePacks";
import { type BrokenPack, checkPacks, checkStore, type StoreCheck } from "./verify";
import { sweepUnfinished, underLock } from "./withLock";

/** A tree that was made anew may name content that is lost, too; each round heals what the one before made known. */
const MAX_ROUNDS = 8;
const READ_BYTES = 1 << 20;
const KINDS = ["blobs", "trees"] as const;
const FOLDERS = { blobs: "packs", trees: "trees" } as const;

/**
 * Repairs what can be repaired and answers what the store is like then. Rejects with `newer-format`, and with `cancelled`
 * between two steps; what was healed by then stays healed.
 */
export async function repair(store: Store, operation: Operation): Promise<VerifyResult> {
  // Locking would make an empty store of a mistyped folder.
  if (store.fs.lstat(store.layout.folder) === undefined) return checkStore(store, true, operation).result;
  return underLock(store, operation, async () => {
    const healed: VerifyProblem[] = [];
    makeUsable(store, healed, operation);
    for (const packs of [store.blobs, store.treePacks]) packs.reopen();
    let check = checkStore(store, true, operation);
    const { bytesRead } = check.result;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      writeDownDamage(store);
      const plan = await planRepair(store, check, operation);
      if (isEmpty(plan)) break;
      executeRepair(store, plan, healed, operation);
      check = checkAgain(store, check, operation);
    }
    writeDownDamage(store);
    return { ...check.result, full: true, bytesRead, healed };
  });
}

/** What was damaged is known by now, and what was written was read back: nothing has to be read once more. */
function checkAgain(store: Store, before: StoreCheck, operation: Operation): StoreCheck {
  for (const packs of [store.blobs, store.treePacks]) packs.reopen();
  const again = checkPacks(store, { blobs: store.blobs, trees: store.treePacks }, false, operation);
  // Blob packs that had to wait for trees: without being read they look better than they are.
  const there = new Set(store.blobs.ids());
  const waiting = before.broken.filter(
    ({ kind, id, fault }) => before.lostTrees.size > 0 && kind === "blobs" && fault !== "index" && there.has(id),
  );
  const isWaiting = ({ kind, id }: BrokenPack): boolean => waiting.some((each) => each.kind === kind && each.id === id);
  return { ...again, broken: [...again.broken.filter((each) => !isWaiting(each)), ...waiting] };
}

/** From here on the store can be worked with as usual. */
function makeUsable(store: Store, healed: VerifyProblem[], operation: Operation): void {
  const { fs, layout, catalog } = store;
  const found = describedOrDamaged(store);
  sweepUnfinished(store);
  try {
    catalog.reloadExactly();
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
    const plan = planCatalog(store, operation);
    executeCatalogPlan(store, plan);
    healed.push({ part: CATALOG_FILE, message: catalogMessage(plan) });
  }
  recordStore(fs, layout, found === "damaged" ? undefined : found, store.nonce());
  if (found === "damaged") healed.push({ part: STORE_FILE, message: "It was written anew." });
  if (catalog.hasDamagedLog()) {
    catalog.renewLog();
    healed.push({ part: LOG_FILE, message: "It was written anew from the catalog." });
  }
  dropDamagedIndex(store, healed);
}

function catalogMessage({ records, fromLog, fromImage, fromTrees }: ReturnType<typeof planCatalog>): string {
  const sources = [
    [fromLog, `from ${LOG_FILE}`],
    [fromImage, "from what could still be read of it"],
    [fromTrees, "whose names and exact times are not known, from the folder listings"],
  ] as const;
  const told = sources.filter(([count]) => count > 0).map(([count, source]) => `${count} ${source}`);
  return `It was made anew with ${records.length} checkpoints${told.length === 0 ? "" : `: ${told.join(", ")}`}. What was undone or could be undone is not known any more.`;
}

/** A lost catalog is no reason to stop; a newer format is. */
function describedOrDamaged({ fs, layout }: Store): StoreDescription | "damaged" | undefined {
  try {
    return describeStore(fs, layout);
  } catch (error) {
    if (!CheckpointError.is(error, "damaged")) throw error;
    return String(error.details.path ?? "").endsWith(CATALOG_FILE) ? undefined : "damaged";
  }
}

/** A cache: the next save makes it anew. */
function dropDamagedIndex({ fs, layout, index }: Store, healed: VerifyProblem[]): void {
  const names = namesIn(fs, layout.index);
  index.refresh();
  if (!index.isEmpty || !names.some((name) => name.startsWith("files."))) return;
  for (const name of names) unlinkIfThere(fs, `${layout.index}/${name}`);
  index.refresh();
  healed.push({ part: "index", message: "The cache of file times could not be used; it was dropped." });
}

/** The caller holds the lock. After an error everything that could be read before can be read still. */
function executeRepair(store: Store, plan: RepairPlan, healed: VerifyProblem[], operation: Operation): void {
  for (const pack of plan.indexes) rewriteIndex(store, pack, healed);
  for (const kind of KINDS) {
    const writer = newPackWriter(store, kind);
    try {
      for (const frame of plan.frames[kind]) {
        operation.throwIfCancelled();
        addFrames(store, kind, frame.pack, [frame], writer);
        healed.push({
          part: canonicalText(frame.hash),
          message: `It was found intact in ${FOLDERS[kind]}/pack-${frame.pack}.`,
        });
      }
      if (kind === "trees")
        for (const [hash, bytes] of plan.trees) {
          if (writer.has(hash)) continue;
          writer.add(hash, bytes);
          healed.push({ part: canonicalText(hash), message: "A folder listing, made anew from what else is known." });
        }
      else
        for (const file of plan.files) {
          operation.throwIfCancelled();
          if (!addFile(store, file, writer)) continue;
          healed.push({
            part: canonicalText(file.hash),
            message: `Its content was taken from ${pathToText(file.path)}.`,
          });
        }
      publishRewritten(store, kind, writer, packsOf(store, kind).partBytes);
    } finally {
      writer.abort();
    }
  }
  for (const pack of plan.packs) {
    operation.throwIfCancelled();
    rewritePack(store, pack, healed);
  }
}

function rewriteIndex(store: Store, { kind, id }: BrokenPack, healed: VerifyProblem[]): void {
  const { fs } = store;
  const folder = folderOf(store.layout, kind);
  const data = PackData.find(fs, folder, id);
  try {
    publishFile(fs, folder, indexName(id), walkPack(data).bytes, store.nonce());
  } finally {
    data.close();
  }
  packsOf(store, kind).forgetDamage(id);
  packsOf(store, kind).reopen([id]);
  healed.push({ part: `${FOLDERS[kind]}/${indexName(id)}`, message: "It was made anew from its pack." });
}

function rewritePack(store: Store, { kind, id, frames }: RepairPlan["packs"][number], healed: VerifyProblem[]): void {
  const packs = packsOf(store, kind);
  const { partBytes } = packs;
  const writer = newPackWriter(store, kind);
  let rewritten: PackId | undefined;
  try {
    addFrames(store, kind, id, frames, writer);
    rewritten = publishRewritten(store, kind, writer, partBytes)?.id;
  } finally {
    writer.abort();
  }
  packs.forgetDamage(id);
  const part = `${FOLDERS[kind]}/pack-${id}`;
  if (rewritten === id) {
    packs.reopen([id]);
    healed.push({ part, message: "It was written anew, with all that was in it." });
    return;
  }
  const going = new Set([id]);
  if (store.catalog.owesSweep) {
    // What was purged may be in it, and nobody would look for it in `damaged/`.
    retirePacks(store, packs, going);
    healed.push({
      part,
      message:
        "What is intact in it was written anew; nothing that a checkpoint needs was lost with the rest. The old files were deleted, as something was purged that may still have been in them.",
    });
    return;
  }
  makeFolders(store.fs, store.layout.damaged);
  store.index.relyOn([...store.blobs.stamps(going), ...store.treePacks.stamps(going)]);
  packs.moveTo(store.layout.damaged, id);
  healed.push({
    part,
    message: `What is intact in it was written anew; nothing that a checkpoint needs was lost with the rest. The old files are in ${store.layout.damaged} and may be deleted.`,
  });
}

/** Copies frames as they are. */
function addFrames(
  store: Store,
  kind: PackKind,
  id: PackId,
  frames: readonly SalvagedFrame[],
  writer: PackWriter,
): void {
  const data = PackData.remains(store.fs, folderOf(store.layout, kind), id);
  if (data === undefined) return;
  try {
    for (const { hash, offset, length } of frames) {
      if (writer.has(hash)) continue;
      writer.addFrame(hash, length, (onPiece) => {
        const start = offset + ENTRY_HEADER_BYTES;
        for (let at = 0; at < length; at += READ_BYTES)
          onPiece(data.read(start + at, Math.min(READ_BYTES, length - at)));
      });
    }
  } finally {
    data.close();
  }
}

/** False: it is not what it was when it was looked at. */
function addFile({ fs, root, codecs }: Store, { hash, path, content }: FoundFile, writer: PackWriter): boolean {
  if (writer.has(hash)) return false;
  const place = root.os(path);
  const stat = fs.lstat(place);
  if (stat === undefined || stat.size !== content.size) return false;
  if (isSymlink(stat)) {
    const target = fs.readlink(place);
    if (codecs.hash(target) !== hash) return false;
    writer.add(hash, target);
    return true;
  }
  const fd = fs.open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const hasher = codecs.createHasher();
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, stat.size)));
    writer.beginStream(stat.size);
    let done = 0;
    for (let read = -1; read !== 0 && done < stat.size; done += read) {
      read = fs.read(fd, buffer, 0, Math.min(buffer.length, stat.size - done), done);
      hasher.update(buffer.subarray(0, read));
      writer.writeStream(buffer.subarray(0, read));
    }
    const isSame = done === stat.size && hasher.digest() === hash;
    if (isSame) writer.endStream(hash);
    else writer.abandonStream();
    return isSame;
  } finally {
    fs.close(fd);
  }
}
