/** Restores, undoes and redoes, after a dry run that shows what would happen. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import type { UndoState } from "../shared/restores";
import type { HostEngine, HostRestoreRequest, HostRestoreResult } from "../shared/wireForms";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { ErrorMessages } from "./errorMessages";
import type { RestorePreview } from "./restorePreview";
import { type Refusal, type RestoreStep, type ReversalKind, reverseRestore } from "./restoreReversal";
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
    const done = await unlessCancelled(this.settleAndRestore(root, checkpoint, selection));
    if (!done) return;
    this.preview.close();
    const text = vscode.l10n.t("Restored {0} from {1}.", restoredCount(done.result), checkpointTitle(checkpoint));
    this.announce(root, done, text, "undo");
  }

  /**
   * Takes back the last restore, or repeats the one that was taken back. `meant`: only if it is still that one, which is
   * said otherwise. Unsaved editors are settled first.
   */
  async reverse(root: Root, kind: ReversalKind, meant?: RestoreStep): Promise<void> {
    const question = vscode.l10n.t("Some files have unsaved changes. Files on disk may be replaced.");
    const title = kind === "undo" ? vscode.l10n.t("Undoing the restore") : vscode.l10n.t("Restoring again");
    const answer = await unlessCancelled(
      reverseRestore(
        kind,
        {
          state: () => root.engine.undoState(),
          settle: () => offerToSave([root], question),
          reverse: () => this.run(root, title, (engine) => engine[kind](root.scanOptions())),
        },
        meant,
      ),
    );
    if (!answer) return;
    if ("refusal" in answer) {
      void vscode.window.showInformationMessage(refusalWords(answer.refusal));
      await this.catalog.refreshQuietly(root);
      return;
    }
    const count = restoredCount(answer.result.result);
    const text =
      kind === "undo"
        ? vscode.l10n.t("The restore was undone ({0}).", count)
        : vscode.l10n.t("Restored again: {0}.", count);
    this.announce(root, answer.result, text, kind === "undo" ? "redo" : "undo");
  }

  private async settleAndRestore(
    root: Root,
    checkpoint: Checkpoint,
    selection: RestoreSelection,
  ): Promise<DoneRestore | undefined> {
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

  private async run(
    root: Root,
    title: string,
    work: (engine: HostEngine) => Promise<HostRestoreResult>,
  ): Promise<DoneRestore> {
    let result: HostRestoreResult;
    try {
      result = await this.activity.run(title, (control) => work(root.controlled(control)));
    } catch (error) {
      // The safety checkpoint may exist by then.
      await this.catalog.refreshQuietly(root);
      throw error;
    }
    return { result, undo: (await this.catalog.refreshQuietly(root))?.undo };
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

  /**
   * Says what was done, with a button that reverses exactly that: it may be pressed long after. There is none when nobody
   * can tell what is on top by now, or another restore is.
   */
  private announce(root: Root, { result, undo }: DoneRestore, text: string, kind: ReversalKind): void {
    this.log.info(`${root.name}: ${text} +${result.added} ~${result.changed} -${result.removed}`);
    if (result.keptCount > 0) this.log.warn(`${root.name}: kept:${keptLines(result)}`);
    const top = undo?.[kind];
    // A restore that wrote nothing is not on the stack; what is on top then may be an older one of the same checkpoint.
    const isOnTop = result.changes.length > 0 && top?.checkpointId === result.checkpoint.id;
    const step = (isOnTop && top) || undefined;
    const label = kind === "undo" ? vscode.l10n.t("Undo") : vscode.l10n.t("Redo");
    const showKept = vscode.l10n.t("Show Kept");
    const kept = result.keptCount;
    const message = kept === 0 ? text : `${text} ${vscode.l10n.t("Left alone: {0}.", fileCount(kept))}`;
    const buttons = [...(step ? [label] : []), ...(kept === 0 ? [] : [showKept])];
    void vscode.window.showInformationMessage(message, ...buttons).then((picked) => {
      if (picked === showKept) this.log.show(true);
      else if (picked === label) this.reverse(root, kind, step).catch((error) => this.errors.show(error));
    });
  }
}

/** A restore that was done, and what can be reversed since; undefined when that could not be found out. */
interface DoneRestore {
  readonly result: HostRestoreResult;
  readonly undo: UndoState | undefined;
}

function refusalWords(refusal: Refusal): string {
  switch (refusal) {
    case "superseded":
      return vscode.l10n.t("Something else was restored or taken back since then, so nothing was done.");
    case "deleted":
      return vscode.l10n.t(
        "The safety checkpoint with the state before was deleted, so there is nothing to go back to. Your files stay as they are.",
      );
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
