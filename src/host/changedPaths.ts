/** What a save has to look at. Only automatic saves go by what was noticed, so while they are off nothing listens. */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import { everything, type Look } from "./changedPathSet";
import type { Settings } from "./settings";
import type { Root, WorkspaceFolders } from "./workspaceFolders";
import { WorkspaceListener } from "./workspaceListener";

export class ChangedPaths extends Disposable {
  private readonly noticed = this.register(new vscode.EventEmitter<void>());
  /** Something that an automatic save may be concerned with was reported. */
  readonly onDidNotice = this.noticed.event;
  private listener: WorkspaceListener | undefined;

  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly settings: Settings,
  ) {
    super();
    this.register(settings.onDidChange((affects) => affects("autoSave") && this.listenIfWanted()));
    this.register({ dispose: () => this.listener?.dispose() });
    this.listenIfWanted();
  }

  /** See `ChangedPathSet.take`. */
  take(root: Root, wanted: "all" | "changed"): Look {
    return this.listener?.take(root, wanted) ?? everything("asked for");
  }

  private listenIfWanted(): void {
    const { enabled } = this.settings.autoSave();
    if (enabled === (this.listener !== undefined)) return;
    this.listener?.dispose();
    this.listener = enabled ? new WorkspaceListener(this.folders, () => this.noticed.fire()) : undefined;
  }
}
