/** Makes checkpoints, asked for or automatic, and says what came of it. */
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { CheckpointKind, Trigger } from "../shared/checkpoints";
import type { SaveRequest } from "../shared/saves";
import type { HostSaveResult } from "../shared/wireForms";
import { type Activity, unlessCancelled } from "./activity";
import type { Look } from "./changedPathSet";
import type { ChangedPaths } from "./changedPaths";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { gitState } from "./gitState";
import type { Settings } from "./settings";
import { showDone } from "./statusMessage";
import { offerToSave } from "./unsavedFiles";
import { changeCounts, checkpointTitle, fileCount } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

export interface SaveOptions {
  readonly kind: CheckpointKind;
  readonly trigger: Trigger;
  readonly name?: string;
}

export class SaveCommand {
  /** Per folder, the skipped files that were reported last: each set is announced once. */
  private readonly announced = new Map<string, string>();

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly changedPaths: ChangedPaths,
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

  /** Saves the folders without asking or telling; failures reject. */
  async saveQuietly(roots: readonly Root[], options: SaveOptions): Promise<readonly HostSaveResult[]> {
    return this.activity.quietly(vscode.l10n.t("Saving automatically"), () => this.saveRoots(roots, options, {}));
  }

  private async askAndSave(roots: readonly Root[], name: string | undefined): Promise<readonly HostSaveResult[]> {
    await offerToSave(roots, vscode.l10n.t("Some files have unsaved changes. A checkpoint holds what is on disk."));
    const options: SaveOptions = { kind: "manual", trigger: "manual", ...(name === undefined ? {} : { name }) };
    return this.activity.run(vscode.l10n.t("Saving checkpoint"), (control) => this.saveRoots(roots, options, control));
  }

  private async saveRoots(
    roots: readonly Root[],
    options: SaveOptions,
    control: Parameters<Root["controlled"]>[0],
  ): Promise<readonly HostSaveResult[]> {
    const group = roots.length > 1 ? { groupId: randomUUID() } : {};
    const results: HostSaveResult[] = [];
    for (const root of roots) {
      const request: SaveRequest = {
        ...options,
        ...group,
        ...gitState(root.folder.uri),
        scan: root.scanOptions(),
        packChunkBytes: this.settings.packChunkBytes(),
      };
      // A save that somebody asked for trusts no hint.
      const look = this.changedPaths.take(root, options.kind === "auto" ? "changed" : "all");
      const changed = look.paths === undefined ? {} : { changedPaths: look.paths };
      const result = await root
        .controlled(control)
        .save({ ...request, ...changed })
        .catch((error) => {
          look.failed();
          throw error;
        });
      look.succeeded(result.scanned);
      this.report(root, result, look);
      await this.catalog.refreshQuietly(root);
      results.push(result);
    }
    return results;
  }

  private report(root: Root, result: HostSaveResult, look: Look): void {
    const outcome = result.noChange || !result.checkpoint ? "nothing changed" : `saved #${result.checkpoint.number}`;
    const scope =
      result.scanned === "changed" ? `${look.paths?.length} changed paths` : `everything (${look.doubt ?? "engine"})`;
    this.log.info(`${root.name}: ${outcome} in ${Math.round(result.durationMs)} ms, having looked at ${scope}`);
    this.announceSkipped(root, result);
    // A rule that leaves out everything would otherwise look like a success.
    if (!result.noChange && result.checkpoint?.files === 0)
      void vscode.window.showWarningMessage(
        vscode.l10n.t("No file was found to save in {0}. If that surprises you, look at its ignore files.", root.name),
      );
  }

  /** Once as long as they are the same: the next automatic save finds them again. */
  private announceSkipped(root: Root, { skipped, skippedCount }: HostSaveResult): void {
    const key = [skippedCount, ...skipped.map(({ path, reason }) => `${reason} ${path}`).sort()].join("\n");
    if ((this.announced.get(root.key) ?? "0") === key) return;
    this.announced.set(root.key, key);
    const first = skipped[0];
    if (!first) return;
    // One entry: thousands of them would each be written to the log's file at once.
    const more = skippedCount > skipped.length ? [`and ${skippedCount - skipped.length} more`] : [];
    const lines = [...skipped.map(({ path, message }) => `  ${path}: ${message}`), ...more];
    this.log.warn(`${root.name}: skipped\n${lines.join("\n")}`);
    const text =
      skippedCount === 1
        ? vscode.l10n.t("The checkpoint does not hold {0}: {1}.", first.path, first.message.replace(/\.$/, ""))
        : vscode.l10n.t("The checkpoint does not hold {0} that could not be saved.", fileCount(skippedCount));
    const show = vscode.l10n.t("Show");
    void vscode.window.showWarningMessage(text, show).then((picked) => {
      if (picked === show) this.log.show(true);
    });
  }
}
