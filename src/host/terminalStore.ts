/** Lets the command line, called in an integrated terminal, find the store of this window. */
import * as vscode from "vscode";
import type { Settings } from "./settings";

/** What the command line reads when it is not told `--store`. */
const STORE_VARIABLE = "CHECKPOINT_STORE";

/** Keeps the variable at the present folder. VS Code marks terminals that were opened with another value. */
export function showStoreToTerminals(
  variables: vscode.EnvironmentVariableCollection,
  settings: Settings,
): vscode.Disposable {
  variables.description = vscode.l10n.t("Lets the checkpoint command line use the checkpoints of this window");
  const update = () => variables.replace(STORE_VARIABLE, settings.storeRoot());
  update();
  return settings.onDidChange((affects) => affects("storage.path") && update());
}
