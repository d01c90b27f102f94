/** What becomes of unsaved editors when the files under them are restored. */
import * as vscode from "vscode";
import type { ChangeTable } from "../shared/changeTable";
import { CheckpointError, cancelled } from "../shared/errors";
import type { UnsavedFile } from "../shared/saves";
import { type EncodedTexts, encodeTexts, saveEditors, unreadableUnsaved, unsavedDocuments } from "./unsavedFiles";
import type { Root } from "./workspaceFolders";

/** Named in a question; of more, how many. */
const SHOWN = 10;

/** Unsaved editors, after their user was asked. */
export interface SettledEditors {
  /** There was something to ask. */
  readonly wasAsked: boolean;
  /** To be kept in a checkpoint; undefined: none. */
  readonly unsaved: readonly UnsavedFile[] | undefined;
  /**
   * After the restore: editors of the files that it changed show these files. Resolves with those that were left as they
   * are, because they were edited meanwhile or the editor refused. Never rejects, as the restore is done: what goes wrong
   * is handed to `onFailure`.
   */
  readonly revert: (changes: ChangeTable, onFailure: (error: unknown) => void) => Promise<readonly string[]>;
}

export const NOTHING_UNSAVED: SettledEditors = { wasAsked: false, unsaved: undefined, revert: async () => [] };

/** Whether any file of the folder is changed in an editor. */
export function hasUnsaved(root: Root): boolean {
  return unsavedDocuments(root).length > 0 || unreadableUnsaved(root).length > 0;
}

/**
 * Before something that would write or remove some files: asks about those that are changed in editors, and no others.
 * Rejects with "cancelled" when the user backs out, and with "io" when a text can neither be saved nor kept.
 */
export async function settleEditors(root: Root, isAffected: (path: string) => boolean): Promise<SettledEditors> {
  const documents = unsavedDocuments(root).filter(({ path }) => isAffected(path));
  const others = unreadableUnsaved(root).filter(isAffected);
  if (documents.length + others.length === 0) return NOTHING_UNSAVED;
  const paths = [...documents.map(({ path }) => path), ...others];
  const keep = vscode.l10n.t("Keep in Checkpoint and Restore");
  const saveFirst = vscode.l10n.t("Save Them First");
  const explained =
    others.length === 0
      ? vscode.l10n.t(
          "{0}\n\nWhat you typed can go into a checkpoint of its own; the editors then show the restored files. Saved first, it is brought back by Undo.",
          fileNames(paths),
        )
      : vscode.l10n.t(
          "{0}\n\nNotebooks and custom editors do not give away what is unsaved, so these have to be saved first. Undo brings that back.",
          fileNames(paths),
        );
  const picked = await vscode.window.showWarningMessage(
    vscode.l10n.t("Files that would be restored have unsaved changes."),
    { modal: true, detail: explained },
    ...(others.length === 0 ? [keep] : []),
    saveFirst,
  );
  if (picked === undefined) throw cancelled();
  if (picked === saveFirst) {
    await saveEditors(root, paths);
    return { ...NOTHING_UNSAVED, wasAsked: true };
  }
  const texts = await encodeTexts(documents);
  const [refused] = texts.refused;
  if (refused)
    throw new CheckpointError(
      "io",
      vscode.l10n.t(
        "Nothing was restored: {0} cannot be kept in a checkpoint ({1}). Save it, then try again.",
        refused.path,
        refused.message,
      ),
    );
  return {
    wasAsked: true,
    unsaved: texts.files.map(({ path, content }) => ({ path, content })),
    revert: (changes, onFailure) => revertEditors(texts, changes, onFailure),
  };
}

/** Editors whose text is in a checkpoint show what is on disk; whoever was typing in another one goes on there. */
async function revertEditors(
  { files }: EncodedTexts,
  changes: ChangeTable,
  onFailure: (error: unknown) => void,
): Promise<readonly string[]> {
  const active = vscode.window.activeTextEditor;
  const leftDirty: string[] = [];
  let lastShown: vscode.TextDocument | undefined;
  for (const { path, document, version } of files) {
    if (changes.find(path) === undefined || document.isClosed || !document.isDirty) continue;
    try {
      if (document.version === version) {
        // The command is about the active editor: no other way leads to it.
        await vscode.window.showTextDocument(document, { viewColumn: columnOf(document), preview: false });
        lastShown = document;
        // Showing it took the focus, and time: what was typed into it since is in no checkpoint.
        if (isActive(document) && document.version === version) {
          await vscode.commands.executeCommand("workbench.action.files.revert");
          continue;
        }
      }
    } catch (error) {
      onFailure(error);
    }
    leftDirty.push(path);
  }
  // Whoever went to yet another editor meanwhile stays there.
  if (active && !active.document.isClosed && lastShown && isActive(lastShown))
    try {
      await vscode.window.showTextDocument(active.document, active.viewColumn);
    } catch (error) {
      onFailure(error);
    }
  return leftDirty;
}

function isActive(document: vscode.TextDocument): boolean {
  return vscode.window.activeTextEditor?.document === document;
}

function columnOf(document: vscode.TextDocument): vscode.ViewColumn {
  const uri = document.uri.toString();
  const group = vscode.window.tabGroups.all.find(({ tabs }) =>
    tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri),
  );
  return group?.viewColumn ?? vscode.ViewColumn.Active;
}

/** The first few, and how many more. */
function fileNames(paths: readonly string[]): string {
  const shown = paths.slice(0, SHOWN).join("\n");
  return paths.length <= SHOWN ? shown : vscode.l10n.t("{0}\nand {1} more", shown, paths.length - SHOWN);
}
