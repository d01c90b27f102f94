/** The "Restore Preview" view: what a restore would do, with a checkbox for every file and folder. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/api";
import { Disposable } from "../shared/disposable";
import type { ChangeNode } from "./changeTree";
import { iconUri } from "./checkpointUris";
import { groupOfNode, type RestoreGroup, type RestoreSelection } from "./restoreSelection";
import { changeLetter, changeWord, checkpointTitle, fileCount, wholeNumber } from "./wording";
import type { Root } from "./workspaceFolders";

export const PREVIEW_VIEW = "checkpoint.restorePreview";
/** Folders start open while the whole preview fits on a few screens. */
const MAX_OPEN_ROWS = 100;
const OPEN_CONTEXT = "checkpoint.previewOpen";
const EMPTY_CONTEXT = "checkpoint.previewEmpty";

export interface OpenPreview {
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
type PreviewNode = ActionNode | SelectableNode;

const ACTION: ActionNode = { type: "action" };

export class RestorePreview extends Disposable implements vscode.TreeDataProvider<PreviewNode> {
  private readonly view: vscode.TreeView<PreviewNode>;
  private readonly changed = this.register(new vscode.EventEmitter<PreviewNode | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private shown: OpenPreview | undefined;
  private generation = 0;
  /** The same objects for as long as a preview is open: the tree would take new ones for new rows, and lose clicks. */
  private groupNodes: readonly GroupNode[] = [];

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
          if (node.type !== "action")
            this.shown?.selection.set(nodesOf(node), state === vscode.TreeItemCheckboxState.Checked);
        this.describe();
        this.changed.fire(ACTION);
        for (const group of this.groupNodes)
          if (items.some(([node]) => node.type !== "action" && kindOf(node) === group.group.kind))
            this.changed.fire(group);
      }),
    );
  }

  get current(): OpenPreview | undefined {
    return this.shown;
  }

  async open(preview: OpenPreview): Promise<void> {
    this.shown = preview;
    this.groupNodes = preview.selection.groups.map((group) => ({ type: "group", group }));
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
    if (node.type === "action") return [];
    if (node.type === "group") return [...node.group.nodes];
    return node.type === "folder" ? [...node.children] : [];
  }

  getTreeItem(node: PreviewNode): vscode.TreeItem {
    if (node.type === "action") return this.actionItem();
    const { Expanded, Collapsed, None } = vscode.TreeItemCollapsibleState;
    const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
    const nodes = nodesOf(node);
    const total = node.type === "group" ? node.group.count : node.type === "folder" ? node.count : 1;
    const selected = this.shown?.selection.countSelected(nodes) ?? 0;
    const isOpen = node.type === "group" || (this.shown?.selection.changes.length ?? 0) <= MAX_OPEN_ROWS;
    const item = new vscode.TreeItem(nameOf(node), node.type === "leaf" ? None : isOpen ? Expanded : Collapsed);
    // The same folder can stand in every group, so its path alone would not tell nodes apart.
    const group = kindOf(node);
    item.id = `preview:${this.generation}:${group}:${node.type}:${node.type === "group" ? "" : node.path}`;
    item.checkboxState = {
      state: selected === total ? Checked : Unchecked,
      tooltip: vscode.l10n.t("Restore this"),
      accessibilityInformation: { label: nameOf(node), role: "checkbox" },
    };
    if (node.type === "leaf") this.describeLeaf(item, node);
    else {
      if (node.type === "folder") item.iconPath = vscode.ThemeIcon.Folder;
      item.description =
        selected === total
          ? wholeNumber(total)
          : vscode.l10n.t("{0} of {1}", wholeNumber(selected), wholeNumber(total));
      item.contextValue = `preview:${node.type}`;
    }
    return item;
  }

  private actionItem(): vscode.TreeItem {
    const count = this.shown?.selection.selected.length ?? 0;
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

  private describeLeaf(item: vscode.TreeItem, leaf: ChangeNode & { type: "leaf" }): void {
    const isFolder = leaf.change.path.endsWith("/");
    // With a resource, the icon theme decides, and some have none for folders.
    if (!isFolder) item.resourceUri = iconUri(leaf.path, leaf.change.kind);
    item.iconPath = isFolder ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
    item.description = changeLetter(leaf.change.kind);
    item.tooltip = `${leaf.path} · ${changeWord(leaf.change.kind)}`;
    item.accessibilityInformation = { label: `${leaf.name}, ${changeWord(leaf.change.kind)}` };
    item.contextValue = "preview:leaf";
    item.command = {
      command: "checkpoint.preview.openChange",
      title: vscode.l10n.t("Show Change"),
      arguments: [leaf.change],
    };
  }

  private describe(): void {
    if (!this.shown) return;
    const { checkpoint, selection } = this.shown;
    this.view.description = checkpointTitle(checkpoint);
    this.view.message = vscode.l10n.t("A safety checkpoint is made first; a restore can be undone.");
    void vscode.commands.executeCommand("setContext", EMPTY_CONTEXT, selection.selected.length === 0);
  }
}

function kindOf(node: SelectableNode): RestoreGroup["kind"] | undefined {
  return node.type === "group" ? node.group.kind : groupOfNode(node);
}

function nodesOf(node: SelectableNode): readonly ChangeNode[] {
  return node.type === "group" ? node.group.nodes : [node];
}

function nameOf(node: SelectableNode): string {
  if (node.type !== "group") return node.name;
  switch (node.group.kind) {
    case "changed":
      return vscode.l10n.t("Changed");
    case "added":
      return vscode.l10n.t("Brought back");
    case "removed":
      return vscode.l10n.t("Also remove what was created since");
  }
}
