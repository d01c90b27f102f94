/** The "Restore Preview" view: what a restore would do, with a checkbox for every file and folder. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import { Disposable } from "../shared/disposable";
import type { ChangeLeaf, ChangeLevel, ChangeNode } from "./changeTree";
import { moreItem } from "./checkpointItems";
import { MoreNode } from "./checkpointNodes";
import { iconUri } from "./checkpointUris";
import { LevelPages } from "./levelPages";
import { groupOfNode, type RestoreGroup, type RestoreSelection } from "./restoreSelection";
import { changeLetter, changeWord, checkpointTitle, fileCount, wholeNumber } from "./wording";
import type { Root } from "./workspaceFolders";

const PREVIEW_VIEW = "checkpoint.restorePreview";
/** Folders start open while the whole preview fits on a few screens. */
const MAX_OPEN_ROWS = 100;
const OPEN_CONTEXT = "checkpoint.previewOpen";
const EMPTY_CONTEXT = "checkpoint.previewEmpty";

interface OpenPreview {
  readonly root: Root;
  readonly checkpoint: Checkpoint;
  readonly selection: RestoreSelection;
}

interface GroupNode {
  readonly type: "group";
  readonly group: RestoreGroup;
}

/** The first row: what the view is for, always visible (header icons show on hover only). */
interface ActionNode {
  readonly type: "action";
}

type SelectableNode = GroupNode | ChangeNode;
type PreviewNode = ActionNode | SelectableNode | MoreNode;

const ACTION: ActionNode = { type: "action" };

export class RestorePreview extends Disposable implements vscode.TreeDataProvider<PreviewNode> {
  private readonly view: vscode.TreeView<PreviewNode>;
  private readonly changed = this.register(new vscode.EventEmitter<PreviewNode | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private shown: OpenPreview | undefined;
  private generation = 0;
  /** The same objects for as long as a preview is open: the tree would take new ones for new rows, and lose clicks. */
  private groupNodes: readonly GroupNode[] = [];
  private readonly pages = new LevelPages();

  constructor() {
    super();
    this.view = this.register(
      vscode.window.createTreeView<PreviewNode>(PREVIEW_VIEW, {
        treeDataProvider: this,
        // VS Code's own handling sets only the children it has already shown.
        manageCheckboxStateManually: true,
        showCollapseAll: true,
      }),
    );
    this.register(
      this.view.onDidChangeCheckboxState(({ items }) => {
        for (const [node, state] of items)
          if (isSelectable(node))
            this.shown?.selection.set(rowsOf(node), state === vscode.TreeItemCheckboxState.Checked);
        this.describe();
        this.changed.fire(ACTION);
        for (const group of this.groupNodes)
          if (items.some(([node]) => isSelectable(node) && kindOf(node) === group.group.kind)) this.changed.fire(group);
      }),
    );
  }

  get current(): OpenPreview | undefined {
    return this.shown;
  }

  async open(preview: OpenPreview): Promise<void> {
    this.shown = preview;
    this.groupNodes = preview.selection.groups.map((group) => ({ type: "group", group }));
    this.pages.clear();
    this.generation++;
    await vscode.commands.executeCommand("setContext", OPEN_CONTEXT, true);
    this.describe();
    this.changed.fire(undefined);
    await vscode.commands.executeCommand(`${PREVIEW_VIEW}.focus`);
  }

  close(): void {
    if (!this.shown) return;
    this.shown = undefined;
    void vscode.commands.executeCommand("setContext", OPEN_CONTEXT, false);
    this.changed.fire(undefined);
  }

  getChildren(node?: PreviewNode): PreviewNode[] {
    if (!node) return this.shown ? [ACTION, ...this.groupNodes] : [];
    if (!isSelectable(node)) return [];
    if (node.type === "group") return this.page(node, node.group.nodes);
    return node.type === "folder" ? this.page(node, node.children) : [];
  }

  private page(parent: SelectableNode, level: ChangeLevel): PreviewNode[] {
    return this.pages.page<PreviewNode>(
      `preview:${this.generation}:${idOf(parent)}`,
      level,
      (node) => node,
      () => this.changed.fire(parent),
    );
  }

  getTreeItem(node: PreviewNode): vscode.TreeItem {
    if (node instanceof MoreNode) return moreItem(node);
    if (node.type === "action") return this.actionItem();
    const { Expanded, Collapsed, None } = vscode.TreeItemCollapsibleState;
    const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
    const rows = rowsOf(node);
    const total = rows.length;
    const selected = this.shown?.selection.countSelected(rows) ?? 0;
    const isOpen = node.type === "group" || (this.shown?.selection.changes.length ?? 0) <= MAX_OPEN_ROWS;
    const item = new vscode.TreeItem(nameOf(node), node.type === "leaf" ? None : isOpen ? Expanded : Collapsed);
    item.id = `preview:${this.generation}:${idOf(node)}`;
    item.checkboxState = {
      state: selected === total ? Checked : Unchecked,
      tooltip: vscode.l10n.t("Restore this"),
      accessibilityInformation: { label: spokenName(node), role: "checkbox" },
    };
    if (node.type === "leaf") this.describeLeaf(item, node);
    else {
      if (node.type === "folder") item.iconPath = vscode.ThemeIcon.Folder;
      const count =
        selected === total
          ? wholeNumber(total)
          : vscode.l10n.t("{0} of {1}", wholeNumber(selected), wholeNumber(total));
      // The number first: of what a restore would remove it must be seen at any width.
      item.description = isRemoval(node) ? vscode.l10n.t("{0} created since", count) : count;
      item.contextValue = `preview:${node.type}`;
    }
    return item;
  }

  private actionItem(): vscode.TreeItem {
    const count = this.shown?.selection.selectedCount ?? 0;
    const item = new vscode.TreeItem(
      count === 0 ? vscode.l10n.t("Nothing is selected") : vscode.l10n.t("Restore {0}", fileCount(count)),
    );
    item.id = `preview:${this.generation}:action`;
    item.contextValue = "preview:action";
    if (count === 0) return item;
    item.iconPath = new vscode.ThemeIcon("check", new vscode.ThemeColor("charts.green"));
    item.command = { command: "checkpoint.preview.restore", title: vscode.l10n.t("Restore Selected") };
    return item;
  }

  private describeLeaf(item: vscode.TreeItem, leaf: ChangeLeaf): void {
    const { change } = leaf;
    const isFolder = change.path.endsWith("/");
    // With a resource, the icon theme decides, and some have none for folders.
    if (!isFolder) item.resourceUri = iconUri(leaf.path, change.kind);
    item.iconPath = isFolder ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
    item.description = changeLetter(change.kind);
    item.tooltip = `${leaf.path} · ${changeWord(change.kind)}`;
    item.accessibilityInformation = { label: `${leaf.name}, ${changeWord(change.kind)}` };
    item.contextValue = "preview:leaf";
    item.command = {
      command: "checkpoint.preview.openChange",
      title: vscode.l10n.t("Show Change"),
      arguments: [change],
    };
  }

  private describe(): void {
    if (!this.shown) return;
    const { checkpoint, selection } = this.shown;
    this.view.description = checkpointTitle(checkpoint);
    this.view.message = vscode.l10n.t("A safety checkpoint is made first; a restore can be undone.");
    void vscode.commands.executeCommand("setContext", EMPTY_CONTEXT, selection.selectedCount === 0);
  }
}

function isSelectable(node: PreviewNode): node is SelectableNode {
  return !(node instanceof MoreNode) && node.type !== "action";
}

/** The same folder can stand in every group, so its path alone would not tell nodes apart. */
function idOf(node: SelectableNode): string {
  return `${kindOf(node)}:${node.type}:${node.type === "group" ? "" : node.path}`;
}

function kindOf(node: SelectableNode): RestoreGroup["kind"] {
  return node.type === "group" ? node.group.kind : groupOfNode(node);
}

function rowsOf(node: SelectableNode): Uint32Array {
  return node.type === "group" ? node.group.rows : node.rows;
}

function isRemoval(node: SelectableNode): boolean {
  return node.type === "group" && node.group.kind === "removed";
}

/** Whole without the row's description. */
function spokenName(node: SelectableNode): string {
  return isRemoval(node) ? vscode.l10n.t("Also remove what was created since") : nameOf(node);
}

function nameOf(node: SelectableNode): string {
  if (node.type !== "group") return node.name;
  switch (node.group.kind) {
    case "changed":
      return vscode.l10n.t("Changed");
    case "added":
      return vscode.l10n.t("Brought back");
    case "removed":
      return vscode.l10n.t("Also remove");
  }
}
