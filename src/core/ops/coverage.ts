/**
 * What the present rules take in and leave out, counted on disk. Saves do not need to know: they skip a folder that is
 * out without looking into it. So this is a walk of its own, by the same rules, which believes no record.
 *
 * It must never say "saved" of what a save leaves out. Where it decides, it asks what a scan asks (`isNeverSaved`,
 * `FolderRules`, `FolderRuleFiles`), in the same order; a test compares the two on random workspaces.
 */
import { constants } from "node:fs";
import { type Coverage, LEFT_OUT_REASONS, type LeftOutEntry, type LeftOutReason } from "../../shared/coverage";
import { CheckpointError } from "../../shared/errors";
import { isNeverSaved } from "../../shared/leftOutNames";
import { type ByteString, pathToText } from "../../shared/pathText";
import type { ScanOptions } from "../../shared/saves";
import { errnoOf, type FileStat, isDirectory, isFile, isSymlink } from "../fs/fileSystem";
import { joinPath } from "../fs/osPath";
import { FolderRuleFiles } from "../scan/folderRuleFiles";
import { CACHEDIR_TAG, type FolderRules } from "../scan/ignoreRules";
import { isSecretName } from "../scan/secretNames";
import { rulesFor, storesInsideWorkspace } from "./capture";
import type { Operation, Store } from "./context";

/** Entries looked at inside of what is left out: a big `node_modules` has 100,000, which take a second. */
const MAX_COUNTED = 300_000;
/** Entries between two looks at the cancel flag. */
const REPORT_EVERY = 2_000;
const ROOT = "" as ByteString;

/** `limit`: how many of each group are listed by name. Writes nothing. Rejects when the workspace cannot be read. */
export function coverage(store: Store, scan: ScanOptions, limit: number, operation: Operation): Coverage {
  return new Walk(store, scan, limit, operation).run();
}

interface Group {
  readonly reason: LeftOutReason;
  readonly rule: string;
  entries: number;
  files: number;
  bytes: number;
  readonly listed: LeftOutEntry[];
}

interface Amount {
  readonly files: number;
  readonly bytes: number;
}

class Walk {
  private readonly groups = new Map<string, Group>();
  private readonly secrets: string[] = [];
  private readonly saved = { files: 0, bytes: 0 };
  private readonly ruleFiles: FolderRuleFiles;
  private readonly stores: ByteString | undefined;
  private secretFiles = 0;
  private seen = 0;
  private counted = 0;

  constructor(
    private readonly store: Store,
    private readonly scan: ScanOptions,
    private readonly limit: number,
    private readonly operation: Operation,
  ) {
    // An ignore file that cannot be read is a file that cannot be saved, and is named as such.
    this.ruleFiles = new FolderRuleFiles(store.fs, store.root, () => {});
    this.stores = storesInsideWorkspace(store);
  }

  run(): Coverage {
    const names = this.namesIn(ROOT);
    if (names === undefined)
      throw new CheckpointError(
        "access-denied",
        `The folder ${this.store.layout.workspace} cannot be read. Check its permissions.`,
      );
    this.visit(ROOT, names, this.ruleFiles.within(ROOT, names, rulesFor(this.store, this.scan)));
    return {
      saved: this.saved,
      leftOut: [...this.groups.values()].sort(
        (a, b) => LEFT_OUT_REASONS.indexOf(a.reason) - LEFT_OUT_REASONS.indexOf(b.reason) || (a.rule < b.rule ? -1 : 1),
      ),
      secrets: { total: this.secretFiles, listed: this.secrets },
      isComplete: this.counted <= MAX_COUNTED,
    };
  }

  private visit(folder: ByteString, names: readonly string[], rules: FolderRules): void {
    for (const name of names) {
      const path = joinPath(folder, name);
      const stat = this.stat(path, () => {
        this.add("unreadable", "", { path: pathToText(path), files: 1, bytes: 0 });
      });
      if (stat === undefined) continue;
      this.note();
      if (isNeverSaved(name) || path === this.stores) this.leaveOut("always", "", path, stat);
      else if (rules.excludes(path, name, isDirectory(stat))) {
        const source = rules.sourceOf(path, name, isDirectory(stat));
        this.leaveOut(source?.kind ?? "setting", source?.file ?? "", path, stat);
      } else if (isDirectory(stat)) this.enter(path, name, stat, rules);
      else this.file(path, name, stat);
    }
  }

  private enter(path: ByteString, name: string, stat: FileStat, rules: FolderRules): void {
    const names = this.namesIn(path);
    if (names === undefined) this.leaveOut("unreadable", "", path, stat);
    else if (
      names.includes(CACHEDIR_TAG) &&
      !this.scan.includeDependencies &&
      !rules.readmits(path, name) &&
      this.ruleFiles.isCache(path)
    )
      this.leaveOut("cache", "", path, stat);
    else this.visit(path, names, this.ruleFiles.within(path, names, rules.afterReadmission(path, name)));
  }

  private file(path: ByteString, name: string, stat: FileStat): void {
    const reason = this.fault(path, stat);
    if (reason !== undefined) {
      this.leaveOut(reason, "", path, stat);
      return;
    }
    this.saved.files++;
    this.saved.bytes += stat.size;
    if (!isSecretName(name)) return;
    this.secretFiles++;
    if (this.secrets.length < this.limit) this.secrets.push(pathToText(path));
  }

  private fault(path: ByteString, stat: FileStat): LeftOutReason | undefined {
    if (isSymlink(stat)) return undefined;
    if (!isFile(stat)) return "special-file";
    if (stat.size > this.scan.maxFileBytes) return "too-large";
    const { fs, root } = this.store;
    try {
      fs.close(fs.open(root.os(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
      return undefined;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return "unreadable";
    }
  }

  private leaveOut(reason: LeftOutReason, rule: string, path: ByteString, stat: FileStat): void {
    const amount = isDirectory(stat) ? this.within(path) : { files: 1, bytes: isFile(stat) ? stat.size : 0 };
    this.add(reason, rule, { path: pathToText(path) + (isDirectory(stat) ? "/" : ""), ...amount });
  }

  private add(reason: LeftOutReason, rule: string, entry: LeftOutEntry): void {
    const key = `${reason}\n${rule}`;
    const group = this.groups.get(key) ?? { reason, rule, entries: 0, files: 0, bytes: 0, listed: [] };
    this.groups.set(key, group);
    group.entries++;
    group.files += entry.files;
    group.bytes += entry.bytes;
    if (group.listed.length < this.limit) group.listed.push(entry);
  }

  /** How much lies in a folder that is left out, until MAX_COUNTED is reached. */
  private within(folder: ByteString): Amount {
    let files = 0;
    let bytes = 0;
    const open = [folder];
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const name of this.namesIn(at) ?? []) {
        if (++this.counted > MAX_COUNTED) return { files, bytes };
        const path = joinPath(at, name);
        const stat = this.stat(path);
        if (stat === undefined) continue;
        this.note();
        if (isDirectory(stat)) open.push(path);
        else {
          files++;
          bytes += isFile(stat) ? stat.size : 0;
        }
      }
    return { files, bytes };
  }

  private namesIn(folder: ByteString): string[] | undefined {
    try {
      return this.store.fs.readdir(this.store.root.os(folder)).sort();
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }

  /** Undefined: it has gone, or its folder tells no more than its name. */
  private stat(path: ByteString, onFailure: () => void = () => {}): FileStat | undefined {
    try {
      return this.store.fs.lstat(this.store.root.os(path));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      onFailure();
      return undefined;
    }
  }

  private note(): void {
    this.seen++;
    if (this.seen % REPORT_EVERY !== 0) return;
    this.operation.throwIfCancelled();
    this.operation.report({ phase: "scan", done: this.seen, total: 0 });
  }
}
