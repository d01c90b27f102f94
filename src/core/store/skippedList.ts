/**
 * What a save could not take in, as the catalog keeps it: an LZ4 frame of JSON `{listed, folders}`.
 *
 * The catalog's size must not depend on the number of files, so at most MAX_LISTED_SKIPPED entries are kept by name
 * (their total is `checkpoints.skipped`). Of the rest it must stay known where they were, because a restore must not
 * take such a file for one that is new since: `folders` names the folders that they lie in, merged into outer ones
 * until they are few.
 */
import type { Skipped } from "../../shared/saves";
import type { Codecs } from "./codecs";
import { damaged } from "./damage";
import { decodeFrame } from "./lz4FrameDecoder";
import { encodeFrame } from "./lz4FrameEncoder";

/** A list of this length takes at most some 15 KB: its entries are much alike. */
export const MAX_LISTED_SKIPPED = 1_000;
const MAX_FOLDERS = 200;

export interface SkippedList {
  readonly listed: readonly Skipped[];
  /** Something else was skipped in these or below. "" is the workspace folder itself. */
  readonly folders: readonly string[];
}

export function encodeSkipped(codecs: Codecs, skipped: readonly Skipped[]): Uint8Array {
  return encodeSkippedList(codecs, {
    listed: skipped.slice(0, MAX_LISTED_SKIPPED),
    folders: fewFolders(skipped.slice(MAX_LISTED_SKIPPED).map((each) => parentOf(each.path))),
  });
}

export function encodeSkippedList(codecs: Codecs, list: SkippedList): Uint8Array {
  return encodeFrame(codecs, Buffer.from(JSON.stringify(list)));
}

/** Throws `damaged` for what `encodeSkipped` would not have written. */
export function decodeSkipped(codecs: Codecs, frame: Uint8Array): SkippedList {
  const text = decodeFrame(codecs, frame).toString("utf8");
  try {
    const { listed, folders } = JSON.parse(text) as SkippedList;
    const isText = (each: unknown): boolean => typeof each === "string";
    if (!listed.every(({ path, reason, message }) => [path, reason, message].every(isText)) || !folders.every(isText))
      throw new TypeError("no list");
    return { listed, folders };
  } catch (cause) {
    throw damaged("The list of what could not be saved", "it is not as it was written", { cause });
  }
}

/** The deepest folders give way to those they lie in, until at most MAX_FOLDERS are left. */
function fewFolders(folders: readonly string[]): string[] {
  let few = new Set(folders);
  while (few.size > MAX_FOLDERS) {
    const deepest = [...few].reduce((most, each) => Math.max(most, depthOf(each)), 0);
    few = new Set([...few].map((each) => (depthOf(each) === deepest ? parentOf(each) : each)));
  }
  return [...few].sort();
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

const depthOf = (folder: string): number => (folder === "" ? 0 : folder.split("/").length);
