/**
 * Restores that were killed on their way: found, offered to be finished or rolled back, and shown until they are.
 *
 * The engine is asked once it is in use anyway, and whenever checkpoints change. A window that went away in the middle
 * of a restore of its own left a mark in the workspace state; only then is the engine asked at activation.
 */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { InterruptedRestore, RecoveryKind } from "../shared/restores";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { ErrorMessages } from "./errorMessages";
import { checkpointTitle } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

/** What the command is called with by the buttons of the offer. */
export interface RecoveryRequest {
  readonly root: Root;
  readonly how: RecoveryKind;
}

const COMMAND = "checkpoint.recoverRestore";
/** Most of what holds the lock is over by then. */
const ASK_AGAIN_MS = 3_000;

export class InterruptedRestores extends Disposable {
  private readonly found = new Map<Root, InterruptedRestore>();
  /** When what was offered last began, so that nobody is asked twice. */
  private readonly offered = new Map<Root, number>();
  /** Restores of this window: the journal of one that runs is no offer. */
  private running = 0;
  /** Asked about once more before it is believed that nothing is left there. */
  private readonly doubted = new Map<Root, NodeJS.Timeout>();
  private readonly changed = this.register(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly memory: vscode.Memento,
    private readonly errors: ErrorMessages,
  ) {
    super();
    this.register(catalog.onDidChange(() => this.checkKnown()));
    // A command line can have been killed meanwhile, which changes no checkpoint.
    this.register(vscode.window.onDidChangeWindowState(({ focused }) => focused && this.checkKnown()));
    this.register({ dispose: () => this.doubted.forEach(clearTimeout) });
    for (const root of folders.all) if (memory.get<boolean>(markOf(root))) void this.check(root);
    this.updateContext();
  }

  /** Folders with an interrupted restore, as far as known. */
  get roots(): readonly Root[] {
    return this.folders.all.filter((root) => this.found.has(root));
  }

  of(root: Root): InterruptedRestore | undefined {
    return this.found.get(root);
  }

  /** One sentence about the first there is; undefined: none. */
  get sentence(): string | undefined {
    const [root] = this.roots;
    const interrupted = root && this.found.get(root);
    return root && interrupted && this.describe(root, interrupted);
  }

  /** Runs a restore, an undo or the like. Whoever finds its mark later knows that it did not end. */
  async during<T>(root: Root, work: () => Promise<T>): Promise<T> {
    await this.mark(root, true);
    this.running++;
    try {
      return await work();
    } finally {
      this.running--;
      await this.check(root);
    }
  }

  /** Asks the engine. A failure is only logged: nobody asked for this. */
  async check(root: Root): Promise<void> {
    if (this.running > 0) return;
    let interrupted: InterruptedRestore | null;
    try {
      interrupted = await root.engine.interrupted();
    } catch (error) {
      this.errors.record(error);
      return;
    }
    if (this.isDisposed || this.running > 0 || !this.folders.all.includes(root)) return;
    const before = this.found.get(root);
    if (interrupted ? interrupted.at === before?.at : this.doubts(root)) return;
    if (interrupted) this.found.set(root, interrupted);
    else {
      await this.mark(root, undefined);
      if (!this.found.delete(root)) return;
    }
    this.updateContext();
    this.changed.fire();
    if (interrupted && this.offered.get(root) !== interrupted.at) {
      this.offered.set(root, interrupted.at);
      void this.offer(root, interrupted).catch((error) => this.errors.show(error));
    }
  }

  /** A workspace state that cannot be written is no reason to refuse a restore, nor does it change how one ended. */
  private async mark(root: Root, isRunning: true | undefined): Promise<void> {
    try {
      await this.memory.update(markOf(root), isRunning);
    } catch (error) {
      this.errors.record(error);
    }
  }

  /** While somebody else uses the store nobody is told of an interrupted restore. */
  private doubts(root: Root): boolean {
    const wasExpected = this.found.has(root) || this.memory.get<boolean>(markOf(root)) === true;
    if (!wasExpected || this.doubted.delete(root)) return !wasExpected;
    this.doubted.set(
      root,
      setTimeout(() => void this.check(root), ASK_AGAIN_MS),
    );
    return true;
  }

  private checkKnown(): void {
    for (const root of this.folders.all) if (this.catalog.peek(root)) void this.check(root);
  }

  private async offer(root: Root, interrupted: InterruptedRestore): Promise<void> {
    // The sentence names the checkpoint.
    await this.catalog.get(root);
    const finish = vscode.l10n.t("Finish");
    const rollBack = vscode.l10n.t("Roll Back");
    const later = vscode.l10n.t("Later");
    const picked = await vscode.window.showWarningMessage(this.describe(root, interrupted), finish, rollBack, later);
    const how = picked === finish ? "finish" : picked === rollBack ? "rollBack" : undefined;
    if (!how) return;
    // The message may have stood there for hours; its buttons are about what it says and nothing else.
    const now = await root.engine.interrupted();
    if (now?.at === interrupted.at)
      await vscode.commands.executeCommand(COMMAND, { root, how } satisfies RecoveryRequest);
    // Another one is offered by itself, unless it was already.
    else if (now) await this.check(root);
    else
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          "Nothing was done: that restore was finished or rolled back meanwhile, or the store is in use. The command Finish or Roll Back Interrupted Restore… tells which.",
        ),
      );
  }

  private describe(root: Root, { kind, checkpointId }: InterruptedRestore): string {
    const checkpoint = this.catalog.find(root, checkpointId);
    switch (kind) {
      case "restore":
        return checkpoint
          ? vscode.l10n.t("A restore of {0} was interrupted.", checkpointTitle(checkpoint))
          : vscode.l10n.t("A restore was interrupted.");
      case "undo":
        return vscode.l10n.t("Undoing a restore was interrupted.");
      case "redo":
        return vscode.l10n.t("Repeating a restore was interrupted.");
    }
  }

  private updateContext(): void {
    void vscode.commands.executeCommand("setContext", "checkpoint.isInterrupted", this.roots.length > 0);
  }
}

/** For the command: which of the two. Undefined when the user changes their mind. */
export async function pickRecovery(what: string): Promise<RecoveryKind | undefined> {
  const items = [
    {
      label: `$(debug-continue) ${vscode.l10n.t("Finish")}`,
      detail: vscode.l10n.t("Restore the rest. Undo then brings back what was there before."),
      how: "finish" as const,
    },
    {
      label: `$(discard) ${vscode.l10n.t("Roll Back")}`,
      detail: vscode.l10n.t("Put every file back to what it was before."),
      how: "rollBack" as const,
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: what,
    placeHolder: vscode.l10n.t("Some files are as they were, others as they were to be."),
  });
  return picked?.how;
}

function markOf(root: Root): string {
  return `checkpoint.restoring:${root.key}`;
}
