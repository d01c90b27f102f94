/** Editors with text that is not on disk: the engine sees only the disk, so people are asked first. */
import * as vscode from "vscode";
import { CheckpointError, cancelled } from "../shared/errors";
import type { Root } from "./workspaceFolders";

/** Paths of unsaved files of `root`. */
function unsavedPaths(root: Root): string[] {
  return vscode.workspace.textDocuments
    .filter((document) => document.isDirty && document.uri.scheme === "file")
    .map((document) => root.pathOf(document.uri))
    .filter((path): path is string => path !== undefined && path !== "");
}

/**
 * Offers to write unsaved files of the folders first; `question` says why that matters. Resolves with whether there was
 * anything to ask. Rejects with "cancelled" when the user backs out, and with "io" when a file could not be written.
 */
export async function offerToSave(roots: readonly Root[], question: string): Promise<boolean> {
  const unsaved = roots.flatMap((root) => unsavedPaths(root).map((path) => ({ root, path })));
  if (unsaved.length === 0) return false;
  const saveFirst = vscode.l10n.t("Save Files First");
  const without = vscode.l10n.t("Continue Without");
  const picked = await vscode.window.showWarningMessage(
    question,
    { modal: true, detail: fileNames(unsaved.map(({ path }) => path)) },
    saveFirst,
    without,
  );
  if (picked === undefined) throw cancelled();
  if (picked === saveFirst) await saveDocuments(unsaved);
  return true;
}

/**
 * Before a restore that would write or remove some files: what to do about those that have unsaved changes. Resolves
 * with the paths to leave alone. Rejects like `offerToSave`.
 */
export async function settleUnsaved(root: Root, isAffected: (path: string) => boolean): Promise<readonly string[]> {
  const unsaved = unsavedPaths(root).filter(isAffected);
  if (unsaved.length === 0) return [];
  const saveFirst = vscode.l10n.t("Save Files, Then Restore");
  const leave = vscode.l10n.t("Leave These Files Alone");
  const picked = await vscode.window.showWarningMessage(
    vscode.l10n.t("The restore would replace files that have unsaved changes."),
    {
      modal: true,
      detail: vscode.l10n.t(
        "{0}\n\nSaved first, their text goes into the safety checkpoint, and Undo brings it back.",
        fileNames(unsaved),
      ),
    },
    saveFirst,
    leave,
  );
  if (picked === undefined) throw cancelled();
  if (picked === leave) return unsaved;
  await saveDocuments(unsaved.map((path) => ({ root, path })));
  return [];
}

async function saveDocuments(files: readonly { readonly root: Root; readonly path: string }[]): Promise<void> {
  for (const { root, path } of files) {
    const uri = root.uriOf(path).toString();
    const document = vscode.workspace.textDocuments.find((candidate) => candidate.uri.toString() === uri);
    if (document?.isDirty && !(await document.save()))
      throw new CheckpointError(
        "io",
        vscode.l10n.t("{0} could not be saved, so nothing else was done. Save or revert it and try again.", path),
      );
  }
}

/** The first few, and how many more. */
function fileNames(paths: readonly string[]): string {
  const SHOWN = 10;
  const shown = paths.slice(0, SHOWN).join("\n");
  return paths.length <= SHOWN ? shown : vscode.l10n.t("{0}\nand {1} more", shown, paths.length - SHOWN);
}
