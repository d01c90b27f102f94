/** Restores, undoes and redoes, after a dry run that shows what would happen. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import type { HostEngine, HostRestoreRequest, HostRestoreResult } from "../shared/wireForms";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { ErrorMessages } from "./errorMessages";
import type { RestorePreview } from "./restorePreview";
import { RestoreSelection } from "./restoreSelection";
import type { Settings } from "./settings";
import { offerToSave, settleUnsaved } from "./unsavedFiles";
import { checkpointTitle, fileCount } from "./wording";
import type { Root } from "./workspaceFolders";

export class RestoreCommands {
  constructor(
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly settings: Settings,
    private readonly preview: RestorePreview,
    private readonly errors: ErrorMessages,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /**
   * Shows what restoring the checkpoint (or what lies under `paths` in it) would do and lets the user choose. Nothing is
   * written until they do; a single file is restored at once, because that can be undone.
   */
  async start(root: Root, checkpoint: Checkpoint, paths?: readonly string[]): Promise<void> {
    const request = { ref: checkpoint.id, ...(paths ? { paths } : {}), scan: root.scanOptions() };
    const plan = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Comparing with {0}", checkpointTitle(checkpoint)), (control) =>
        root.controlled(control).restore({ ...request, dryRun: true }),
      ),
    );
    if (!plan) return;
    if (plan.keptCount > 0) this.log.info(`${root.name}: would stay as it is:${keptLines(plan)}`);
    if (plan.changes.length === 0) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t("Your files already are as in {0}. There is nothing to restore.", checkpointTitle(checkpoint)),
      );
      return;
    }
    const selection = new RestoreSelection(plan.changes, this.startsWithRemovals(checkpoint));
    if (paths && plan.changes.length === 1 && plan.changes.kind(0) !== "removed")
      return this.apply(root, checkpoint, selection);
    if (this.settings.restorePreview() === "view") return this.preview.open({ root, checkpoint, selection });
    await this.askAndApply(root, checkpoint, selection);
  }

  /** Restores what is selected. Unsaved editors are settled first. */
  async apply(root: Root, checkpoint: Checkpoint, selection: RestoreSelection): Promise<void> {
    const result = await unlessCancelled(this.settleAndRestore(root, checkpoint, selection));
    if (!result) return;
    this.preview.close();
    const text = vscode.l10n.t("Restored {0} from {1}.", restoredCount(result), checkpointTitle(checkpoint));
    this.announce(root, result, text, await this.reversal(root, "undo"));
  }

  async undo(root: Root): Promise<void> {
    const result = await this.reverse(root, vscode.l10n.t("Undoing the restore"), (engine) =>
      engine.undo(root.scanOptions()),
    );
    if (!result) return;
    const text = vscode.l10n.t("The restore was undone: {0} are as before.", restoredCount(result));
    this.announce(root, result, text, await this.reversal(root, "redo"));
  }

  async redo(root: Root): Promise<void> {
    const result = await this.reverse(root, vscode.l10n.t("Restoring again"), (engine) =>
      engine.redo(root.scanOptions()),
    );
    if (!result) return;
    const text = vscode.l10n.t("Restored again: {0}.", restoredCount(result));
    this.announce(root, result, text, await this.reversal(root, "undo"));
  }

  /**
   * The button of a notification, which may be pressed long after: it is about the restore it was shown for, and must not
   * take back another one that came since (from here, another window or a terminal).
   */
  private async reversal(root: Root, kind: "undo" | "redo") {
    const shownFor = (await root.engine.undoState())[kind];
    return {
      label: kind === "undo" ? vscode.l10n.t("Undo") : vscode.l10n.t("Redo"),
      run: async () => {
        const next = (await root.engine.undoState())[kind];
        if (next === null || next.at !== shownFor?.at) {
          void vscode.window.showInformationMessage(
            vscode.l10n.t("Something else was restored or taken back since then, so nothing was done."),
          );
          return;
        }
        await (kind === "undo" ? this.undo(root) : this.redo(root));
      },
    };
  }

  private async settleAndRestore(
    root: Root,
    checkpoint: Checkpoint,
    selection: RestoreSelection,
  ): Promise<HostRestoreResult | undefined> {
    const selected = selection.request(await settleUnsaved(root, (path) => selection.includes(path)));
    if (!selected) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Nothing is selected, so nothing was restored."));
      return undefined;
    }
    const request: HostRestoreRequest = { ref: checkpoint.id, scan: root.scanOptions(), ...selected };
    return this.run(root, vscode.l10n.t("Restoring {0}", checkpointTitle(checkpoint)), (engine) =>
      engine.restore(request),
    );
  }

  private async reverse(
    root: Root,
    title: string,
    work: (engine: HostEngine) => Promise<HostRestoreResult>,
  ): Promise<HostRestoreResult | undefined> {
    const question = vscode.l10n.t("Some files have unsaved changes. Files on disk may be replaced.");
    return unlessCancelled(offerToSave([root], question).then(() => this.run(root, title, work)));
  }

  private async run(
    root: Root,
    title: string,
    work: (engine: HostEngine) => Promise<HostRestoreResult>,
  ): Promise<HostRestoreResult> {
    try {
      return await this.activity.run(title, (control) => work(root.controlled(control)));
    } finally {
      // Also after a failure: the safety checkpoint may exist by then.
      await this.catalog.refresh(root);
    }
  }

  /** For keyboard users and small windows: the same choice in one list. */
  private async askAndApply(root: Root, checkpoint: Checkpoint, selection: RestoreSelection): Promise<void> {
    const removed = selection.groups.find((group) => group.kind === "removed");
    const others = selection.groups.filter((group) => group.kind !== "removed");
    const otherCount = others.reduce((sum, group) => sum + group.rows.length, 0);
    const items = [
      {
        label: `$(git-stash-apply) ${vscode.l10n.t("Restore {0}", fileCount(otherCount))}`,
        description: removed ? vscode.l10n.t("keep {0} created since", fileCount(removed.rows.length)) : "",
        action: "keep" as const,
        offered: otherCount > 0,
      },
      {
        label: `$(trash) ${vscode.l10n.t("Restore {0} and remove {1} created since", fileCount(otherCount), fileCount(removed?.rows.length ?? 0))}`,
        description: vscode.l10n.t("exactly the state of {0}", checkpointTitle(checkpoint)),
        action: "remove" as const,
        offered: removed !== undefined,
      },
      { label: `$(checklist) ${vscode.l10n.t("Choose files…")}`, action: "choose" as const, offered: true },
    ].filter((item) => item.offered);
    const picked = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t("Restore {0}", checkpointTitle(checkpoint)),
      placeHolder: vscode.l10n.t("A safety checkpoint is made first; a restore can be undone."),
    });
    if (!picked) return;
    if (picked.action === "choose") return this.preview.open({ root, checkpoint, selection });
    if (removed) selection.set(removed.rows, picked.action === "remove");
    await this.apply(root, checkpoint, selection);
  }

  private startsWithRemovals(checkpoint: Checkpoint): boolean {
    switch (this.settings.removeNewFiles()) {
      case "always":
        return true;
      case "never":
        return false;
      case "manualOnly":
        return checkpoint.kind !== "auto";
    }
  }

  private announce(
    root: Root,
    result: HostRestoreResult,
    text: string,
    reverse: { readonly label: string; readonly run: () => Promise<void> },
  ): void {
    this.log.info(`${root.name}: ${text} +${result.added} ~${result.changed} -${result.removed}`);
    if (result.keptCount > 0) this.log.warn(`${root.name}: kept:${keptLines(result)}`);
    const showKept = vscode.l10n.t("Show Kept");
    const kept = result.keptCount;
    const message = kept === 0 ? text : `${text} ${vscode.l10n.t("Left alone: {0}.", fileCount(kept))}`;
    const buttons = kept === 0 ? [reverse.label] : [reverse.label, showKept];
    void vscode.window.showInformationMessage(message, ...buttons).then((picked) => {
      if (picked === showKept) this.log.show(true);
      else if (picked === reverse.label) reverse.run().catch((error) => this.errors.show(error));
    });
  }
}

function restoredCount(result: HostRestoreResult): string {
  return fileCount(result.added + result.changed + result.removed);
}

/** One entry of the log for all: a thousand of them would keep the editor waiting. */
function keptLines({ kept, keptCount }: HostRestoreResult): string {
  const lines = kept.map(({ path, reason }) => `\n  ${path}: ${reason}`);
  if (keptCount > kept.length) lines.push(`\n  and ${keptCount - kept.length} more`);
  return lines.join("");
}
