/**
 * What a checkpoint's own scan left out, so that a restore does not take a file for "new since then" that was merely
 * not looked at then: the ignore files it holds, the options it was made with, and what it reported as skipped.
 */
import type { Checkpoint } from "../../shared/checkpoints";
import { isNeverSaved } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import { DEFAULT_SCAN_OPTIONS } from "../../shared/saves";
import { baseName, parentPath } from "../fs/osPath";
import type { FolderRules } from "../scan/ignoreRules";
import { damaged } from "../store/damage";
import type { Hash } from "../store/hash";
import { TREE_DIRECTORY, TREE_FILE, type TreeEntry } from "../store/tree";
import { rulesFor, type ScanRecord } from "./capture";
import type { Store } from "./context";
import { purgedMark } from "./purgedMark";
import { scanRecordOf } from "./scanRecord";

export class PastRules {
  private readonly folders = new Map<ByteString, FolderRules | "out">();
  private readonly skipped: ReadonlySet<string>;
  /** Something that is not in `skipped` was skipped in these or below. */
  private readonly partlySkipped: ReadonlySet<string>;
  private readonly scan: ScanRecord;
  private readonly caches: ReadonlySet<ByteString>;
  private readonly purged: ReadonlySet<string>;

  constructor(
    private readonly store: Store,
    private readonly checkpoint: Checkpoint,
  ) {
    const { listed, folders } = store.catalog.skippedOf(checkpoint.id);
    this.skipped = new Set(listed.map((each) => each.path));
    this.partlySkipped = new Set(folders);
    this.scan = { ...DEFAULT_SCAN_OPTIONS, caches: [], ...scanRecordOf(store, checkpoint) };
    this.caches = new Set(this.scan.caches);
    this.purged = new Set(this.scan.purged);
  }

  /** True when the checkpoint says nothing about this path: not that it was absent, only that it was not saved. */
  leftOut(path: ByteString, isFolder: boolean): boolean {
    const name = baseName(path);
    if (isNeverSaved(name) || this.skipped.has(pathToText(path)) || this.caches.has(path)) return true;
    if (this.purged.size > 0 && this.wasPurged(path)) return true;
    if (this.partlySkipped.size > 0 && this.liesInPartlySkipped(path)) return true;
    const rules = this.within(parentPath(path));
    return rules === "out" || rules.excludes(path, name, isFolder);
  }

  private wasPurged(path: ByteString): boolean {
    for (let at = path; at !== ""; at = parentPath(at))
      if (this.purged.has(purgedMark(this.store.codecs, at))) return true;
    return false;
  }

  private liesInPartlySkipped(path: ByteString): boolean {
    for (let at = path; at !== ""; ) {
      at = parentPath(at);
      if (this.partlySkipped.has(pathToText(at))) return true;
    }
    return false;
  }

  private within(folder: ByteString): FolderRules | "out" {
    const known = this.folders.get(folder);
    if (known !== undefined) return known;
    const rules = this.derive(folder);
    this.folders.set(folder, rules);
    return rules;
  }

  private derive(folder: ByteString): FolderRules | "out" {
    let outer: FolderRules;
    if (folder === "") outer = rulesFor(this.store, this.scan);
    else {
      const name = baseName(folder);
      const parent = this.within(parentPath(folder));
      if (parent === "out" || this.caches.has(folder)) return "out";
      if (this.skipped.has(pathToText(folder)) || parent.excludes(folder, name, true)) return "out";
      outer = parent.afterReadmission(folder, name);
    }
    const files = this.entriesOf(folder)
      .filter((entry) => entry.type === TREE_FILE && outer.isRuleFile(entry.name))
      .map((entry) => ({ name: entry.name, text: this.text(entry) }));
    return outer.within(folder, files);
  }

  private entriesOf(folder: ByteString): readonly TreeEntry[] {
    const { trees } = this.store;
    const root = this.checkpoint.rootTree as Hash;
    if (folder === "") return trees.read(root);
    const entry = trees.find(root, folder);
    return entry?.type === TREE_DIRECTORY ? trees.read(entry.hash) : [];
  }

  private text(entry: TreeEntry): string {
    // Damaged or lost rules would make files look removable, so the restore refuses.
    const text = this.store.blobs.read(entry.hash);
    if (text === undefined)
      throw damaged(`"${entry.name}" of checkpoint #${this.checkpoint.number}`, "its content is missing");
    return text.toString("utf8");
  }
}
