/** Lets people pick a checkpoint by number, name or age. */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointIcon } from "./checkpointItems";
import { changeCounts, dateAndTime, dayLabel, joined, reasonWords, relativeTime, startOfDay } from "./wording";
import type { Root } from "./workspaceFolders";

interface CheckpointPick extends vscode.QuickPickItem {
  readonly checkpoint?: Checkpoint;
}

export interface PickOptions {
  readonly title: string;
  readonly placeHolder?: string;
  /** Leaves these out. */
  readonly except?: readonly string[];
  /** Only those for which this holds. */
  readonly where?: (checkpoint: Checkpoint) => boolean;
}

/** Undefined when there is none (said) or the user backs out. */
export async function pickCheckpoint(
  catalog: CheckpointCatalog,
  root: Root,
  options: PickOptions,
): Promise<Checkpoint | undefined> {
  const { checkpoints } = await catalog.get(root);
  const offered = checkpoints.filter(
    (checkpoint) => !options.except?.includes(checkpoint.id) && (options.where?.(checkpoint) ?? true),
  );
  if (offered.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There is no such checkpoint yet. "Checkpoint: Save" makes one.'),
    );
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(pickItems(offered), {
    title: options.title,
    placeHolder: options.placeHolder ?? vscode.l10n.t("Type a number, a name or a date"),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.checkpoint;
}

function pickItems(checkpoints: readonly Checkpoint[]): CheckpointPick[] {
  const now = Date.now();
  const items: CheckpointPick[] = [];
  let day: number | undefined;
  for (const [index, checkpoint] of checkpoints.entries()) {
    const ofDay = startOfDay(checkpoint.createdAt);
    if (ofDay !== day) items.push({ label: dayLabel(ofDay, now), kind: vscode.QuickPickItemKind.Separator });
    day = ofDay;
    const words = [
      index === 0 ? vscode.l10n.t("newest") : "",
      relativeTime(checkpoint.createdAt, now),
      changeCounts(checkpoint),
    ];
    items.push({
      label: checkpoint.name === null ? `#${checkpoint.number}` : `#${checkpoint.number} ${checkpoint.name}`,
      iconPath: checkpointIcon(checkpoint),
      description: words.filter((word) => word !== "").join(" · "),
      detail: joined(dateAndTime(checkpoint.createdAt), reasonWords(checkpoint)),
      checkpoint,
    });
  }
  return items;
}
