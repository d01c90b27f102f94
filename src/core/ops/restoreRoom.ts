/** What in a restore plan makes room for what. */
import type { ByteString } from "../../shared/pathText";
import { parentPath } from "../fs/osPath";
import type { PlannedEntry, RestorePlan } from "./restorePlan";

/** Whether a path, or a folder above it, is free only after something has been taken away. */
export function waitingForRoom(plan: RestorePlan): (path: ByteString) => boolean {
  const inTheWay = new Set<ByteString>([...plan.removals, ...plan.folderRemovals, ...plan.respelled.keys()]);
  return (path) => {
    for (let at = path; at !== ""; at = parentPath(at)) if (inTheWay.has(at)) return true;
    return false;
  };
}

/** Removals that would only have made room for `failed`, and so would be for nothing. */
export function roomMadeFor(plan: RestorePlan, failed: ReadonlySet<ByteString>): ByteString[] {
  const spared = new Set<ByteString>(failed);
  for (const path of plan.respelled.size === 0 ? [] : failed)
    for (let at = path; at !== ""; at = parentPath(at)) {
      const other = plan.respelled.get(at);
      if (other !== undefined) spared.add(`${other}${path.slice(at.length)}` as ByteString);
    }
  return [...plan.removals, ...plan.folderRemovals].filter((path) => {
    for (let at = path; at !== ""; at = parentPath(at)) if (spared.has(at)) return true;
    return false;
  });
}

/** A temp name is longer than most: beside paths longer than this (limits: 1,024 on macOS, 4,096) none may fit. */
const LONG_PATH_BYTES = 900;

/** Where the temp file for `path` goes: beside it, or above where that folder is not there yet or none may fit. */
export function stagingFolder(path: ByteString, waits: (path: ByteString) => boolean): ByteString {
  let folder = parentPath(path);
  while (folder !== "" && (folder.length > LONG_PATH_BYTES || waits(folder))) folder = parentPath(folder);
  return folder;
}

/** The folders in which something is made, replaced (`linked`, too) or removed; "" is the workspace itself. */
export function foldersToChange(
  plan: RestorePlan,
  linked: readonly PlannedEntry[],
  waits: (path: ByteString) => boolean,
): Set<ByteString> {
  const folders = new Set<ByteString>();
  for (const path of [...plan.removals, ...plan.folderRemovals]) folders.add(parentPath(path));
  for (const { path } of plan.folders) folders.add(parentPath(path));
  for (const { path } of [...plan.creations, ...plan.replacements, ...linked])
    folders.add(parentPath(path)).add(stagingFolder(path, waits));
  return folders;
}
