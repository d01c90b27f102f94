/** The status bar entry: how old the newest checkpoint is, what is being done, what went wrong; a click opens a menu. */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { Activity } from "./activity";
import type { AutoSave } from "./autoSave";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { InterruptedRestores } from "./interruptedRestores";
import { VisibleTimer } from "./visibleTimer";
import { changeCountsSpoken, checkpointTitle, relativeTime, shortAge, timeUntil } from "./wording";
import type { WorkspaceFolders } from "./workspaceFolders";

const AGE_REFRESH_MS = 30_000;

export class StatusBar extends Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly ages = new VisibleTimer(AGE_REFRESH_MS, () => this.update());

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly autoSave: AutoSave,
    private readonly interrupted: InterruptedRestores,
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
    this.register(autoSave.onDidChange(() => this.update()));
    this.register(interrupted.onDidChange(() => this.update()));
    this.register(this.ages);
    this.update();
  }

  private update(): void {
    this.ages.setVisible(this.folders.all.length > 0);
    if (this.folders.all.length === 0) {
      this.item.hide();
      return;
    }
    const now = Date.now();
    const newestAt = this.catalog.newestAt();
    const running = this.activity.titles[0];
    const failure = this.interrupted.sentence ?? this.autoSave.failure;
    const icon = running ? "$(sync~spin)" : failure ? "$(warning)" : "$(bookmark)";
    const age = newestAt === null ? "" : ` ${shortAge(newestAt, now)}`;
    const lines = [running ?? failure ?? "", ...this.newestWords(newestAt, now), this.nextWords(now)];
    const text = lines.filter((line) => line !== "").join("\n");
    this.item.text = `${icon}${age}`;
    this.item.tooltip = `${vscode.l10n.t("Checkpoint")}: ${text}`;
    this.item.backgroundColor =
      failure && !running ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    this.item.accessibilityInformation = { label: this.item.tooltip, role: "button" };
    this.item.show();
  }

  /** Before the engine was asked, only the age is known. */
  private newestWords(newestAt: number | null, now: number): string[] {
    if (newestAt === null) return [vscode.l10n.t("No checkpoint yet")];
    const age = relativeTime(newestAt, now);
    const checkpoint = this.catalog.newest();
    if (!checkpoint) return [vscode.l10n.t("Last checkpoint: {0}", age)];
    return [
      vscode.l10n.t("Last checkpoint: {0}, {1}", checkpointTitle(checkpoint), age),
      changeCountsSpoken(checkpoint),
    ];
  }

  private nextWords(now: number): string {
    const dueAt = this.autoSave.nextDueAt;
    return dueAt === undefined
      ? vscode.l10n.t("Automatic saves are off")
      : vscode.l10n.t("Next automatic save: {0}, if something has changed", timeUntil(dueAt, now));
  }
}

interface StatusMenuState {
  readonly isInterrupted: boolean;
  readonly hasCheckpoints: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Whether a file is open whose history could be shown. */
  readonly hasFile: boolean;
}

/** The menu behind the status bar entry; what cannot be done now is not in it. */
export async function showStatusMenu(state: StatusMenuState): Promise<void> {
  const { isInterrupted, hasCheckpoints, canUndo, canRedo, hasFile } = state;
  const items = [
    {
      label: `$(warning) ${vscode.l10n.t("Finish or Roll Back Interrupted Restore…")}`,
      command: "checkpoint.recoverRestore",
      isOffered: isInterrupted,
    },
    { label: `$(save) ${vscode.l10n.t("Save")}`, command: "checkpoint.save" },
    { label: `$(save-as) ${vscode.l10n.t("Save As…")}`, command: "checkpoint.saveAs" },
    {
      label: `$(git-stash-apply) ${vscode.l10n.t("Restore…")}`,
      command: "checkpoint.restore",
      isOffered: hasCheckpoints,
    },
    {
      label: `$(discard) ${vscode.l10n.t("Undo Last Restore")}`,
      command: "checkpoint.undoRestore",
      isOffered: canUndo,
    },
    { label: `$(redo) ${vscode.l10n.t("Redo Restore")}`, command: "checkpoint.redoRestore", isOffered: canRedo },
    {
      label: `$(diff) ${vscode.l10n.t("Compare File with Checkpoint…")}`,
      command: "checkpoint.compareFile",
      isOffered: hasCheckpoints && hasFile,
    },
    {
      label: `$(diff-multiple) ${vscode.l10n.t("Compare Workspace with Checkpoint…")}`,
      command: "checkpoint.compareWorkspace",
      isOffered: hasCheckpoints,
    },
    {
      label: `$(git-compare) ${vscode.l10n.t("Compare Two Checkpoints…")}`,
      command: "checkpoint.compareTwo",
      isOffered: hasCheckpoints,
    },
    {
      label: `$(versions) ${vscode.l10n.t("Show File History")}`,
      command: "checkpoint.showFileHistory",
      isOffered: hasCheckpoints && hasFile,
    },
    { label: `$(list-tree) ${vscode.l10n.t("Show Checkpoints")}`, command: "checkpoint.checkpoints.focus" },
    { label: `$(database) ${vscode.l10n.t("Open Storage…")}`, command: "checkpoint.openStorage" },
    { label: `$(output) ${vscode.l10n.t("Show Output")}`, command: "checkpoint.showOutput" },
  ].filter(({ isOffered }) => isOffered !== false);
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Checkpoint"),
    placeHolder: vscode.l10n.t("What to do?"),
  });
  if (picked) await vscode.commands.executeCommand(picked.command);
}
