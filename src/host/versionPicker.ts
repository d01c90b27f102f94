/** Lets people pick one of a file's versions. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import { checkpointIcon } from "./checkpointItems";
import { versionPage } from "./fileVersions";
import { changeWord, dateAndTime, fileSize, joined, reasonWords, relativeTime } from "./wording";
import type { Root } from "./workspaceFolders";

const MAX_OFFERED = 500;

/** The checkpoint that holds the picked version; undefined when there is none (said) or the user backs out. */
export async function pickVersion(root: Root, path: string, title: string): Promise<Checkpoint | undefined> {
  const { versions } = await versionPage(root, path, MAX_OFFERED);
  const now = Date.now();
  const items = versions
    .filter(({ version }) => version.state !== undefined)
    .map(({ version }, index) => {
      const { checkpoint, state } = version;
      const words = [
        index === 0 ? vscode.l10n.t("newest") : "",
        relativeTime(checkpoint.createdAt, now),
        changeWord(version.kind),
        state?.type === "file" ? fileSize(state.size) : "",
      ];
      return {
        label: checkpoint.name === null ? `#${checkpoint.number}` : `#${checkpoint.number} ${checkpoint.name}`,
        iconPath: checkpointIcon(checkpoint),
        description: words.filter((word) => word !== "").join(" · "),
        detail: joined(dateAndTime(checkpoint.createdAt), reasonWords(checkpoint)),
        checkpoint,
      };
    });
  if (items.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t("No checkpoint holds {0} yet.", path));
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: vscode.l10n.t("Type a number, a name or a date"),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.checkpoint;
}
