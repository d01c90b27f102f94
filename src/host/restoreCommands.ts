/** Restores, undoes and redoes, after a dry run that shows what would happen. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import type { InterruptedRestore, RecoveryKind, ReversalOptions, UndoState } from "../shared/restores";
import type { HostEngine, HostRestoreRequest, HostRestoreResult } from "../shared/wireForms";
import { type Activity, unlessCancelled } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { ErrorMessages } from "./errorMessages";
import type { InterruptedRestores } from "./interruptedRestores";
import type { RestorePreview } from "./restorePreview";
import { type Refusal, type RestoreStep, type ReversalKind, reverseRestore } from "./restoreReversal";
import { RestoreSelection } from "./restoreSelection";
import type { Settings } from "./settings";
import { hasUnsaved, NOTHING_UNSAVED, type SettledEditors, settleEditors } from "./settledEditors";
import { checkpointTitle, fileCount } from "./wording";
import type { Root } from "./workspaceFolders";

export class RestoreCommands {
  constructor(
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly settings: Settings,
    private readonly preview: RestorePreview,
    private readonly interrupted: InterruptedRestores,
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
    const title = kind === "undo" ? vscode.l10n.t("Undoing the restore") : vscode.l10n.t("Restoring again");
    const scan = root.scanOptions();
    let editors = NOTHING_UNSAVED;
    const answer = await unlessCancelled(
      reverseRestore(
        kind,
        {
          state: () => root.engine.undoState(),
          settle: async () => {
            editors = await this.settle(root, (engine) => engine[kind](scan, { dryRun: true }));
            return editors.wasAsked;
          },
          reverse: () => this.run(root, title, editors, (engine, unsaved) => engine[kind](scan, unsaved)),
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

  /** Brings a restore that was interrupted to its end, or back to its beginning. Unsaved editors are settled first. */
  async recover(root: Root, how: RecoveryKind): Promise<void> {
    const kind = this.interrupted.of(root)?.kind;
    const scan = root.scanOptions();
    const title = how === "finish" ? vscode.l10n.t("Finishing the restore") : vscode.l10n.t("Rolling back the restore");
    const settleAndRecover = async (): Promise<DoneRestore> => {
      const editors = await this.settle(root, (engine) => engine.recover(how, scan, { dryRun: true }));
      return this.run(root, title, editors, (engine, unsaved) => engine.recover(how, scan, unsaved));
    };
    const done = await unlessCancelled(settleAndRecover());
    if (!done) return;
    const { result } = done;
    // What was edited since it was interrupted is nowhere else.
    const safety = this.catalog.find(root, result.safetyId);
    const text = [
      how === "finish" ? finishedWords(kind, result) : rolledBackWords(kind, result),
      ...(safety ? [vscode.l10n.t("What your files held until now is in {0}.", checkpointTitle(safety))] : []),
    ].join(" ");
    if (how === "rollBack") this.announce(root, done, text);
    else this.announce(root, done, text, kind === "undo" ? "redo" : "undo", true);
  }

  private async settleAndRestore(
    root: Root,
    checkpoint: Checkpoint,
    selection: RestoreSelection,
  ): Promise<DoneRestore | undefined> {
    const selected = selection.request();
    if (!selected) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Nothing is selected, so nothing was restored."));
      return undefined;
    }
    const editors = await settleEditors(root, (path) => selection.includes(path));
    const request: HostRestoreRequest = { ref: checkpoint.id, scan: root.scanOptions(), ...selected };
    const title = vscode.l10n.t("Restoring {0}", checkpointTitle(checkpoint));
    return this.run(root, title, editors, (engine, unsaved) => engine.restore({ ...request, ...unsaved }));
  }

  /** Asks about unsaved editors of what would be changed, and only if there are any finds out what that is. */
  private async settle(
    root: Root,
    preview: (engine: HostEngine) => Promise<HostRestoreResult>,
  ): Promise<SettledEditors> {
    if (!hasUnsaved(root)) return NOTHING_UNSAVED;
    const title = vscode.l10n.t("Comparing with unsaved files");
    const { changes } = await this.activity.run(title, (control) => preview(root.controlled(control)));
    return settleEditors(root, (path) => changes.find(path) !== undefined);
  }

  private async run(
    root: Root,
    title: string,
    editors: SettledEditors,
    work: (engine: HostEngine, unsaved: Pick<ReversalOptions, "unsaved">) => Promise<HostRestoreResult>,
  ): Promise<DoneRestore> {
    const unsaved = editors.unsaved === undefined ? {} : { unsaved: editors.unsaved };
    let result: HostRestoreResult;
    try {
      result = await this.interrupted.during(root, () =>
        this.activity.run(title, (control) => work(root.controlled(control), unsaved)),
      );
    } catch (error) {
      // The safety checkpoint may exist by then.
      await this.catalog.refreshQuietly(root);
      throw error;
    }
    const leftDirty = await editors.revert(result.changes, (error) => void this.errors.record(error));
    return { result, undo: (await this.catalog.refreshQuietly(root))?.undo, leftDirty };
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
   * can tell what is on top by now, or another restore is. `mayHaveEnded`: it is on the stack, whatever was left to do.
   */
  private announce(
    root: Root,
    { result, undo, leftDirty }: DoneRestore,
    text: string,
    kind?: ReversalKind,
    mayHaveEnded = false,
  ): void {
    this.log.info(`${root.name}: ${text} +${result.added} ~${result.changed} -${result.removed}`);
    if (result.keptCount > 0) this.log.warn(`${root.name}: kept:${keptLines(result)}`);
    const top = kind && undo?.[kind];
    // A restore that wrote nothing is not on the stack; what is on top then may be an older one of the same checkpoint.
    const isOnTop = (mayHaveEnded || result.changes.length > 0) && top?.checkpointId === result.checkpoint.id;
    const step = (isOnTop && top) || undefined;
    const label = kind === "undo" ? vscode.l10n.t("Undo") : vscode.l10n.t("Redo");
    const showKept = vscode.l10n.t("Show Kept");
    const kept = result.keptCount;
    const keptText = this.catalog.find(root, result.unsavedId ?? null);
    const message = [
      text,
      ...(keptText ? [vscode.l10n.t("What was unsaved is in {0}.", checkpointTitle(keptText))] : []),
      ...(kept === 0 ? [] : [vscode.l10n.t("Left alone: {0}.", fileCount(kept))]),
      ...(leftDirty.length === 0
        ? []
        : [vscode.l10n.t("Edited meanwhile, or not reverted, so still unsaved: {0}.", leftDirty.join(", "))]),
    ].join(" ");
    const buttons = [...(step ? [label] : []), ...(kept === 0 ? [] : [showKept])];
    void vscode.window.showInformationMessage(message, ...buttons).then((picked) => {
      if (picked === showKept) this.log.show(true);
      else if (kind && picked === label) this.reverse(root, kind, step).catch((error) => this.errors.show(error));
    });
  }
}

/** A restore that was done, and what can be reversed since; undefined when that could not be found out. */
interface DoneRestore {
  readonly result: HostRestoreResult;
  readonly undo: UndoState | undefined;
  /** Editors that somebody typed into while it ran, or that could not be reverted. */
  readonly leftDirty: readonly string[];
}

/** `kind`: undefined when nobody knows any more. An undo and a redo go to a safety checkpoint, which says nothing. */
function finishedWords(kind: InterruptedRestore["kind"] | undefined, { checkpoint }: HostRestoreResult): string {
  switch (kind) {
    case "undo":
      return vscode.l10n.t("The interrupted undo was finished.");
    case "redo":
      return vscode.l10n.t("The interrupted redo was finished.");
    default:
      return vscode.l10n.t("The interrupted restore of {0} was finished.", checkpointTitle(checkpoint));
  }
}

function rolledBackWords(kind: InterruptedRestore["kind"] | undefined, { keptCount }: HostRestoreResult): string {
  const isWhole = keptCount === 0;
  switch (kind) {
    case "undo":
      return isWhole
        ? vscode.l10n.t("The interrupted undo was rolled back: your files are as before it.")
        : vscode.l10n.t("The interrupted undo was rolled back, except for what was left alone.");
    case "redo":
      return isWhole
        ? vscode.l10n.t("The interrupted redo was rolled back: your files are as before it.")
        : vscode.l10n.t("The interrupted redo was rolled back, except for what was left alone.");
    default:
      return isWhole
        ? vscode.l10n.t("The interrupted restore was rolled back: your files are as before.")
        : vscode.l10n.t("The interrupted restore was rolled back, except for what was left alone.");
  }
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
