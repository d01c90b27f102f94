/** The "File History" view in the Explorer: the versions of the active editor's file, or of what was picked. */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointIcon, checkpointTooltip } from "./checkpointItems";
import { MoreNode, VersionNode } from "./checkpointNodes";
import { activeUri, type CommandTargets, type PathTarget } from "./commandTargets";
import type { ErrorMessages } from "./errorMessages";
import { VERSIONS_A_PAGE, versionPage } from "./fileVersions";
import { PresentContent } from "./presentContent";
import { VisibleTimer } from "./visibleTimer";
import { changeWord, checkpointTitle, dateAndTime, joined, reasonWords, relativeTime } from "./wording";

const HISTORY_VIEW = "checkpoint.fileHistory";
/** Tabs flicker by while people search for a file. */
const FOLLOW_DELAY_MS = 200;
const AGE_REFRESH_MS = 60_000;

type HistoryNode = VersionNode | MoreNode;

export class FileHistoryView extends Disposable implements vscode.TreeDataProvider<HistoryNode> {
  private readonly view: vscode.TreeView<HistoryNode>;
  private readonly changed = this.register(new vscode.EventEmitter<undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly present = new PresentContent();
  private target: PathTarget | undefined;
  private limit = VERSIONS_A_PAGE;
  private followTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly targets: CommandTargets,
    private readonly catalog: CheckpointCatalog,
    private readonly errors: ErrorMessages,
  ) {
    super();
    this.view = this.register(vscode.window.createTreeView<HistoryNode>(HISTORY_VIEW, { treeDataProvider: this }));
    this.register(vscode.window.tabGroups.onDidChangeTabs(() => this.followSoon()));
    this.register(vscode.window.tabGroups.onDidChangeTabGroups(() => this.followSoon()));
    const ages = this.register(new VisibleTimer(AGE_REFRESH_MS, () => this.changed.fire(undefined)));
    this.register(
      this.view.onDidChangeVisibility(({ visible }) => {
        ages.setVisible(visible);
        this.followSoon();
      }),
    );
    ages.setVisible(this.view.visible);
    this.register(catalog.onDidChange(() => this.changed.fire(undefined)));
    // Which version is the one on disk has changed.
    this.register(
      vscode.workspace.onDidSaveTextDocument(({ uri }) => this.isShown(uri) && this.changed.fire(undefined)),
    );
    this.register({ dispose: () => clearTimeout(this.followTimer) });
  }

  /** Shows the history of a file or folder until another editor becomes active. */
  async show(target: PathTarget): Promise<void> {
    this.setTarget(target);
    await vscode.commands.executeCommand(`${HISTORY_VIEW}.focus`);
  }

  getTreeItem(node: HistoryNode): vscode.TreeItem {
    return node instanceof MoreNode ? moreItem(node) : versionItem(node, Date.now());
  }

  resolveTreeItem(item: vscode.TreeItem, node: HistoryNode): vscode.TreeItem {
    if (node instanceof VersionNode) item.tooltip = checkpointTooltip(node.checkpoint);
    return item;
  }

  async getChildren(node?: HistoryNode): Promise<HistoryNode[]> {
    if (node) return [];
    if (!this.target) await this.follow();
    const target = this.target;
    if (!target) {
      this.view.message = vscode.l10n.t("Open a file of this workspace to see its versions.");
      return [];
    }
    try {
      await this.catalog.get(target.root);
      const page = await versionPage(target.root, target.path, this.limit);
      const versions = page.versions.map(({ version }) => version);
      const present = await this.present.hashes(target.root, target.path, versions);
      this.view.message =
        versions.length === 0 ? vscode.l10n.t("No checkpoint holds {0} yet.", target.path || target.root.name) : "";
      const nodes: HistoryNode[] = page.versions.map(
        ({ version, older }) =>
          new VersionNode(target.root, target.path, version, older, version.state && present.has(version.state.hash)),
      );
      if (page.next !== undefined) {
        const loadMore = () => {
          this.limit += VERSIONS_A_PAGE;
          this.changed.fire(undefined);
        };
        nodes.push(new MoreNode(0, loadMore, `history-more:${this.limit}`));
      }
      return nodes;
    } catch (error) {
      const known = this.errors.record(error);
      if (known) this.view.message = known.message;
      return [];
    }
  }

  private isShown(uri: vscode.Uri): boolean {
    const { target, view } = this;
    return view.visible && target !== undefined && target.root.uriOf(target.path).toString() === uri.toString();
  }

  private followSoon(): void {
    clearTimeout(this.followTimer);
    if (!this.view.visible) return;
    this.followTimer = setTimeout(() => {
      this.follow().catch((error) => this.errors.record(error));
    }, FOLLOW_DELAY_MS);
  }

  private async follow(): Promise<void> {
    const uri = activeUri();
    // Without an editor, or with one of another kind (settings, output), the last file stays.
    const target = uri && (await this.targets.pathOfUri(uri));
    if (target) this.setTarget(target);
  }

  private setTarget(target: PathTarget): void {
    if (this.target?.root === target.root && this.target.path === target.path) return;
    this.target = target;
    this.limit = VERSIONS_A_PAGE;
    this.view.description = target.path === "" ? target.root.name : (target.path.split("/").at(-1) ?? "");
    this.changed.fire(undefined);
  }
}

function versionItem(node: VersionNode, now: number): vscode.TreeItem {
  const { checkpoint, version } = node;
  const item = new vscode.TreeItem(checkpointTitle(checkpoint), vscode.TreeItemCollapsibleState.None);
  const age = relativeTime(checkpoint.createdAt, now);
  item.id = `version:${node.root.key}:${node.path}:${checkpoint.id}`;
  item.description = joined(
    age,
    changeWord(version.kind),
    node.isNow ? vscode.l10n.t("same as now") : "",
    reasonWords(checkpoint),
  );
  item.iconPath = checkpointIcon(checkpoint);
  item.contextValue = `version:${version.kind}`;
  item.command = { command: "checkpoint.openVersion", title: vscode.l10n.t("Show Change"), arguments: [node] };
  item.accessibilityInformation = {
    label: [
      checkpointTitle(checkpoint),
      changeWord(version.kind),
      ...(node.isNow ? [vscode.l10n.t("same as now")] : []),
      dateAndTime(checkpoint.createdAt),
    ].join(", "),
  };
  return item;
}

function moreItem(node: MoreNode): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t("Load More"), vscode.TreeItemCollapsibleState.None);
  item.id = node.id;
  item.iconPath = new vscode.ThemeIcon("ellipsis");
  item.command = { command: "checkpoint.loadMore", title: vscode.l10n.t("Load More"), arguments: [node] };
  return item;
}
