/**
 * Automatic checkpoints at an interval, while something changes.
 *
 * Editor and file events are only hints that a save is worth while: files change by other ways too, so without any hint
 * a save is still tried at a multiple of the interval. Most tries look at what was reported, if anything was; now and
 * then one looks at everything (see `ChangedPathSet`). A try that finds nothing changed makes no checkpoint.
 */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { Activity } from "./activity";
import { type AutoSaveState, untilDue } from "./autoSaveClock";
import type { ChangedPaths } from "./changedPaths";
import type { ErrorMessages } from "./errorMessages";
import type { SaveCommand } from "./saveCommand";
import type { Settings } from "./settings";
import type { WideFolders } from "./wideFolders";
import type { WorkspaceFolders } from "./workspaceFolders";

/** A busy store is tried again this much later. */
const RETRY_MS = 5_000;

export class AutoSave extends Disposable {
  private readonly changed = this.register(new vscode.EventEmitter<void>());
  /** `failure` or `nextDueAt` is another one. */
  readonly onDidChange = this.changed.event;
  private timer: NodeJS.Timeout | undefined;
  private lastSaveAt = Date.now();
  private lastActivityAt: number | undefined;
  private lastFailure: string | undefined;
  private dueAt: number | undefined;

  constructor(
    folders: WorkspaceFolders,
    private readonly wide: WideFolders,
    private readonly saving: SaveCommand,
    changedPaths: ChangedPaths,
    private readonly activity: Activity,
    private readonly settings: Settings,
    private readonly errors: ErrorMessages,
  ) {
    super();
    const onActivity = () => this.noteActivity();
    this.register(
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document.uri.scheme === "file") onActivity();
      }),
    );
    this.register(changedPaths.onDidNotice(onActivity));
    this.register(settings.onDidChange((affects) => affects("autoSave") && this.schedule()));
    this.register(folders.onDidChange(() => this.schedule()));
    this.register(wide.onDidChange(() => this.schedule()));
    this.register({ dispose: () => clearTimeout(this.timer) });
    this.schedule();
  }

  /** Why the last automatic save failed; undefined once one succeeds. */
  get failure(): string | undefined {
    return this.lastFailure;
  }

  /** When the next one is tried, in milliseconds since 1970; undefined while they are off. */
  get nextDueAt(): number | undefined {
    return this.dueAt;
  }

  /** Somebody saved by hand: the interval starts anew. */
  noteSave(): void {
    this.lastSaveAt = Date.now();
    this.setFailure(undefined);
    this.schedule();
  }

  private noteActivity(): void {
    const wasIdle = this.lastActivityAt === undefined || this.lastActivityAt < this.lastSaveAt;
    this.lastActivityAt = Date.now();
    // Further activity does not change when the save is due.
    if (wasIdle) this.schedule();
  }

  private schedule(atLeastMs = 0): void {
    clearTimeout(this.timer);
    const { enabled, intervalMs } = this.settings.autoSave();
    const isOn = !this.isDisposed && enabled && this.wide.savedByThemselves.length > 0;
    const wait = Math.max(atLeastMs, untilDue(this.lastSigns(), intervalMs, Date.now()));
    if (isOn) this.timer = setTimeout(() => void this.save(), wait);
    this.dueAt = isOn ? Date.now() + wait : undefined;
    if (!this.isDisposed) this.changed.fire();
  }

  private lastSigns(): AutoSaveState {
    return { lastSaveAt: this.lastSaveAt, lastActivityAt: this.lastActivityAt };
  }

  private async save(): Promise<void> {
    if (this.activity.isBusy) return this.schedule(RETRY_MS);
    try {
      this.lastSaveAt = Date.now();
      await this.saving.saveQuietly(this.wide.savedByThemselves, { kind: "auto", trigger: "interval" });
      this.setFailure(undefined);
    } catch (error) {
      // Nobody asked for this save: the status bar tells, no message interrupts. A busy store is no failure.
      const known = this.errors.record(error);
      if (known && known.code !== "locked") this.setFailure(known.message);
    }
    this.schedule();
  }

  private setFailure(message: string | undefined): void {
    if (message === this.lastFailure) return;
    this.lastFailure = message;
    this.changed.fire();
  }
}
