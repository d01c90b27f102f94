/** Makes checkpoints, asked for or automatic, and says what came of it. */
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { CheckpointKind, SaveResult, Skipped, Trigger } from "../shared/api";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { gitState } from "./gitState";
import type { Settings } from "./settings";
import { offerToSave } from "./unsavedFiles";
import { changeCounts, checkpointTitle, fileCount } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

export interface SaveOptions {
  readonly kind: CheckpointKind;
  readonly trigger: Trigger;
  readonly name?: string;
}

const STATUS_MESSAGE_MS = 6_000;

export class SaveCommand {
  /** Per folder, the skipped files that were reported last: each set is announced once. */
  private readonly announced = new Map<string, string>();

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly settings: Settings,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Saves every folder, and says so. Resolves with the results in the folders' order; empty after a cancellation. */
  async saveByHand(name?: string): Promise<readonly SaveResult[]> {
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
      vscode.window.setStatusBarMessage(
        `$(check) ${vscode.l10n.t("Checkpoint saved: {0}", words.join(", "))}`,
        STATUS_MESSAGE_MS,
      );
    }
    return results;
  }

  async saveAs(): Promise<readonly SaveResult[]> {
    const name = await vscode.window.showInputBox({
      title: vscode.l10n.t("Save Checkpoint"),
      prompt: vscode.l10n.t("A name to find it by"),
      placeHolder: vscode.l10n.t("for example: before the refactoring"),
      validateInput: (value) => (value.trim() === "" ? vscode.l10n.t("Type a name.") : undefined),
    });
    return name === undefined ? [] : this.saveByHand(name.trim());
  }

  /** Saves the folders without asking or telling; failures reject. */
  async saveQuietly(roots: readonly Root[], options: SaveOptions): Promise<readonly SaveResult[]> {
    return this.activity.quietly(vscode.l10n.t("Saving automatically"), () => this.saveRoots(roots, options, {}));
  }

  private async askAndSave(roots: readonly Root[], name: string | undefined): Promise<readonly SaveResult[]> {
    await offerToSave(roots, vscode.l10n.t("Some files have unsaved changes. A checkpoint holds what is on disk."));
    const options: SaveOptions = { kind: "manual", trigger: "manual", ...(name === undefined ? {} : { name }) };
    return this.activity.run(vscode.l10n.t("Saving checkpoint"), (control) => this.saveRoots(roots, options, control));
  }

  private async saveRoots(
    roots: readonly Root[],
    options: SaveOptions,
    control: Parameters<Root["controlled"]>[0],
  ): Promise<readonly SaveResult[]> {
    const group = roots.length > 1 ? { groupId: randomUUID() } : {};
    const results: SaveResult[] = [];
    for (const root of roots) {
      const result = await root.controlled(control).save({
        ...options,
        ...group,
        ...gitState(root.folder.uri),
        scan: root.scanOptions(),
        packChunkBytes: this.settings.packChunkBytes(),
      });
      this.report(root, result);
      await this.catalog.refresh(root);
      results.push(result);
    }
    return results;
  }

  private report(root: Root, result: SaveResult): void {
    const outcome = result.noChange || !result.checkpoint ? "nothing changed" : `saved #${result.checkpoint.number}`;
    this.log.info(`${root.name}: ${outcome} in ${Math.round(result.durationMs)} ms`);
    for (const { path, message } of result.skipped) this.log.warn(`${root.name}: skipped ${path}: ${message}`);
    this.announceSkipped(root, result.skipped);
    // A rule that leaves out everything would otherwise look like a success.
    if (!result.noChange && result.checkpoint?.files === 0)
      void vscode.window.showWarningMessage(
        vscode.l10n.t("No file was found to save in {0}. If that surprises you, look at its ignore files.", root.name),
      );
  }

  private announceSkipped(root: Root, skipped: readonly Skipped[]): void {
    const key = JSON.stringify(skipped.map(({ path, reason }) => `${reason} ${path}`).sort());
    if ((this.announced.get(root.key) ?? "[]") === key) return;
    this.announced.set(root.key, key);
    const first = skipped[0];
    if (!first) return;
    const text =
      skipped.length === 1
        ? vscode.l10n.t("The checkpoint does not hold {0}: {1}.", first.path, first.message.replace(/\.$/, ""))
        : vscode.l10n.t("The checkpoint does not hold {0} that could not be saved.", fileCount(skipped.length));
    const show = vscode.l10n.t("Show");
    void vscode.window.showWarningMessage(text, show).then((picked) => {
      if (picked === show) this.log.show(true);
    });
  }
}
