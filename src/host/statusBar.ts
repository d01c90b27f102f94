/** The status bar entry: how old the newest checkpoint is, what is being done, what went wrong; a click opens a menu. */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { Activity } from "./activity";
import type { AutoSave } from "./autoSave";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { relativeTime, shortAge } from "./wording";
import type { WorkspaceFolders } from "./workspaceFolders";

const AGE_REFRESH_MS = 30_000;

export class StatusBar extends Disposable {
  private readonly item: vscode.StatusBarItem;
  private failure: string | undefined;

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    autoSave: AutoSave,
  ) {
    super();
    this.item = this.register(
      vscode.window.createStatusBarItem("checkpoint.status", vscode.StatusBarAlignment.Right, 100),
    );
    this.item.name = vscode.l10n.t("Checkpoint");
    this.item.command = "checkpoint.showMenu";
    this.register(folders.onDidChange(() => this.update()));
    this.register(catalog.onDidChange(() => this.update()));
    this.register(activity.onDidChange(() => this.update()));
    this.register(
      autoSave.onDidChangeFailure((message) => {
        this.failure = message;
        this.update();
      }),
    );
    const ages = setInterval(() => this.update(), AGE_REFRESH_MS);
    this.register({ dispose: () => clearInterval(ages) });
    this.update();
  }

  private update(): void {
    if (this.folders.all.length === 0) {
      this.item.hide();
      return;
    }
    const now = Date.now();
    const newestAt = this.catalog.newestAt();
    const running = this.activity.titles[0];
    const icon = running ? "$(sync~spin)" : this.failure ? "$(warning)" : "$(history)";
    const age = newestAt === null ? "" : ` ${shortAge(newestAt, now)}`;
    const tooltip =
      running ??
      this.failure ??
      (newestAt === null
        ? vscode.l10n.t("No checkpoint yet")
        : vscode.l10n.t("Last checkpoint: {0}", relativeTime(newestAt, now)));
    this.item.text = `${icon}${age}`;
    this.item.tooltip = `${vscode.l10n.t("Checkpoint")}: ${tooltip}`;
    this.item.backgroundColor =
      this.failure && !running ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    this.item.accessibilityInformation = { label: this.item.tooltip, role: "button" };
    this.item.show();
  }
}

/** The menu behind the status bar entry. */
export async function showStatusMenu(state: { readonly canUndo: boolean; readonly canRedo: boolean }): Promise<void> {
  const items = [
    { label: `$(save) ${vscode.l10n.t("Save")}`, command: "checkpoint.save" },
    { label: `$(save-as) ${vscode.l10n.t("Save As…")}`, command: "checkpoint.saveAs" },
    { label: `$(history) ${vscode.l10n.t("Restore…")}`, command: "checkpoint.restore" },
    ...(state.canUndo
      ? [{ label: `$(discard) ${vscode.l10n.t("Undo Last Restore")}`, command: "checkpoint.undoRestore" }]
      : []),
    ...(state.canRedo
      ? [{ label: `$(redo) ${vscode.l10n.t("Redo Restore")}`, command: "checkpoint.redoRestore" }]
      : []),
    { label: `$(diff) ${vscode.l10n.t("Compare File with Checkpoint…")}`, command: "checkpoint.compareFile" },
    {
      label: `$(diff-multiple) ${vscode.l10n.t("Compare Workspace with Checkpoint…")}`,
      command: "checkpoint.compareWorkspace",
    },
    { label: `$(list-tree) ${vscode.l10n.t("Show Checkpoints")}`, command: "checkpoint.checkpoints.focus" },
    { label: `$(database) ${vscode.l10n.t("Open Storage…")}`, command: "checkpoint.openStorage" },
    { label: `$(output) ${vscode.l10n.t("Show Output")}`, command: "checkpoint.showOutput" },
  ];
  const picked = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Checkpoint") });
  if (picked) await vscode.commands.executeCommand(picked.command);
}
