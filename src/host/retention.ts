/**
 * Cleaning up without being asked: once an hour at most, while nothing is being done with checkpoints, and quietly. What
 * goes is planned by the engine by the rules of the settings; while nothing is to go, nothing is locked or written. The
 * first time that something goes on this machine, it is told.
 */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import { CheckpointError } from "../shared/errors";
import type { RetentionPolicy } from "../shared/retention";
import type { Activity } from "./activity";
import type { AutoSave } from "./autoSave";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { CLEAN_UP_INTERVAL_MS, followsJump, untilCleanUp } from "./retentionClock";
import type { Settings } from "./settings";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

/** In the memory of the machine: somebody has been told that checkpoints thin out. */
const TOLD_KEY = "retention.told";

export class Retention extends Disposable {
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Date.now();
  private lastUseAt = Date.now();
  private policyChangedAt: number | undefined;
  /** Folders whose limits were missed when it was last looked: told once. */
  private readonly missed = new Set<string>();
  /** Folders left alone because the clock seems to have jumped: logged once. */
  private readonly jumped = new Set<string>();

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly settings: Settings,
    /** A save that finds the disk full changes no catalog; it is due all the more then. */
    autoSave: Pick<AutoSave, "onDidChange">,
    private readonly log: vscode.LogOutputChannel,
    /** Of the machine, in which it is kept that the first clean-up has been told; without one nothing is told. */
    private readonly memory: vscode.Memento,
  ) {
    super();
    const onUse = () => {
      this.lastUseAt = Date.now();
      this.schedule();
    };
    this.register(catalog.onDidChange(onUse));
    this.register(activity.onDidChange(onUse));
    this.register(autoSave.onDidChange(() => this.schedule()));
    this.register(
      settings.onDidChange((affects) => {
        if (!affects("retention")) return;
        this.dueAt = Date.now();
        this.policyChangedAt = this.dueAt;
        onUse();
      }),
    );
    this.register({ dispose: () => clearTimeout(this.timer) });
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.isDisposed || !this.settings.retention().enabled || this.used().length === 0) return;
    const { dueAt, lastUseAt, policyChangedAt } = this;
    const wait = untilCleanUp({ dueAt, lastUseAt, policyChangedAt }, Date.now());
    this.timer = setTimeout(() => void this.cleanUp(), wait);
  }

  /** Folders whose checkpoints are known: for the others no engine is to be started. */
  private used(): readonly Root[] {
    return this.folders.all.filter((root) => (this.catalog.peek(root)?.checkpoints.length ?? 0) > 1);
  }

  /** Never rejects. */
  private async cleanUp(): Promise<void> {
    // It comes back when that is over.
    if (this.activity.isBusy) return;
    this.dueAt = Date.now() + CLEAN_UP_INTERVAL_MS;
    // Read once: while one folder is being cleaned up, somebody may begin to type another number.
    const { policy } = this.settings.retention();
    for (const root of this.used())
      try {
        await this.cleanUpFolder(root, policy);
      } catch (error) {
        const known = CheckpointError.from(error);
        // Nobody asked for it: another window's turn, or damage that everything else names, too.
        if (known.code !== "cancelled") this.log.warn(`${root.name}: no clean-up: [${known.code}] ${known.message}`);
      }
    this.schedule();
  }

  private async cleanUpFolder(root: Root, policy: RetentionPolicy): Promise<void> {
    if (this.isAfterJump(root)) return;
    const { going, freedBytes, missingBytes } = await root.engine.planPrune({ policy });
    this.noteMissing(root, missingBytes);
    // Garbage counts where a limit is broken.
    if (going.length === 0 && freedBytes === 0) return;
    const { gone, freed } = await this.activity.quietly(vscode.l10n.t("Cleaning up"), () =>
      root.engine.prune({ policy, automatic: true }),
    );
    const numbers = gone.map(({ checkpoint, reason }) => `#${checkpoint.number} (${reason})`).join(", ");
    if (gone.length > 0 || freed.freedBytes > 0)
      this.log.info(
        `${root.name}: cleaned up; checkpoints: ${gone.length}; bytes freed: ${freed.freedBytes}; ${numbers}`,
      );
    for (const { message } of freed.damaged) this.log.warn(`${root.name}: ${message}`);
    this.tellFirst(gone.filter(({ reason }) => reason === "age").length);
    await this.catalog.refreshQuietly(root);
  }

  private isAfterJump(root: Root): boolean {
    const times = this.catalog.peek(root)?.checkpoints.map(({ createdAt }) => createdAt) ?? [];
    if (!followsJump(times, Date.now())) {
      this.jumped.delete(root.key);
      return false;
    }
    if (!this.jumped.has(root.key))
      this.log.info(`${root.name}: no clean-up until a checkpoint made after the gap of some days is a day old`);
    this.jumped.add(root.key);
    return true;
  }

  /** Nobody chose the rules that are there from the beginning. */
  private tellFirst(thinned: number): void {
    if (thinned === 0 || this.memory.get(TOLD_KEY, false)) return;
    const settings = vscode.l10n.t("Settings");
    const output = vscode.l10n.t("Show Output");
    // At worst it is told once more.
    this.memory.update(TOLD_KEY, true).then(undefined, (error: unknown) => this.log.warn(String(error)));
    const text = vscode.l10n.t("Automatic checkpoints thin out with age; {0} were deleted.", thinned);
    void vscode.window.showInformationMessage(text, settings, output).then((picked) => {
      if (picked === output) this.log.show();
      if (picked === settings)
        void vscode.commands.executeCommand("workbench.action.openSettings", "checkpoint.retention");
    });
  }

  private noteMissing(root: Root, bytes: number): void {
    if (bytes === 0) this.missed.delete(root.key);
    else if (!this.missed.has(root.key)) {
      this.missed.add(root.key);
      this.log.warn(
        `${root.name}: the limits of retention are missed by ${bytes} bytes; the rest is protected, or would not be enough`,
      );
    }
  }
}
