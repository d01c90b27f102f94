/** The workspace folders that have a store: those on a real file system. */
import * as vscode from "vscode";
import type { StoreAddress } from "../shared/api";
import { Disposable } from "../shared/disposable";
import type { ScanOptions } from "../shared/saves";
import type { HostEngine } from "../shared/wireForms";
import type { CheckpointLocation } from "./checkpointUris";
import type { CallControl, EngineClient } from "./engineClient";
import type { Settings } from "./settings";

/** One workspace folder and its engine. */
export class Root {
  readonly engine: HostEngine;

  constructor(
    readonly folder: vscode.WorkspaceFolder,
    readonly address: StoreAddress,
    private readonly client: EngineClient,
    private readonly settings: Settings,
  ) {
    this.engine = client.engine(address);
  }

  get key(): string {
    return this.folder.uri.toString();
  }

  get name(): string {
    return this.folder.name;
  }

  /** The same engine, with progress and cancellation for the calls made through the result. */
  controlled(control: CallControl): HostEngine {
    return this.client.engine(this.address, control);
  }

  scanOptions(): ScanOptions {
    return this.settings.scanOptions(this.folder.uri);
  }

  uriOf(path: string): vscode.Uri {
    return path === "" ? this.folder.uri : vscode.Uri.joinPath(this.folder.uri, path);
  }

  /** The path in this folder that a `checkpoint:` URI means. */
  pathOfSaved(location: CheckpointLocation): string {
    if (!location.isAbsolute) return location.path;
    return this.pathOf(this.folder.uri.with({ path: `/${location.path}` })) ?? location.path;
  }

  /** The path relative to this folder ("" for the folder itself); undefined when `uri` lies outside. */
  pathOf(uri: vscode.Uri): string | undefined {
    const base = this.folder.uri.path.replace(/\/$/, "");
    if (uri.scheme !== this.folder.uri.scheme) return undefined;
    if (uri.path === base || uri.path === `${base}/`) return "";
    return uri.path.startsWith(`${base}/`) ? uri.path.slice(base.length + 1).replace(/\/$/, "") : undefined;
  }
}

export class WorkspaceFolders extends Disposable {
  private roots: readonly Root[] = [];
  private readonly changed = this.register(new vscode.EventEmitter<void>());
  /** Folders were added or removed, or the store moved. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly client: EngineClient,
    private readonly settings: Settings,
  ) {
    super();
    this.update();
    this.register(vscode.workspace.onDidChangeWorkspaceFolders(() => this.update()));
    this.register(settings.onDidChange((affects) => affects("storage.path") && this.update()));
  }

  get all(): readonly Root[] {
    return this.roots;
  }

  rootOf(uri: vscode.Uri): Root | undefined {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    return folder && this.roots.find((root) => root.key === folder.uri.toString());
  }

  /**
   * The only folder, or the one the user picks; undefined when there is none or the user changes their mind. `title`
   * says what the folder is wanted for.
   */
  async pick(title: string): Promise<Root | undefined> {
    if (this.roots.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Open a folder first: checkpoints are kept per folder."));
      return undefined;
    }
    if (this.roots.length === 1) return this.roots[0];
    const active = vscode.window.activeTextEditor && this.rootOf(vscode.window.activeTextEditor.document.uri);
    const items = [...this.roots]
      .sort((a, b) => Number(b === active) - Number(a === active))
      .map((root) => ({ label: root.name, description: root.folder.uri.fsPath, root }));
    const picked = await vscode.window.showQuickPick(items, {
      title,
      placeHolder: vscode.l10n.t("Which folder?"),
      matchOnDescription: true,
    });
    return picked?.root;
  }

  private update(): void {
    const storeRoot = this.settings.storeRoot();
    const before = this.roots;
    this.roots = (vscode.workspace.workspaceFolders ?? [])
      .filter((folder) => folder.uri.scheme === "file")
      .map((folder) => {
        const known = before.find((root) => root.key === folder.uri.toString());
        if (known?.folder === folder && known.address.storeRoot === storeRoot) return known;
        return new Root(folder, { folder: folder.uri.fsPath, storeRoot }, this.client, this.settings);
      });
    for (const root of before) if (!this.roots.includes(root)) this.client.close(root.address);
    this.changed.fire();
  }
}
