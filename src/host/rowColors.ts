/** Colors rows of changed files as source control does: added, modified and deleted ones tell apart at a glance. */
import * as vscode from "vscode";
import { ROW_SCHEME } from "./checkpointUris";

/** Contributed by VS Code's Git extension; without it rows keep the color of the text. The letter says the same. */
const COLORS: Readonly<Record<string, string>> = {
  added: "gitDecoration.addedResourceForeground",
  changed: "gitDecoration.modifiedResourceForeground",
  typeChanged: "gitDecoration.modifiedResourceForeground",
  removed: "gitDecoration.deletedResourceForeground",
};

/** No letter as a badge: rows carry it beside the name, where a narrow view does not cut it off. */
export function registerRowColors(): vscode.Disposable {
  return vscode.window.registerFileDecorationProvider({
    provideFileDecoration(uri) {
      const color = uri.scheme === ROW_SCHEME ? COLORS[uri.query] : undefined;
      return color === undefined
        ? undefined
        : new vscode.FileDecoration(undefined, undefined, new vscode.ThemeColor(color));
    },
  });
}
