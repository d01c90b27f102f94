/** Making room: cleaning up by the rules of retention, leaving a path out from now on, deleting a store nobody needs. */
import * as vscode from "vscode";
import type { PrunedCheckpoint, PrunePlan, PruneReason } from "../shared/retention";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointIcon } from "./checkpointItems";
import { excludePattern } from "./excludePattern";
import type { Settings } from "./settings";
import { showDone } from "./statusMessage";
import type { LargePathNode, StoreNode } from "./storageNodes";
import type { StorageView } from "./storageView";
import { checkpointTitle, dateAndTime, fileSize, joined, reasonWords, wholeNumber } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

export class StorageCommands {
  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly view: StorageView,
    private readonly activity: Activity,
    private readonly settings: Settings,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Shows which checkpoints are no longer to be kept, lets some of them stay, asks, and deletes the others. */
  async cleanUp(root: Root): Promise<void> {
    const { policy } = this.settings.retention();
    const plan = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Looking for what can go"), (control) =>
        root.controlled(control).planPrune({ policy }),
      ),
    );
    if (!plan) return;
    if (plan.going.length === 0) {
      void vscode.window.showInformationMessage(
        [vscode.l10n.t("There is nothing to clean up in {0}.", root.name), missingWords(plan)].join(" ").trim(),
      );
      return;
    }
    const chosen = await pickGoing(root, plan);
    if (!chosen || chosen.length === 0 || !(await confirmCleanUp(plan, chosen))) return;
    const only = chosen.map(({ checkpoint }) => checkpoint.id);
    const result = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Cleaning up"), (control) => root.controlled(control).prune({ policy, only })),
    ).finally(() => this.catalog.refreshQuietly(root));
    if (!result) return;
    const { gone, freed } = result;
    this.log.info(`${root.name}: cleaned up: ${gone.length} checkpoints, ${freed.freedBytes} bytes freed`);
    showDone(
      "trash",
      gone.length === 1
        ? vscode.l10n.t("Deleted 1 checkpoint, freed {0}.", fileSize(freed.freedBytes))
        : vscode.l10n.t("Deleted {0} checkpoints, freed {1}.", wholeNumber(gone.length), fileSize(freed.freedBytes)),
    );
    this.view.refresh();
  }

  /** Leaves a path out of the checkpoints to come, after saying what that means. */
  async exclude({ root, usage }: LargePathNode): Promise<void> {
    const pattern = excludePattern(usage.path);
    if (pattern === undefined) return;
    if (!vscode.workspace.isTrusted) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t("What is left out can only be set in a workspace that you trust."),
      );
      return;
    }
    const exclude = vscode.l10n.t("Exclude");
    const detail = [
      vscode.l10n.t("Checkpoints made from now on do not hold it, and a restore never changes or removes it."),
      vscode.l10n.t(
        "It stays in the checkpoints that hold it: its {0} become free as they are deleted.",
        fileSize(usage.bytes),
      ),
      vscode.l10n.t("The pattern {0} is added to the setting checkpoint.files.exclude of this workspace.", pattern),
    ].join("\n\n");
    const question = vscode.l10n.t("Leave {0} out of checkpoints?", usage.path);
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, exclude)) !== exclude) return;
    const { exclude: known } = root.scanOptions();
    if (!known.includes(pattern))
      await vscode.workspace
        .getConfiguration("checkpoint", root.folder.uri)
        .update(
          "files.exclude",
          [...known, pattern],
          this.folders.all.length > 1
            ? vscode.ConfigurationTarget.WorkspaceFolder
            : vscode.ConfigurationTarget.Workspace,
        );
    showDone("exclude", vscode.l10n.t("{0} is left out from now on.", usage.path));
  }

  /** Deletes the store of a folder that is not there, with all its checkpoints. */
  async deleteStore({ root, summary }: StoreNode): Promise<void> {
    const { id, workspace, folder, bytes } = summary;
    if (workspace === null) return;
    const remove = vscode.l10n.t("Delete");
    const detail = [
      vscode.l10n.t("All its checkpoints are deleted: {0} in {1}. This cannot be undone.", fileSize(bytes), folder),
      vscode.l10n.t(
        "The folder is not there at the moment. If it lies on a disk or a share that is not connected, or was moved, its checkpoints are all there is of its history.",
      ),
    ].join("\n\n");
    const question = vscode.l10n.t("Delete the checkpoints of {0}?", workspace);
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    const freed = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Deleting a store"), (control) => root.controlled(control).deleteStore(id)),
    ).finally(() => this.view.refresh());
    if (freed === undefined) return;
    this.log.info(`The store of ${workspace} was deleted: ${freed} bytes freed`);
    showDone("trash", vscode.l10n.t("Deleted the checkpoints of {0}, freed {1}.", workspace, fileSize(freed)));
  }
}

async function pickGoing(
  root: Root,
  { going, freedBytes }: PrunePlan,
): Promise<readonly PrunedCheckpoint[] | undefined> {
  const items = going.map((each) => ({
    label: checkpointTitle(each.checkpoint),
    description: joined(dateAndTime(each.checkpoint.createdAt), reasonWords(each.checkpoint)),
    detail: whyWords(each.reason),
    iconPath: checkpointIcon(each.checkpoint),
    picked: true,
    each,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Clean Up {0}: about {1} become free", root.name, fileSize(freedBytes)),
    placeHolder: vscode.l10n.t("These are no longer to be kept. Take the tick from what is to stay."),
    canPickMany: true,
    matchOnDescription: true,
  });
  return picked?.map(({ each }) => each);
}

async function confirmCleanUp(plan: PrunePlan, chosen: readonly PrunedCheckpoint[]): Promise<boolean> {
  const answer = vscode.l10n.t("Delete");
  const question =
    chosen.length === 1
      ? vscode.l10n.t("Delete 1 checkpoint?")
      : vscode.l10n.t("Delete {0} checkpoints?", wholeNumber(chosen.length));
  const detail = [
    chosen.length === plan.going.length
      ? vscode.l10n.t("About {0} become free. This cannot be undone.", fileSize(plan.freedBytes))
      : vscode.l10n.t("At most {0} become free. This cannot be undone.", fileSize(plan.freedBytes)),
    vscode.l10n.t("Pinned and named checkpoints, the newest, and those made by hand stay. So do your files."),
    missingWords(plan),
  ].filter((line) => line !== "");
  const options = { modal: true, detail: detail.join("\n\n") };
  return (await vscode.window.showWarningMessage(question, options, answer)) === answer;
}

/** Said where a limit is missed although nothing else may go. */
export function missingWords({ missingBytes }: Pick<PrunePlan, "missingBytes">): string {
  return missingBytes > 0
    ? vscode.l10n.t(
        "The limits of the settings are still missed by {0}: all other checkpoints are protected.",
        fileSize(missingBytes),
      )
    : "";
}

function whyWords(reason: PruneReason): string {
  switch (reason) {
    case "age":
      return vscode.l10n.t("Others are kept for its hour, day or week, or it is too old");
    case "size":
      return vscode.l10n.t("The store is larger than it may be");
    case "disk":
      return vscode.l10n.t("Too little of the disk is free");
  }
}
