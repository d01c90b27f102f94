/** "Purge Path from All Checkpoints…": what should never have been saved. */
import * as vscode from "vscode";
import type { PurgePlan } from "../shared/purge";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { fileSize, wholeNumber } from "./wording";
import type { Root } from "./workspaceFolders";

/** Paths named in a question; a folder is one. */
const NAMED = 5;

export class PurgeCommand {
  constructor(
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Asks for a path, as the active file's is often not the one: what is to go was mostly deleted long ago. */
  async ask(root: Root, suggested: string | undefined): Promise<void> {
    const typed = await vscode.window.showInputBox({
      title: vscode.l10n.t("Purge from All Checkpoints of {0}", root.name),
      prompt: vscode.l10n.t(
        "A file or folder, as a path in the workspace folder. It is taken out of every checkpoint.",
      ),
      value: suggested ?? "",
    });
    const path = typed?.trim();
    if (path !== undefined && path !== "") await this.purge(root, [path]);
  }

  /** Says what would go and what would not, asks, and does it. */
  async purge(root: Root, paths: readonly string[]): Promise<void> {
    const plan = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Looking through the checkpoints"), (control) =>
        root.controlled(control).planPurge(paths),
      ),
    );
    if (!plan) return;
    const isHeld = plan.paths.length > 0;
    if (!isHeld && !plan.owesSweep) {
      sayNotHeld(paths);
      return;
    }
    if (isHeld) {
      const purge = vscode.l10n.t("Purge");
      const answer = await vscode.window.showWarningMessage(
        purgeQuestion(plan),
        { modal: true, detail: purgeDetail(plan) },
        purge,
      );
      if (answer !== purge) return;
    }
    // What is owed has been agreed to before; anything else that is there by now has not.
    const wanted = isHeld ? paths : [];
    const result = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Purging"), (control) => root.controlled(control).purge(wanted)),
    ).finally(() => this.catalog.refreshQuietly(root));
    if (!result) return;
    // Not even its name in the log: that is what it was about.
    this.log.info(`${root.name}: purged paths: ${result.paths.length}, bytes freed: ${result.freed.freedBytes}`);
    for (const { message } of result.freed.damaged) this.log.error(`${root.name}: ${message}`);
    if (result.freed.damaged.length > 0)
      void vscode.window.showWarningMessage(
        vscode.l10n.t(
          "No checkpoint names it any more, but damaged parts of the store could not be rewritten and may still hold some of its content. Repair the store, then purge again.",
        ),
      );
    else if (!isHeld) sayNotHeld(paths);
    else
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          "Purged from {0} checkpoints; {1} became free.",
          wholeNumber(result.checkpoints.length),
          fileSize(result.freed.freedBytes),
        ),
      );
  }
}

function sayNotHeld(paths: readonly string[]): void {
  void vscode.window.showInformationMessage(vscode.l10n.t("No checkpoint holds {0}.", paths.join(", ")));
}

export function purgeQuestion({ paths, checkpoints }: Pick<PurgePlan, "paths" | "checkpoints">): string {
  const named = paths.slice(0, NAMED).join(", ") + (paths.length > NAMED ? ", …" : "");
  return checkpoints.length === 1
    ? vscode.l10n.t("Purge {0} from 1 checkpoint?", named)
    : vscode.l10n.t("Purge {0} from {1} checkpoints?", named, wholeNumber(checkpoints.length));
}

/** What whoever wants something gone for good has to know. */
export function purgeDetail(plan: PurgePlan): string {
  const pinned = plan.checkpoints.filter((each) => each.pinned).length;
  const { elsewhere } = plan;
  const first = elsewhere.listed[0];
  return [
    vscode.l10n.t(
      "Different contents: {0}; about {1} become free.",
      wholeNumber(plan.versions),
      fileSize(plan.deadBytes),
    ),
    pinned === 0
      ? ""
      : vscode.l10n.t("Pinned among the checkpoints: {0}. Pinning does not keep it.", wholeNumber(pinned)),
    first === undefined
      ? ""
      : vscode.l10n.t(
          "Contents that stay because other files hold the same: {0} (for example {1}).",
          wholeNumber(elsewhere.total),
          first.other,
        ),
    plan.endedRestores === 0
      ? ""
      : vscode.l10n.t("Restores that can then no longer be undone: {0}.", wholeNumber(plan.endedRestores)),
    plan.present.length === 0
      ? vscode.l10n.t("Your files stay as they are.")
      : vscode.l10n.t(
          "Your files stay as they are, and the next checkpoint takes them in again unless .checkpointignore names them: {0}.",
          plan.present.slice(0, NAMED).join(", "),
        ),
    vscode.l10n.t("Archives, replicas and backups made before still hold it. This cannot be undone."),
  ]
    .filter((line) => line !== "")
    .join("\n\n");
}
