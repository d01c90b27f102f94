/** Composes the extension. Nothing here starts the engine: its worker comes with the first call. */
import * as vscode from "vscode";
import { Activity } from "./host/activity";
import { AutoSave } from "./host/autoSave";
import { ChangedPaths } from "./host/changedPaths";
import { CheckpointCatalog } from "./host/checkpointCatalog";
import { CheckpointFileSystem } from "./host/checkpointFileSystem";
import { CheckpointTree } from "./host/checkpointTree";
import { CHECKPOINT_SCHEME } from "./host/checkpointUris";
import { Commands } from "./host/commands";
import { CommandTargets } from "./host/commandTargets";
import { Compare } from "./host/compareCommands";
import { CoverageReport } from "./host/coverageReport";
import { EngineClient } from "./host/engineClient";
import { ErrorMessages } from "./host/errorMessages";
import { FileHistoryView } from "./host/fileHistoryView";
import { InterruptedRestores } from "./host/interruptedRestores";
import { ManageCommands } from "./host/manageCommands";
import { PurgeCommand } from "./host/purgeCommand";
import { RestoreCommands } from "./host/restoreCommands";
import { RestorePreview } from "./host/restorePreview";
import { Retention } from "./host/retention";
import { registerRowColors } from "./host/rowColors";
import { SaveCommand } from "./host/saveCommand";
import { Settings } from "./host/settings";
import { StatusBar } from "./host/statusBar";
import { StorageCommands } from "./host/storageCommands";
import { StorageView } from "./host/storageView";
import { showStoreToTerminals } from "./host/terminalStore";
import { registerTimeline } from "./host/timelineProvider";
import { WideFolders } from "./host/wideFolders";
import { WorkspaceFolders } from "./host/workspaceFolders";

export function activate(context: vscode.ExtensionContext): void {
  const own = <T extends vscode.Disposable>(item: T): T => {
    context.subscriptions.push(item);
    return item;
  };
  const log = own(vscode.window.createOutputChannel("Checkpoint", { log: true }));
  const errors = new ErrorMessages(log);
  const settings = new Settings(context.globalStorageUri.fsPath);
  const client = own(
    new EngineClient({
      script: context.asAbsolutePath("dist/worker.js"),
      onDeath: ({ deaths, givenUp, reason, error }) => {
        log.error(`The engine stopped (${deaths}${givenUp ? ", switched off" : ""}): ${reason}`);
        void errors.show(error);
      },
      onNotice: (message) => log.warn(message),
    }),
  );
  const folders = own(new WorkspaceFolders(client, settings));
  const catalog = own(new CheckpointCatalog(folders, context.workspaceState, errors));
  const activity = own(new Activity());
  const changedPaths = own(new ChangedPaths(folders, settings));

  const tree = own(new CheckpointTree(folders, catalog, errors));
  const targets = new CommandTargets(folders, catalog, () => tree.view.selection);
  const preview = own(new RestorePreview());
  const fileHistory = own(new FileHistoryView(targets, catalog, errors));
  own(
    vscode.workspace.registerFileSystemProvider(CHECKPOINT_SCHEME, new CheckpointFileSystem(folders, catalog), {
      isCaseSensitive: true,
      isReadonly: new vscode.MarkdownString(vscode.l10n.t("Saved in a checkpoint; cannot be changed.")),
    }),
  );
  const storageView = own(new StorageView(folders, catalog, errors));
  own(registerRowColors());
  own(showStoreToTerminals(context.environmentVariableCollection, settings));
  own(registerTimeline(context.extension, targets, catalog, errors, log));

  const compare = new Compare(catalog, activity);
  const interrupted = own(new InterruptedRestores(folders, catalog, context.workspaceState, errors));
  const wide = own(new WideFolders(folders, catalog, activity, context.globalState, errors, settings));
  const saving = new SaveCommand(folders, catalog, activity, changedPaths, wide, settings, log);
  const restoring = new RestoreCommands(catalog, activity, settings, preview, interrupted, errors, log);
  const managing = new ManageCommands(catalog, activity, log);
  const autoSave = own(new AutoSave(folders, wide, saving, changedPaths, activity, settings, errors));
  own(new Retention(folders, catalog, activity, settings, autoSave, log, context.globalState));
  const storage = new StorageCommands(folders, catalog, storageView, activity, settings, log);
  own(new StatusBar(folders, catalog, activity, autoSave, interrupted));
  own(
    new Commands({
      folders,
      catalog,
      targets,
      tree,
      preview,
      fileHistory,
      saving,
      restoring,
      interrupted,
      compare,
      managing,
      storage,
      storageView,
      coverage: own(new CoverageReport(activity)),
      purging: new PurgeCommand(catalog, activity, log),
      errors,
      log,
      onDidSaveByHand: () => autoSave.noteSave(),
    }),
  );
}

/** Everything is let go of through the context's subscriptions; the store is whole at any moment. */
export function deactivate(): void {}
