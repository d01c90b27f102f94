import * as vscode from "vscode";

/** Long enough to be read, and gone before the next one. */
const SHOWN_MS = 6_000;

/** Says in the status bar that something is done, where a notification would be in the way. `icon` without "$()". */
export function showDone(icon: string, text: string): void {
  vscode.window.setStatusBarMessage(`$(${icon}) ${text}`, SHOWN_MS);
}
