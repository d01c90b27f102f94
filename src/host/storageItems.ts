/** How the rows of the "Storage" view look and read. */
import * as vscode from "vscode";
import type { StoreSummary } from "../shared/retention";
import { excludePattern } from "./excludePattern";
import {
  AllStoresNode,
  FigureNode,
  LargePathNode,
  LargestNode,
  type StorageNode,
  type StoreNode,
  WorkspaceStoreNode,
} from "./storageNodes";
import { dateAndTime, fileSize, joined, relativeTime, wholeNumber } from "./wording";

const { Collapsed, None } = vscode.TreeItemCollapsibleState;

export function storageTreeItem(node: StorageNode, now: number): vscode.TreeItem {
  if (node instanceof WorkspaceStoreNode) return workspaceItem(node);
  if (node instanceof FigureNode) return figureItem(node);
  if (node instanceof LargestNode) return largestItem(node);
  if (node instanceof LargePathNode) return pathItem(node);
  return node instanceof AllStoresNode ? allStoresItem(node) : storeItem(node, now);
}

/** The rows below a workspace folder's store. */
export function storeFigures({ root, stats }: WorkspaceStoreNode, now: number): FigureNode[] {
  const figure = (name: string, label: string, value: string, icon: string) =>
    new FigureNode(label, value, icon, `storage:${name}:${root.key}`);
  const { checkpoints, oldest } = stats;
  return [
    figure("content", vscode.l10n.t("Files' contents"), fileSize(stats.packBytes), "file-binary"),
    figure("trees", vscode.l10n.t("Folder listings"), fileSize(stats.treeBytes), "list-tree"),
    figure("catalog", vscode.l10n.t("Catalog"), fileSize(stats.catalogBytes), "book"),
    figure("index", vscode.l10n.t("Index (can be made anew)"), fileSize(stats.indexBytes), "search"),
    figure("count", vscode.l10n.t("Checkpoints"), wholeNumber(checkpoints), "bookmark"),
    ...(oldest === null
      ? []
      : [figure("oldest", vscode.l10n.t("Oldest checkpoint"), relativeTime(oldest, now), "history")]),
  ];
}

function row(
  label: string,
  description: string,
  icon: string,
  state: vscode.TreeItemCollapsibleState = None,
): vscode.TreeItem {
  const item = new vscode.TreeItem(label, state);
  item.description = description;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.accessibilityInformation = { label: [label, description].filter((part) => part !== "").join(", ") };
  return item;
}

function workspaceItem({ root, stats }: WorkspaceStoreNode): vscode.TreeItem {
  const item = row(root.name, fileSize(stats.totalBytes), "database", Collapsed);
  item.id = `storage:workspace:${root.key}`;
  item.tooltip = stats.folder;
  item.contextValue = "storage:workspace";
  return item;
}

function figureItem({ label, value, icon, id }: FigureNode): vscode.TreeItem {
  const item = row(label, value, icon);
  item.id = id;
  return item;
}

function largestItem({ root, hasSeveralRoots }: LargestNode): vscode.TreeItem {
  const item = row(vscode.l10n.t("Largest in the checkpoints"), hasSeveralRoots ? root.name : "", "graph", Collapsed);
  item.id = `storage:largest:${root.key}`;
  item.tooltip = vscode.l10n.t(
    "What the different versions of each file take in all checkpoints together. Counted when you open this.",
  );
  return item;
}

function pathItem({ root, usage }: LargePathNode): vscode.TreeItem {
  const { path, bytes, versions } = usage;
  const slash = path.lastIndexOf("/");
  const size = fileSize(bytes);
  const count = versions === 1 ? vscode.l10n.t("1 version") : vscode.l10n.t("{0} versions", wholeNumber(versions));
  const item = row(path.slice(slash + 1), joined(size, count, path.slice(0, Math.max(0, slash))), "file");
  item.id = `storage:path:${root.key}:${path}`;
  item.resourceUri = root.uriOf(path);
  item.iconPath = vscode.ThemeIcon.File;
  item.tooltip = path;
  item.contextValue = excludePattern(path) === undefined ? "storage:oddPath" : "storage:path";
  item.accessibilityInformation = { label: [path, size, count].join(", ") };
  return item;
}

function allStoresItem({ stores, freeDiskBytes }: AllStoresNode): vscode.TreeItem {
  const total = fileSize(stores.reduce((sum, { bytes }) => sum + bytes, 0));
  const free = freeDiskBytes === null ? "" : vscode.l10n.t("{0} free on the disk", fileSize(freeDiskBytes));
  const item = row(vscode.l10n.t("All stores"), joined(total, free), "server", Collapsed);
  item.id = "storage:all";
  return item;
}

function storeItem({ summary }: StoreNode, now: number): vscode.TreeItem {
  const { id, folder, workspace, changedAt, bytes } = summary;
  const where = workspace ?? vscode.l10n.t("Unknown folder ({0})", id);
  const item = row(
    where.split(/[/\\]/).at(-1) || where,
    joined(fileSize(bytes), stateWords(summary), changedAt === null ? "" : relativeTime(changedAt, now)),
    summary.state === "gone" ? "warning" : summary.state === "open" ? "database" : "archive",
  );
  item.id = `storage:store:${id}`;
  item.tooltip = [where, folder, changedAt === null ? "" : dateAndTime(changedAt)]
    .filter((line) => line !== "")
    .join("\n");
  item.contextValue = `storage:store:${summary.state}`;
  item.accessibilityInformation = { label: [where, fileSize(bytes), stateWords(summary)].join(", ") };
  return item;
}

function stateWords({ state }: StoreSummary): string {
  switch (state) {
    case "open":
      return vscode.l10n.t("open here");
    case "gone":
      return vscode.l10n.t("its folder is not there");
    case "unknown":
      return vscode.l10n.t("cannot be read");
    case "other":
      return "";
  }
}
