/** Editors with changes that are not on disk, which is all the engine sees. */
import * as vscode from "vscode";
import { CheckpointError } from "../shared/errors";
import { MAX_UNSAVED_BYTES, type Skipped, type UnsavedFile } from "../shared/saves";
import type { Root } from "./workspaceFolders";

/** A file of the folder whose editor's text is not on disk. */
export interface UnsavedDocument {
  readonly path: string;
  readonly document: vscode.TextDocument;
}

export function unsavedDocuments(root: Root): UnsavedDocument[] {
  return vscode.workspace.textDocuments
    .filter((document) => document.isDirty)
    .flatMap((document) => inFolder(root, document.uri).map((path) => ({ path, document })));
}

/**
 * Files of the folder that are changed in a notebook or a custom editor: these give nobody their content. A custom
 * editor of texts does, as it edits a document like any other: its file is among `unsavedDocuments`.
 */
export function unreadableUnsaved(root: Root): string[] {
  const readable = new Set(unsavedDocuments(root).map(({ path }) => path));
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => tab.isDirty);
  const uris = tabs.flatMap(({ input }) =>
    input instanceof vscode.TabInputCustom || input instanceof vscode.TabInputNotebook ? [input.uri] : [],
  );
  return [...new Set(uris.flatMap((uri) => inFolder(root, uri)))].filter((path) => !readable.has(path));
}

export function hasUntitled(): boolean {
  return vscode.workspace.textDocuments.some((document) => document.isDirty && document.isUntitled);
}

function inFolder(root: Root, uri: vscode.Uri): string[] {
  const path = root.pathOf(uri);
  return path === undefined || path === "" ? [] : [path];
}

export interface EncodedTexts {
  readonly files: readonly (UnsavedDocument & UnsavedFile & { readonly version: number })[];
  /** Those that are not among them, and why. */
  readonly refused: readonly Skipped[];
}

/** The bytes that saving each editor would write: in its encoding, with its line ends and byte order mark. */
export async function encodeTexts(documents: readonly UnsavedDocument[]): Promise<EncodedTexts> {
  const files: EncodedTexts["files"][number][] = [];
  const refused: Skipped[] = [];
  let left = MAX_UNSAVED_BYTES;
  for (const { path, document } of documents) {
    const text = document.getText();
    const { version, encoding } = document;
    // No text that people write takes fewer bytes than UTF-16 units: what is longer need not be encoded.
    if (text.length > left) {
      refused.push({ path, reason: "unsaved", message: tooMuch() });
      continue;
    }
    try {
      const content = await vscode.workspace.encode(text, { encoding });
      if (content.length > left) refused.push({ path, reason: "unsaved", message: tooMuch() });
      else {
        files.push({ path, document, version, content });
        left -= content.length;
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = vscode.l10n.t("its unsaved text cannot be written as {0} ({1})", encoding, why);
      refused.push({ path, reason: "unsaved", message });
    }
  }
  return { files, refused };
}

function tooMuch(): string {
  return vscode.l10n.t("there are more than {0} MB of unsaved texts", MAX_UNSAVED_BYTES / 1024 ** 2);
}

/** Writes files from their editors, of whatever kind. Rejects with "io" when one could not be written. */
export async function saveEditors(root: Root, paths: readonly string[]): Promise<void> {
  for (const path of paths)
    if ((await vscode.workspace.save(root.uriOf(path))) === undefined)
      throw new CheckpointError(
        "io",
        vscode.l10n.t("{0} could not be saved, so nothing else was done. Save or revert it and try again.", path),
      );
}
