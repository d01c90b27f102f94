/** How the nodes of the checkpoint tree look and read. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import {
  ChangeNode,
  type CheckpointNode,
  type CheckpointTreeNode,
  DayNode,
  FolderNode,
  MoreNode,
  NotListedNode,
  RootNode,
} from "./checkpointNodes";
import { iconUri } from "./checkpointUris";
import {
  changeCounts,
  changeCountsSpoken,
  changeLetter,
  changeWord,
  checkpointLabel,
  clockTime,
  dateAndTime,
  dayLabel,
  fileCount,
  fileSize,
  joined,
  kindWord,
  reasonWords,
  wholeNumber,
} from "./wording";

/** Today's and yesterday's groups start open. */
const OPEN_DAYS_MS = 48 * 60 * 60_000;

export function checkpointTreeItem(node: CheckpointTreeNode, now: number): vscode.TreeItem {
  if (node instanceof RootNode) return rootItem(node);
  if (node instanceof DayNode) return dayItem(node, now);
  if (node instanceof FolderNode) return folderItem(node);
  if (node instanceof ChangeNode) return changeItem(node);
  if (node instanceof MoreNode) return moreItem(node);
  if (node instanceof NotListedNode) return notListedItem(node);
  return checkpointItem(node);
}

function rootItem({ root }: RootNode): vscode.TreeItem {
  const item = new vscode.TreeItem(root.name, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `root:${root.key}`;
  item.iconPath = vscode.ThemeIcon.Folder;
  item.contextValue = "root";
  return item;
}

function dayItem(node: DayNode, now: number): vscode.TreeItem {
  const { Expanded, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(dayLabel(node.day, now), now - node.day < OPEN_DAYS_MS ? Expanded : Collapsed);
  item.id = `day:${node.root.key}:${node.day}`;
  item.description = String(node.checkpoints.length);
  item.contextValue = "day";
  return item;
}

function checkpointItem({ root, checkpoint }: CheckpointNode): vscode.TreeItem {
  const item = new vscode.TreeItem(checkpointLabel(checkpoint), vscode.TreeItemCollapsibleState.Collapsed);
  const named = checkpoint.name === null ? [] : [clockTime(checkpoint.createdAt), `#${checkpoint.number}`];
  item.id = `checkpoint:${root.key}:${checkpoint.id}`;
  item.description = joined(...named, changeCounts(checkpoint), kindWord(checkpoint.kind));
  item.iconPath = checkpointIcon(checkpoint);
  item.contextValue = `checkpoint:${checkpoint.kind}:${checkpoint.pinned ? "pinned" : "unpinned"}`;
  item.accessibilityInformation = {
    label: [
      vscode.l10n.t("Checkpoint {0}", checkpoint.number),
      checkpoint.name ?? "",
      dateAndTime(checkpoint.createdAt),
      changeCountsSpoken(checkpoint),
      reasonWords(checkpoint),
      checkpoint.pinned ? vscode.l10n.t("pinned") : "",
    ]
      .filter((part) => part !== "")
      .join(", "),
  };
  return item;
}

export function checkpointIcon(checkpoint: Checkpoint): vscode.ThemeIcon {
  if (checkpoint.pinned) return new vscode.ThemeIcon("pinned");
  switch (checkpoint.kind) {
    case "manual":
      return new vscode.ThemeIcon("bookmark");
    case "auto":
      return new vscode.ThemeIcon("watch");
    case "safety":
      return new vscode.ThemeIcon("shield");
    case "import":
      return new vscode.ThemeIcon("cloud-download");
  }
}

/** Everything known about a checkpoint; made only when the pointer rests on it. */
export function checkpointTooltip(checkpoint: Checkpoint): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.appendMarkdown("**");
  text.appendText(checkpoint.name ?? vscode.l10n.t("Checkpoint {0}", checkpoint.number));
  text.appendMarkdown("**\n\n");
  const lines = [
    `#${checkpoint.number} · ${dateAndTime(checkpoint.createdAt)}`,
    reasonWords(checkpoint),
    changeCountsSpoken(checkpoint),
    vscode.l10n.t("{0}, {1} in total", fileCount(checkpoint.files), fileSize(checkpoint.bytes)),
    vscode.l10n.t("{0} of new content", fileSize(checkpoint.newBytes)),
  ];
  if (checkpoint.skipped > 0)
    lines.push(vscode.l10n.t("{0} skipped (see the output channel)", fileCount(checkpoint.skipped)));
  if (checkpoint.branch !== null)
    lines.push(vscode.l10n.t("Branch {0} at {1}", checkpoint.branch, (checkpoint.head ?? "").slice(0, 8)));
  if (checkpoint.pinned) lines.push(vscode.l10n.t("Pinned: asked about twice before it is deleted"));
  if (checkpoint.note !== null) lines.push(checkpoint.note);
  for (const line of lines.filter((words) => words !== "")) {
    text.appendText(line);
    text.appendMarkdown("\n\n");
  }
  return text;
}

function folderItem({ root, checkpoint, folder, isOpen }: FolderNode): vscode.TreeItem {
  const { Expanded, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(folder.name, isOpen ? Expanded : Collapsed);
  item.id = `folder:${root.key}:${checkpoint.id}:${folder.path}`;
  item.resourceUri = iconUri(folder.path);
  item.iconPath = vscode.ThemeIcon.Folder;
  item.description = wholeNumber(folder.count);
  item.tooltip = folder.path;
  item.contextValue = "folder";
  return item;
}

function changeItem(node: ChangeNode): vscode.TreeItem {
  const { root, checkpoint, change } = node;
  const item = new vscode.TreeItem(node.name, vscode.TreeItemCollapsibleState.None);
  const isFolder = change.path.endsWith("/");
  item.id = `change:${root.key}:${checkpoint.id}:${change.path}`;
  item.resourceUri = iconUri(node.path, change.kind);
  item.iconPath = isFolder ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
  item.description = changeLetter(change.kind);
  item.tooltip = `${change.path} · ${changeWord(change.kind)}`;
  item.contextValue = isFolder ? "emptyFolder" : `change:${change.kind}`;
  item.accessibilityInformation = { label: `${node.name}, ${changeWord(change.kind)}` };
  if (!isFolder)
    item.command = { command: "checkpoint.openChange", title: vscode.l10n.t("Show Change"), arguments: [node] };
  return item;
}

function notListedItem(node: NotListedNode): vscode.TreeItem {
  const item = new vscode.TreeItem(
    vscode.l10n.t("{0} not listed", fileCount(node.count)),
    vscode.TreeItemCollapsibleState.None,
  );
  item.id = node.id;
  item.iconPath = new vscode.ThemeIcon("info");
  item.tooltip = vscode.l10n.t("Compare a folder from the Explorer to see what it holds.");
  item.contextValue = "notListed";
  return item;
}

export function moreItem(node: MoreNode): vscode.TreeItem {
  const item = new vscode.TreeItem(
    vscode.l10n.t("{0} more…", wholeNumber(node.remaining)),
    vscode.TreeItemCollapsibleState.None,
  );
  item.id = node.id;
  item.iconPath = new vscode.ThemeIcon("ellipsis");
  item.command = { command: "checkpoint.loadMore", title: vscode.l10n.t("Load More"), arguments: [node] };
  item.contextValue = "more";
  return item;
}
