/** Rename, pin, delete, verify, and what the store takes. */
import * as vscode from "vscode";
import type { DeletePlan, VerifyResult } from "../shared/upkeep";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { CheckpointTarget } from "./commandTargets";
import { showDone } from "./statusMessage";
import { checkpointTitle, fileSize, wholeNumber } from "./wording";
import type { Root } from "./workspaceFolders";

export class ManageCommands {
  constructor(
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  async rename({ root, checkpoint }: CheckpointTarget): Promise<void> {
    const name = await vscode.window.showInputBox({
      title: vscode.l10n.t("Rename Checkpoint {0}", `#${checkpoint.number}`),
      prompt: vscode.l10n.t("Leave it empty to take the name away"),
      value: checkpoint.name ?? "",
    });
    if (name === undefined) return;
    await root.engine.rename(checkpoint.id, name.trim() === "" ? null : name.trim());
    await this.catalog.refreshQuietly(root);
  }

  async pin(targets: readonly CheckpointTarget[], pinned: boolean): Promise<void> {
    for (const { root, checkpoint } of targets) await root.engine.pin(checkpoint.id, pinned);
    await this.refreshAll(targets);
  }

  /** Asks with what is lost and what becomes free, twice when one is pinned, then deletes. */
  async delete(targets: readonly CheckpointTarget[]): Promise<void> {
    if (targets.length === 0) return;
    const byRoot = [...new Set(targets.map((target) => target.root))].map((root) => ({
      root,
      ids: targets.filter((target) => target.root === root).map((target) => target.checkpoint.id),
    }));
    const plans = await Promise.all(byRoot.map(({ root, ids }) => root.engine.planDelete(ids)));
    if (!(await confirmDelete(targets, plans))) return;
    const deleted = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Deleting checkpoints"), async (control) => {
        for (const { root, ids } of byRoot) {
          const result = await root.controlled(control).delete(ids);
          this.log.info(`${root.name}: checkpoints deleted: ${ids.length}, bytes freed: ${result.freedBytes}`);
        }
        return true;
      }),
      // Also after a failure: of several folders the first ones are done by then.
    ).finally(() => this.refreshAll(targets));
    if (!deleted) return;
    const only = targets.length === 1 ? targets[0]?.checkpoint : undefined;
    const done = only
      ? vscode.l10n.t("Deleted {0}.", checkpointTitle(only))
      : vscode.l10n.t("Deleted {0} checkpoints.", wholeNumber(targets.length));
    showDone("trash", done);
  }

  async verify(root: Root): Promise<void> {
    const result = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Verifying the store"), (control) =>
        root.controlled(control).verify({ full: true }),
      ),
    );
    if (!result) return;
    this.logProblems(root, result);
    if (result.ok) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          "The store of {0} is sound. Checkpoints: {1}; pieces of content: {2}; read: {3}.",
          root.name,
          wholeNumber(result.checkpoints),
          wholeNumber(result.objects),
          fileSize(result.bytesRead),
        ),
      );
      return;
    }
    const repair = vscode.l10n.t("Repair");
    const show = vscode.l10n.t("Show Details");
    const picked = await vscode.window.showErrorMessage(
      vscode.l10n.t(
        "The store of {0} is damaged. Problems: {1}; checkpoints that cannot be restored completely: {2} of {3}. The others still can.",
        root.name,
        wholeNumber(result.problems.length),
        wholeNumber(result.damaged.length),
        wholeNumber(result.checkpoints),
      ),
      repair,
      show,
    );
    if (picked === repair) await this.repair(root);
    if (picked === show) this.log.show();
  }

  /** Heals what the workspace and the other checkpoints still have. Nothing that can be read is given up for it. */
  async repair(root: Root): Promise<void> {
    const result = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Repairing the store"), (control) => root.controlled(control).repair()),
    );
    if (!result) return;
    for (const { part, message } of result.healed) this.log.info(`${root.name}: ${part}: ${message}`);
    this.logProblems(root, result);
    await this.catalog.refreshQuietly(root);
    const show = vscode.l10n.t("Show Details");
    const picked = result.ok
      ? await vscode.window.showInformationMessage(
          result.healed.length === 0
            ? vscode.l10n.t("The store of {0} is sound; there was nothing to repair.", root.name)
            : vscode.l10n.t("The store of {0} is sound again.", root.name),
          ...(result.healed.length === 0 ? [] : [show]),
        )
      : await vscode.window.showWarningMessage(
          vscode.l10n.t(
            "The store of {0} was repaired as far as possible. Checkpoints that cannot be restored completely: {1} of {2}.",
            root.name,
            wholeNumber(result.damaged.length),
            wholeNumber(result.checkpoints),
          ),
          show,
        );
    if (picked === show) this.log.show();
  }

  /** What the store takes, and where it is. */
  async openStorage(root: Root): Promise<void> {
    const stats = await this.activity.run(vscode.l10n.t("Measuring the store"), (control) =>
      root.controlled(control).stats(),
    );
    const items = [
      {
        label: `$(folder-opened) ${vscode.l10n.t("Open the store's folder")}`,
        description: stats.folder,
        run: () => vscode.commands.executeCommand("revealFileInOS", vscode.Uri.file(stats.folder)),
      },
      {
        label: `$(copy) ${vscode.l10n.t("Copy the folder's path")}`,
        run: () => vscode.env.clipboard.writeText(stats.folder),
      },
      {
        label: `$(verified) ${vscode.l10n.t("Verify Store")}`,
        run: () => vscode.commands.executeCommand("checkpoint.verify", { root }),
      },
      {
        label: `$(settings-gear) ${vscode.l10n.t("Storage settings")}`,
        run: () => vscode.commands.executeCommand("workbench.action.openSettings", "checkpoint.storage"),
      },
    ];
    const picked = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t("Storage of {0}: {1}", root.name, fileSize(stats.totalBytes)),
      placeHolder: vscode.l10n.t(
        "Checkpoints: {0}; pieces of content: {1}; packs: {2}",
        wholeNumber(stats.checkpoints),
        wholeNumber(stats.objects),
        wholeNumber(stats.packs),
      ),
    });
    await picked?.run();
  }

  private logProblems(root: Root, result: VerifyResult): void {
    for (const { part, message } of result.problems) this.log.error(`${root.name}: ${part}: ${message}`);
    for (const { checkpoint, paths } of result.damaged)
      this.log.error(`${root.name}: ${checkpointTitle(checkpoint)} lacks: ${paths.join(", ")}`);
  }

  private async refreshAll(targets: readonly CheckpointTarget[]): Promise<void> {
    for (const root of new Set(targets.map((target) => target.root))) await this.catalog.refreshQuietly(root);
  }
}

function undoWords(plans: readonly DeletePlan[]): string {
  return plans.some((plan) => plan.endsUndo)
    ? vscode.l10n.t("The last restore can then no longer be undone: what was there before is in here.")
    : "";
}

async function confirmDelete(targets: readonly CheckpointTarget[], plans: readonly DeletePlan[]): Promise<boolean> {
  const only = targets.length === 1 ? targets[0]?.checkpoint : undefined;
  const pinned = targets.filter(({ checkpoint }) => checkpoint.pinned);
  const question = only
    ? vscode.l10n.t("Delete checkpoint {0}?", checkpointTitle(only))
    : vscode.l10n.t("Delete {0} checkpoints?", wholeNumber(targets.length));
  const detail = [
    pinnedWords(targets, pinned),
    lossWords(plans),
    undoWords(plans),
    vscode.l10n.t("Your files stay as they are."),
  ];
  if (!(await confirmed(question, detail.filter((line) => line !== "").join("\n\n"), vscode.l10n.t("Delete"))))
    return false;
  const first = pinned[0]?.checkpoint;
  if (!first) return true;
  const again =
    pinned.length === 1
      ? vscode.l10n.t("{0} is pinned. Delete it all the same?", checkpointTitle(first))
      : vscode.l10n.t("{0} of the checkpoints are pinned. Delete them all the same?", pinned.length);
  return confirmed(again, "", vscode.l10n.t("Delete Pinned"));
}

async function confirmed(question: string, detail: string, answer: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, answer)) === answer;
}

function pinnedWords(targets: readonly CheckpointTarget[], pinned: readonly CheckpointTarget[]): string {
  if (pinned.length === 0) return "";
  if (targets.length === 1) return vscode.l10n.t("It is pinned.");
  return vscode.l10n.t(
    "Pinned among them: {0}.",
    pinned.map(({ checkpoint }) => checkpointTitle(checkpoint)).join(", "),
  );
}

/** The workspace may still hold the same content, so nothing is said of that. */
function lossWords(plans: readonly DeletePlan[]): string {
  const objects = plans.reduce((sum, plan) => sum + plan.deadObjects, 0);
  const bytes = plans.reduce((sum, plan) => sum + plan.deadBytes, 0);
  if (objects === 0) return vscode.l10n.t("Other checkpoints hold the same contents. This cannot be undone.");
  return objects === 1
    ? vscode.l10n.t(
        "1 piece of content that no other checkpoint holds is lost; about {0} become free. This cannot be undone.",
        fileSize(bytes),
      )
    : vscode.l10n.t(
        "{0} pieces of content that no other checkpoint holds are lost; about {1} become free. This cannot be undone.",
        wholeNumber(objects),
        fileSize(bytes),
      );
}
