/**
 * Texts of editors that are not on disk: laid over a captured state, so that a checkpoint holds what people see.
 *
 * Only the checkpoint's tree differs. The index and the next scan go by what was captured: they vouch for the disk. So
 * the trees of the captured state are stored as well, next to those of the state that is committed.
 */
import { isNeverSaved } from "../../shared/leftOutNames";
import { type ByteString, pathToText, textToPaths } from "../../shared/pathText";
import { MAX_UNSAVED_BYTES, type ScanOptions, type Skipped, type UnsavedFile } from "../../shared/saves";
import { errnoOf, isSymlink, lookAt } from "../fs/fileSystem";
import { baseName, joinPath, parentPath } from "../fs/osPath";
import { FolderRuleFiles } from "../scan/folderRuleFiles";
import type { FolderRules } from "../scan/ignoreRules";
import type { Hash } from "../store/hash";
import { PackWriter } from "../store/packWriter";
import { TREE_DIRECTORY, TREE_FILE, type TreeEntry } from "../store/tree";
import { type Capture, rulesFor } from "./capture";
import type { Store } from "./context";
import { editTree, type TreeEdit } from "./treeEdit";
import type { TreeStore } from "./treeStore";

export interface UnsavedOptions {
  readonly scan: ScanOptions;
  /** > 0 cuts a larger pack into parts. */
  readonly chunkBytes: number;
}

export interface WithUnsaved {
  /** What a checkpoint is to hold. Remembered, it is the captured state that it was made of. */
  readonly capture: Capture;
  /** Texts that are not in it, of files that are saved. */
  readonly refused: readonly Skipped[];
  /** Texts that are not in it because their files are left out of checkpoints. */
  readonly ignored: readonly string[];
}

const NEW_FILE_MODE = 0o644;

/**
 * `capture` with these texts, whose content is in a published pack afterwards (garbage until a checkpoint refers to it).
 * The caller holds the lock. Throws what concerns everything; nothing is committed.
 */
export function withUnsaved(
  store: Store,
  capture: Capture,
  unsaved: readonly UnsavedFile[],
  options: UnsavedOptions,
): WithUnsaved {
  if (unsaved.length === 0) return { capture, refused: [], ignored: [] };
  const trees = store.trees.with(capture.newTrees);
  const places = new Places(store, trees, capture.rootTree, options.scan);
  const edits = new Map<ByteString, TreeEdit>();
  const contents = new Map<Hash, Uint8Array>();
  const refused: Skipped[] = [];
  const ignored: string[] = [];
  const grown = { files: 0, bytes: 0 };
  let total = 0;
  for (const { path: text, content } of unsaved) {
    const place = places.of(text);
    if (place === undefined) ignored.push(text);
    else if ("fault" in place) refused.push(place.fault);
    else if (content.length > options.scan.maxFileBytes)
      refused.push(refusal(text, "its unsaved text is larger than the limit for files"));
    else if (total + content.length > MAX_UNSAVED_BYTES)
      refused.push(refusal(text, `there are more than ${MAX_UNSAVED_BYTES >> 20} MB of unsaved texts`));
    else if (!edits.has(place.path)) {
      total += content.length;
      const hash = store.codecs.hash(content);
      contents.set(hash, content);
      const { before } = place;
      grown.files += before === undefined ? 1 : 0;
      grown.bytes += content.length - (before?.size ?? 0);
      const name = baseName(place.path) as ByteString;
      const mode = before?.mode ?? NEW_FILE_MODE;
      edits.set(place.path, { path: place.path, after: { type: TREE_FILE, mode, size: content.length, hash, name } });
    }
  }
  const { root, newTrees } = editTree(store, trees, capture.rootTree, [...edits.values()]);
  const stored = storeContents(store, contents, options.chunkBytes);
  return {
    capture: {
      ...capture,
      rootTree: root,
      newTrees: new Map([...capture.newTrees, ...newTrees]),
      files: capture.files + grown.files,
      bytes: capture.bytes + grown.bytes,
      newObjects: capture.newObjects + stored.objects,
      newBytes: capture.newBytes + stored.bytes,
    },
    refused,
    ignored,
  };
}

function refusal(path: string, why: string): Skipped {
  return { path, reason: "unsaved", message: `${why}, so only what is on disk was saved` };
}

/** Where an unsaved text goes. `before`: the file on disk, as captured. */
interface Place {
  readonly path: ByteString;
  readonly before: TreeEntry | undefined;
}

/** Finds out where in the captured state the file of an editor is. */
class Places {
  private readonly rules = new Map<ByteString, FolderRules>();
  private readonly ruleFiles: FolderRuleFiles;

  constructor(
    private readonly store: Store,
    private readonly trees: TreeStore,
    private readonly root: Hash,
    private readonly scan: ScanOptions,
  ) {
    // The scan has just reported those that cannot be read.
    this.ruleFiles = new FolderRuleFiles(store.fs, store.root, () => {});
  }

  /** Undefined: checkpoints leave out what is there, or would leave it out. */
  of(text: string): Place | { readonly fault: Skipped } | undefined {
    const paths = textToPaths(text).filter(isPlain);
    for (const path of paths) {
      const known = this.spelled(path);
      if (known !== undefined) return this.at(known, text);
    }
    const [path] = paths;
    if (path === undefined) return undefined;
    if (this.wouldBeSaved(path)) return { path, before: undefined };
    const fault = this.outOfReach(path);
    return fault === undefined ? undefined : { fault: refusal(text, fault) };
  }

  /** Why a scan cannot have come to a path, whatever the rules say of it. */
  private outOfReach(path: ByteString): string | undefined {
    if (path.split("/").some(isNeverSaved)) return undefined;
    for (let folder = parentPath(path); folder !== ""; folder = parentPath(folder)) {
      const found = lookAt(this.store.fs, this.store.root.os(folder));
      if (found === undefined) return "the folder of its unsaved text is not there";
      if (isSymlink(found)) return "its unsaved text lies behind a link";
    }
    return undefined;
  }

  private at({ path, entry }: Spelled, text: string): Place | { readonly fault: Skipped } {
    if (entry.type !== TREE_FILE) return { fault: refusal(text, "its unsaved text belongs to a link or a folder") };
    // A checkpoint goes by the ignore files in it: what was left out by rules that are not in it would look as if it
    // had not been there.
    if (this.within(parentPath(path)).isRuleFile(baseName(path)))
      return { fault: refusal(text, "its unsaved text holds rules that are not in force yet") };
    return { path, before: entry };
  }

  /** The entry at a path, as the file system would find it. */
  private spelled(path: ByteString): Spelled | undefined {
    let at: Spelled = { path: "" as ByteString, entry: { type: TREE_DIRECTORY, hash: this.root } as TreeEntry };
    for (const name of path.split("/")) {
      if (at.entry.type !== TREE_DIRECTORY) return undefined;
      const entries = this.trees.read(at.entry.hash);
      const folded = this.store.ignoreCase ? fold(name) : undefined;
      const entry =
        entries.find((each) => each.name === name) ??
        (folded === undefined ? undefined : entries.find((each) => fold(each.name) === folded));
      if (entry === undefined) return undefined;
      at = { path: joinPath(at.path, entry.name), entry };
    }
    return at;
  }

  /** Whether a file that is not there yet would be saved: nothing is in its place, its folder and it are not left out. */
  private wouldBeSaved(path: ByteString): boolean {
    const folder = parentPath(path);
    const isIn = folder === "" || this.trees.find(this.root, folder)?.type === TREE_DIRECTORY;
    if (!isIn || lookAt(this.store.fs, this.store.root.os(path)) !== undefined) return false;
    const rules = this.within(folder);
    const name = baseName(path);
    return !rules.isRuleFile(name) && !isNeverSaved(name) && !rules.excludes(path, name, false);
  }

  private within(folder: ByteString): FolderRules {
    const known = this.rules.get(folder);
    if (known !== undefined) return known;
    const outer =
      folder === ""
        ? rulesFor(this.store, this.scan)
        : this.within(parentPath(folder)).afterReadmission(folder, baseName(folder));
    const rules = this.ruleFiles.within(folder, this.namesIn(folder), outer);
    this.rules.set(folder, rules);
    return rules;
  }

  private namesIn(folder: ByteString): string[] {
    try {
      return this.store.fs.readdir(this.store.root.os(folder));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return [];
    }
  }
}

interface Spelled {
  readonly path: ByteString;
  readonly entry: TreeEntry;
}

/** A path of an editor names a file below the workspace, step by step. */
function isPlain(path: ByteString): boolean {
  return !path.includes("\0") && path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}

function fold(name: string): string {
  return pathToText(name as ByteString)
    .normalize("NFC")
    .toLowerCase();
}

function storeContents(
  store: Store,
  contents: ReadonlyMap<Hash, Uint8Array>,
  chunkBytes: number,
): { readonly objects: number; readonly bytes: number } {
  const fresh = [...contents].filter(([hash]) => !store.blobs.has(hash));
  if (fresh.length === 0) return { objects: 0, bytes: 0 };
  const { fs, codecs, layout } = store;
  const writer = new PackWriter({ fs, codecs, folder: layout.packs, nonce: store.nonce() });
  try {
    let bytes = 0;
    for (const [hash, content] of fresh) bytes += writer.add(hash, content).storedBytes;
    const pack = writer.finish({ chunkBytes });
    if (pack !== undefined) store.blobs.add(pack);
    return { objects: fresh.length, bytes };
  } finally {
    writer.abort();
  }
}
