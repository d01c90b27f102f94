/** Makes checkpoints, asked for or automatic, of files and unsaved editors, and says what came of it. */
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { CheckpointKind, Trigger } from "../shared/checkpoints";
import { CheckpointError } from "../shared/errors";
import type { SaveRequest, Skipped } from "../shared/saves";
import type { HostSaveResult } from "../shared/wireForms";
import { type Activity, unlessCancelled } from "./activity";
import type { Look } from "./changedPathSet";
import type { ChangedPaths } from "./changedPaths";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { gitState } from "./gitState";
import type { Settings } from "./settings";
import { showDone } from "./statusMessage";
import { encodeTexts, hasUntitled, unreadableUnsaved, unsavedDocuments } from "./unsavedFiles";
import type { WideFolders } from "./wideFolders";
import { changeCounts, checkpointTitle, fileCount, fileSize } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

export interface SaveOptions {
  readonly kind: CheckpointKind;
  readonly trigger: Trigger;
  readonly name?: string;
}

export class SaveCommand {
  /** Per folder, the skipped files that were reported last: each set is announced once. */
  private readonly announced = new Map<string, Announced>();
  /** The same for the log. */
  private readonly logged = new Map<string, string>();
  private hasToldOfUntitled = false;

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly changedPaths: ChangedPaths,
    private readonly wide: WideFolders,
    private readonly settings: Settings,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Saves every folder, and says so. Resolves with the results in the folders' order; empty after a cancellation. */
  async saveByHand(name?: string): Promise<readonly HostSaveResult[]> {
    const roots = this.folders.all;
    if (roots.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Open a folder first: checkpoints are kept per folder."));
      return [];
    }
    const results = await unlessCancelled(this.askAndSave(roots, name));
    if (!results) return [];
    const made = results.filter((result) => !result.noChange);
    if (made.length === 0) {
      const existing = results[0]?.checkpoint;
      void vscode.window.showInformationMessage(
        roots.length > 1
          ? vscode.l10n.t("Nothing has changed in any of the {0} folders; no checkpoint was made.", roots.length)
          : existing
            ? vscode.l10n.t("Nothing has changed since {0}; no checkpoint was made.", checkpointTitle(existing))
            : vscode.l10n.t("Nothing has changed; no checkpoint was made."),
      );
    } else {
      const words = results.flatMap(({ checkpoint, noChange }, index) => {
        if (noChange || !checkpoint) return [];
        const saved = `${checkpointTitle(checkpoint)} ${changeCounts(checkpoint)}`.trim();
        return roots.length > 1 ? [`${roots[index]?.name} ${saved}`] : [saved];
      });
      showDone("check", vscode.l10n.t("Checkpoint saved: {0}", words.join(", ")));
    }
    return results;
  }

  async saveAs(): Promise<readonly HostSaveResult[]> {
    const name = await vscode.window.showInputBox({
      title: vscode.l10n.t("Save Checkpoint"),
      prompt: vscode.l10n.t("A name to find it by"),
      placeHolder: vscode.l10n.t("for example: before the refactoring"),
      validateInput: (value) => (value.trim() === "" ? vscode.l10n.t("Type a name.") : undefined),
    });
    return name === undefined ? [] : this.saveByHand(name.trim());
  }

  /**
   * Saves the folders without asking or telling. Rejects with the first failure, after the other folders were saved all
   * the same.
   */
  async saveQuietly(roots: readonly Root[], options: SaveOptions): Promise<readonly HostSaveResult[]> {
    return this.activity.quietly(vscode.l10n.t("Saving automatically"), () => this.saveRoots(roots, options, {}));
  }

  private async askAndSave(roots: readonly Root[], name: string | undefined): Promise<readonly HostSaveResult[]> {
    for (const root of roots) await this.wide.confirmSave(root);
    const options: SaveOptions = { kind: "manual", trigger: "manual", ...(name === undefined ? {} : { name }) };
    return this.activity.run(vscode.l10n.t("Saving checkpoint"), (control) => this.saveRoots(roots, options, control));
  }

  /** A folder that fails keeps no other from being saved; the first failure is thrown then, the others are logged. */
  private async saveRoots(
    roots: readonly Root[],
    options: SaveOptions,
    control: Parameters<Root["controlled"]>[0],
  ): Promise<readonly HostSaveResult[]> {
    const group = roots.length > 1 ? { groupId: randomUUID() } : {};
    const results: HostSaveResult[] = [];
    const failures: CheckpointError[] = [];
    for (const root of roots) {
      try {
        results.push(await this.saveRoot(root, { ...options, ...group }, control));
      } catch (error) {
        const known = CheckpointError.from(error);
        if (failures.length > 0) this.log.error(`${root.name}: [${known.code}] ${known.message}`);
        failures.push(known);
        // Who cancels means all of it.
        if (known.code === "cancelled") break;
      }
    }
    const [first] = failures;
    if (first) throw first;
    return results;
  }

  private async saveRoot(
    root: Root,
    options: SaveOptions & Pick<SaveRequest, "groupId">,
    control: Parameters<Root["controlled"]>[0],
  ): Promise<HostSaveResult> {
    const request: SaveRequest = {
      ...options,
      ...gitState(root.folder.uri),
      scan: root.scanOptions(),
      packChunkBytes: this.settings.packChunkBytes(),
      minFreeDiskBytes: this.settings.retention().policy.minFreeDiskBytes,
    };
    // A save that somebody asked for trusts no hint.
    const look = this.changedPaths.take(root, options.kind === "auto" ? "changed" : "all");
    const changed = look.paths === undefined ? {} : { changedPaths: look.paths };
    const { files, refused } = await encodeTexts(unsavedDocuments(root));
    const unsaved = files.length === 0 ? {} : { unsaved: files.map(({ path, content }) => ({ path, content })) };
    const result = await root
      .controlled(control)
      .save({ ...request, ...changed, ...unsaved })
      .catch((error) => {
        look.failed();
        throw error;
      });
    look.succeeded(result.scanned);
    const untaken = [...refused, ...unreadable(root)];
    this.report(root, withSkipped(result, untaken), look, options.kind);
    await this.catalog.refreshQuietly(root);
    return result;
  }

  private report(root: Root, result: HostSaveResult, look: Look, kind: CheckpointKind): void {
    if (!this.hasToldOfUntitled && hasUntitled()) {
      this.hasToldOfUntitled = true;
      this.log.info("Untitled editors belong to no folder, so no checkpoint holds them.");
    }
    const outcome = result.noChange || !result.checkpoint ? "nothing changed" : `saved #${result.checkpoint.number}`;
    const scope =
      result.scanned === "changed" ? `${look.paths?.length} changed paths` : `everything (${look.doubt ?? "engine"})`;
    this.log.info(`${root.name}: ${outcome} in ${Math.round(result.durationMs)} ms, having looked at ${scope}`);
    this.logSkipped(root, result);
    this.announceSkipped(root, result, kind);
    if (result.lowDiskBytes !== undefined) warnOfLowDisk(result.lowDiskBytes);
    // A rule that leaves out everything would otherwise look like a success.
    if (!result.noChange && result.checkpoint?.files === 0)
      void vscode.window.showWarningMessage(
        vscode.l10n.t("No file was found to save in {0}. If that surprises you, look at its ignore files.", root.name),
      );
  }

  /** Once as long as they are the same: the next automatic save finds them again. */
  private logSkipped(root: Root, result: HostSaveResult): void {
    const { skipped, skippedCount } = result;
    const key = setKey(result);
    if ((this.logged.get(root.key) ?? NOTHING_SKIPPED) === key) return;
    this.logged.set(root.key, key);
    if (skippedCount === 0) return;
    // One entry: thousands of them would each be written to the log's file at once.
    const more = skippedCount > skipped.length ? [`and ${skippedCount - skipped.length} more`] : [];
    const lines = [...skipped.map(({ path, message }) => `  ${path}: ${message}`), ...more];
    this.log.warn(`${root.name}: skipped\n${lines.join("\n")}`);
  }

  /**
   * Once as long as they are the same, too. An automatic save says nothing of what is only unsaved: that changes with
   * every file that somebody works on, and they did not ask for a checkpoint in the middle of it.
   */
  private announceSkipped(root: Root, result: HostSaveResult, kind: CheckpointKind): void {
    const before = this.announced.get(root.key) ?? { unsaved: NOTHING_SKIPPED, others: NOTHING_SKIPPED };
    const others = without(result, "unsaved");
    const isAutomatic = kind === "auto";
    const unsaved = isAutomatic ? before.unsaved : setKey(only(result, "unsaved"));
    const told = isAutomatic ? others : result;
    const now = { unsaved, others: setKey(others) };
    if (now.unsaved === before.unsaved && now.others === before.others) return;
    this.announced.set(root.key, now);
    const first = told.skipped[0];
    if (!first) return;
    const text = isOnDisk(told)
      ? unsavedWords(told)
      : told.skippedCount === 1
        ? vscode.l10n.t("The checkpoint does not hold {0}: {1}.", first.path, first.message.replace(/\.$/, ""))
        : vscode.l10n.t("The checkpoint does not hold {0} that could not be saved.", fileCount(told.skippedCount));
    const show = vscode.l10n.t("Show");
    void vscode.window.showWarningMessage(text, show).then((picked) => {
      if (picked === show) this.log.show(true);
    });
  }
}

/** Both as `setKey` has them. */
interface Announced {
  readonly unsaved: string;
  readonly others: string;
}

/** Some skipped files of a save, and how many there are: not all of many are listed. */
type SkippedFiles = Pick<HostSaveResult, "skipped" | "skippedCount">;

const NOTHING_SKIPPED = setKey({ skipped: [], skippedCount: 0 });

/** Equal for equal sets. */
function setKey({ skipped, skippedCount }: SkippedFiles): string {
  return [skippedCount, ...skipped.map(({ path, reason }) => `${reason} ${path}`).sort()].join("\n");
}

function only({ skipped }: SkippedFiles, reason: Skipped["reason"]): SkippedFiles {
  const those = skipped.filter((each) => each.reason === reason);
  return { skipped: those, skippedCount: those.length };
}

function without(all: SkippedFiles, reason: Skipped["reason"]): SkippedFiles {
  const skipped = all.skipped.filter((each) => each.reason !== reason);
  return { skipped, skippedCount: all.skippedCount - (all.skipped.length - skipped.length) };
}

function unreadable(root: Root): Skipped[] {
  const message = vscode.l10n.t("notebooks and custom editors do not give away what is unsaved");
  return unreadableUnsaved(root).map((path) => ({ path, reason: "unsaved", message }));
}

function withSkipped(result: HostSaveResult, more: readonly Skipped[]): HostSaveResult {
  return { ...result, skipped: [...more, ...result.skipped], skippedCount: result.skippedCount + more.length };
}

/** All that is missing is what was typed: the files themselves were saved. */
function isOnDisk({ skipped, skippedCount }: SkippedFiles): boolean {
  return skipped.length === skippedCount && skipped.every(({ reason }) => reason === "unsaved");
}

function unsavedWords({ skipped, skippedCount }: SkippedFiles): string {
  const [first] = skipped;
  return first && skippedCount === 1
    ? vscode.l10n.t("The checkpoint holds {0} as it is on disk: {1}.", first.path, first.message)
    : vscode.l10n.t("The checkpoint holds {0} as they are on disk, without what is unsaved.", fileCount(skippedCount));
}

/** Only after a save that somebody asked for: automatic ones pause then, and the status bar says so. */
function warnOfLowDisk(freeBytes: number): void {
  const cleanUp = vscode.l10n.t("Clean Up…");
  const text = vscode.l10n.t(
    "Only {0} are free on the disk of the checkpoints. Automatic saves pause until there is more.",
    fileSize(freeBytes),
  );
  void vscode.window.showWarningMessage(text, cleanUp).then((picked) => {
    if (picked === cleanUp) void vscode.commands.executeCommand("checkpoint.cleanUp");
  });
}
