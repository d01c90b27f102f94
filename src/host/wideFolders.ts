/**
 * A workspace that is somebody's home folder or a whole disk: people open such by accident. Automatic saves are off
 * there until somebody turns them on, and the first save by hand asks, with a number.
 */
import { homedir } from "node:os";
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import { cancelled } from "../shared/errors";
import type { Measure } from "../shared/saves";
import { type WideFolder, wideFolder } from "../shared/wideFolders";
import type { Activity } from "./activity";
import type { CheckpointCatalog } from "./checkpointCatalog";
import type { ErrorMessages } from "./errorMessages";
import type { Settings } from "./settings";
import { fileCount, fileSize } from "./wording";
import type { Root, WorkspaceFolders } from "./workspaceFolders";

/** What somebody decided for a folder. */
interface Decision {
  readonly savesByItself?: boolean;
  readonly savesByHand?: boolean;
}

/** Counting a whole disk would take minutes; this much shows where it leads. */
const MEASURE_MS = 3_000;
const IGNORES_CASE = process.platform === "win32" || process.platform === "darwin";

export class WideFolders extends Disposable {
  private readonly changed = this.register(new vscode.EventEmitter<void>());
  /** `savesByItself` answers something else for a folder. */
  readonly onDidChange = this.changed.event;
  private readonly warned = new Set<string>();

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
    private readonly memory: vscode.Memento,
    private readonly errors: ErrorMessages,
    private readonly settings: Settings,
  ) {
    super();
    this.register(settings.onDidChange((affects) => affects("autoSave") && this.warn()));
    this.register(folders.onDidChange(() => this.warn()));
    this.warn();
  }

  /** Folders that automatic saves are for. */
  get savedByThemselves(): readonly Root[] {
    return this.folders.all.filter((root) => !kindOf(root) || this.decision(root).savesByItself === true);
  }

  /** Before a save by hand. Rejects with "cancelled" unless it is meant; asks once for a folder. */
  async confirmSave(root: Root): Promise<void> {
    const kind = kindOf(root);
    if (!kind || this.decision(root).savesByHand) return;
    const size = await this.likelySize(root);
    const save = vscode.l10n.t("Save All of It");
    const picked = await vscode.window.showWarningMessage(
      vscode.l10n.t("Save all of {0} as a checkpoint?", root.folder.uri.fsPath),
      { modal: true, detail: `${kindWords(root, kind)}\n\n${size}` },
      save,
    );
    if (picked !== save) throw cancelled();
    await this.decide(root, { savesByHand: true });
  }

  private warn(): void {
    // Where nothing is saved by itself there is nothing to warn of.
    if (!this.settings.autoSave().enabled) return;
    for (const root of this.folders.all) {
      const kind = kindOf(root);
      if (!kind || this.decision(root).savesByItself !== undefined || this.warned.has(root.key)) continue;
      this.warned.add(root.key);
      this.ask(root, kind).catch((error) => this.errors.show(error));
    }
  }

  private async ask(root: Root, kind: WideFolder): Promise<void> {
    const turnOn = vscode.l10n.t("Turn On");
    const keepOff = vscode.l10n.t("Keep Off");
    const picked = await vscode.window.showWarningMessage(
      vscode.l10n.t(
        "{0} Each checkpoint would hold everything in it, so automatic saves are off here. Open a project's folder instead, or turn them on.",
        kindWords(root, kind),
      ),
      turnOn,
      keepOff,
    );
    if (picked === turnOn || picked === keepOff) await this.decide(root, { savesByItself: picked === turnOn });
  }

  /** From the newest checkpoint, or counted. */
  private async likelySize(root: Root): Promise<string> {
    const { checkpoints } = await this.catalog.get(root);
    const newest = checkpoints[0];
    if (newest) return sizeWords({ files: newest.files, bytes: newest.bytes, isComplete: true });
    const title = vscode.l10n.t("Counting the files of {0}", root.name);
    const scan = root.scanOptions();
    return sizeWords(
      await this.activity.run(title, (control) => root.controlled(control).measure(scan, { withinMs: MEASURE_MS })),
    );
  }

  private decision(root: Root): Decision {
    return this.memory.get<Decision>(keyOf(root)) ?? {};
  }

  private async decide(root: Root, change: Decision): Promise<void> {
    await this.memory.update(keyOf(root), { ...this.decision(root), ...change } satisfies Decision);
    this.changed.fire();
  }
}

function kindOf(root: Root): WideFolder | undefined {
  return wideFolder(root.folder.uri.fsPath, homedir(), IGNORES_CASE);
}

function kindWords(root: Root, kind: WideFolder): string {
  const path = root.folder.uri.fsPath;
  switch (kind) {
    case "top":
      return vscode.l10n.t("{0} is a whole disk.", path);
    case "home":
      return vscode.l10n.t("{0} is your home folder.", path);
    case "aboveHome":
      return vscode.l10n.t("{0} contains your home folder.", path);
  }
}

function sizeWords({ files, bytes, isComplete }: Measure): string {
  return isComplete
    ? vscode.l10n.t("It would hold about {0}, {1}.", fileCount(files), fileSize(bytes))
    : vscode.l10n.t("It would hold more than {0}, {1}; counting was stopped there.", fileCount(files), fileSize(bytes));
}

function keyOf(root: Root): string {
  return `checkpoint.wideFolder:${root.key}`;
}
