/** Every command of the extension: what it is called on, and who does it. */
import * as vscode from "vscode";
import type { Change } from "../shared/changes";
import { Disposable } from "../shared/disposable";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { type ChangeNode, MoreNode, type VersionNode } from "./checkpointNodes";
import { pickCheckpoint } from "./checkpointPicker";
import type { CheckpointTree } from "./checkpointTree";
import { activeUri, type CommandTargets, type PathTarget } from "./commandTargets";
import type { Compare } from "./compareCommands";
import type { CoverageReport } from "./coverageReport";
import type { ErrorMessages } from "./errorMessages";
import type { FileHistoryView } from "./fileHistoryView";
import type { FolderCheckpoints } from "./folderCheckpoints";
import { type InterruptedRestores, pickRecovery, type RecoveryRequest } from "./interruptedRestores";
import type { ManageCommands } from "./manageCommands";
import type { PurgeCommand } from "./purgeCommand";
import type { RestoreCommands } from "./restoreCommands";
import type { RestorePreview } from "./restorePreview";
import type { SaveCommand } from "./saveCommand";
import { showStatusMenu } from "./statusBar";
import type { StorageCommands } from "./storageCommands";
import { LargePathNode, StoreNode } from "./storageNodes";
import type { StorageView } from "./storageView";
import { pickVersion } from "./versionPicker";
import { Root, type WorkspaceFolders } from "./workspaceFolders";

interface CommandServices {
  readonly folders: WorkspaceFolders;
  readonly catalog: CheckpointCatalog;
  readonly targets: CommandTargets;
  readonly tree: CheckpointTree;
  readonly preview: RestorePreview;
  readonly fileHistory: FileHistoryView;
  readonly saving: SaveCommand;
  readonly restoring: RestoreCommands;
  readonly interrupted: InterruptedRestores;
  readonly compare: Compare;
  readonly managing: ManageCommands;
  readonly storage: StorageCommands;
  readonly storageView: StorageView;
  readonly coverage: CoverageReport;
  readonly purging: PurgeCommand;
  readonly errors: ErrorMessages;
  readonly log: vscode.LogOutputChannel;
  readonly onDidSaveByHand: () => void;
}

type Args = readonly unknown[];

export class Commands extends Disposable {
  constructor(private readonly services: CommandServices) {
    super();
    const handlers: Readonly<Record<string, (args: Args) => unknown>> = {
      save: () => this.save(() => services.saving.saveByHand()),
      saveAs: () => this.save(() => services.saving.saveAs()),
      restore: (args) => this.restore(args),
      restoreFile: (args) => this.restorePath(args),
      restoreFolder: (args) => this.restorePath(args),
      restoreDeleted: (args) => this.restorePath(args),
      undoRestore: (args) => this.reverse(args, "undo"),
      redoRestore: (args) => this.reverse(args, "redo"),
      recoverRestore: (args) => this.recover(args),
      compareFile: (args) => this.comparePath(args),
      compareFolder: (args) => this.comparePath(args),
      compareWorkspace: (args) => this.compareWorkspace(args),
      compareTwo: (args) => this.compareTwo(args),
      rename: (args) => this.rename(args),
      pin: (args) => this.pin(args, true),
      unpin: (args) => this.pin(args, false),
      delete: (args) => this.delete(args),
      // Keys of the tree. On rows that are no checkpoint they do nothing, instead of asking for one.
      renameSelected: () => {
        const [target] = services.targets.selectedCheckpoints();
        return target && services.managing.rename(target);
      },
      deleteSelected: () => {
        const selected = services.targets.selectedCheckpoints();
        return selected.length > 0 ? services.managing.delete(selected) : undefined;
      },
      repair: (args) => this.withRoot(args, vscode.l10n.t("Repair Store"), (root) => services.managing.repair(root)),
      verify: (args) => this.withRoot(args, vscode.l10n.t("Verify Store"), (root) => services.managing.verify(root)),
      openStorage: (args) =>
        this.withRoot(args, vscode.l10n.t("Open Storage…"), (root) => services.managing.openStorage(root)),
      cleanUp: (args) => this.withRoot(args, vscode.l10n.t("Clean Up…"), (root) => services.storage.cleanUp(root)),
      "storage.refresh": () => services.storageView.refresh(),
      "storage.exclude": ([node]) => node instanceof LargePathNode && services.storage.exclude(node),
      "storage.deleteStore": ([node]) => node instanceof StoreNode && services.storage.deleteStore(node),
      showCoverage: (args) =>
        this.withRoot(args, vscode.l10n.t("Show What Is Saved…"), (root) => services.coverage.show(root)),
      purgePath: (args) => this.purgePath(args),
      showOutput: () => services.log.show(),
      showFileHistory: (args) => this.withPath(args, (target) => services.fileHistory.show(target)),
      showFolderHistory: (args) => this.withPath(args, (target) => services.fileHistory.show(target)),
      showMenu: () => this.showMenu(),
      refresh: () => Promise.all(services.folders.all.map((root) => services.catalog.refresh(root))),
      loadMore: ([node]) => node instanceof MoreNode && node.loadMore(),
      openChange: ([node]) => this.openChange(node as ChangeNode),
      openVersion: ([node]) => this.openVersion(node as VersionNode),
      openFile: ([node]) => this.openFile(node as PathTarget),
      "preview.restore": () =>
        this.withPreview((open) => services.restoring.apply(open.root, open.checkpoint, open.selection)),
      "preview.compareAll": () =>
        this.withPreview((open) =>
          services.compare.restoreChanges(open.root, open.checkpoint, open.selection.changes, open.selection.selected),
        ),
      "preview.cancel": () => services.preview.close(),
      "preview.openChange": ([change]) =>
        this.withPreview((open) => services.compare.restoreChange(open.root, open.checkpoint, change as Change)),
    };
    for (const [name, handler] of Object.entries(handlers))
      this.register(
        vscode.commands.registerCommand(`checkpoint.${name}`, async (...args: unknown[]) => {
          try {
            return await handler(args);
          } catch (error) {
            // Not awaited: a command is over when its work is, not when somebody has read the message.
            void services.errors.show(error);
            return undefined;
          }
        }),
      );
  }

  private async save(work: () => Promise<readonly unknown[]>): Promise<readonly unknown[]> {
    const results = await work();
    if (results.length > 0) this.services.onDidSaveByHand();
    return results;
  }

  private async restore(args: Args): Promise<void> {
    const title = vscode.l10n.t("Restore Which Checkpoint?");
    const target = await this.services.targets.checkpoint(args, { title });
    if (target) await this.services.restoring.start(target.root, target.checkpoint);
  }

  /** Of a file or a folder: the commands differ in what menus call them. */
  private async restorePath(args: Args): Promise<void> {
    const several = this.services.targets.severalPaths(args);
    if (several) {
      const title = vscode.l10n.t("Restore from Which Checkpoint?");
      const checkpoint = await pickCheckpoint(this.services.catalog, several.root, { title });
      if (checkpoint) await this.services.restoring.start(several.root, checkpoint, several.paths);
      return;
    }
    const target = await this.services.targets.path(args);
    if (!target) return;
    const { root, path } = target;
    const version = (args[0] as Partial<VersionNode> | undefined)?.version;
    const change = (args[0] as Partial<ChangeNode> | undefined)?.change;
    let { checkpoint } = target;
    // On an entry that says "removed" people want the file, not its absence: the version before.
    if (version?.kind === "removed") checkpoint = (args[0] as VersionNode).older?.checkpoint;
    else if (change?.kind === "removed")
      checkpoint = this.services.catalog.find(root, target.checkpoint?.parentId ?? null);
    checkpoint ??= await pickVersion(root, path, vscode.l10n.t("Restore Which Version of {0}?", path || root.name));
    if (checkpoint) await this.services.restoring.start(root, checkpoint, [path]);
  }

  private async reverse(args: Args, direction: "undo" | "redo"): Promise<void> {
    const { folders, catalog, restoring } = this.services;
    const given = (args[0] as { readonly root?: unknown } | undefined)?.root;
    let root = given instanceof Root ? given : undefined;
    if (!root) {
      const able: Root[] = [];
      for (const candidate of folders.all)
        if ((await catalog.refresh(candidate)).undo[direction] !== null) able.push(candidate);
      const title = direction === "undo" ? vscode.l10n.t("Undo Last Restore") : vscode.l10n.t("Redo Restore");
      root = able.length === 1 ? able[0] : await folders.pick(title);
    }
    if (root) await restoring.reverse(root, direction);
  }

  private async recover(args: Args): Promise<void> {
    const given = args[0] as Partial<RecoveryRequest> | undefined;
    if (given?.root instanceof Root && given.how) return this.services.restoring.recover(given.root, given.how);
    const { folders, interrupted, restoring } = this.services;
    await Promise.all(folders.all.map((each) => interrupted.check(each)));
    // One after the other: each is a decision of its own.
    const [root] = interrupted.roots;
    if (!root) {
      void vscode.window.showInformationMessage(vscode.l10n.t("No restore was interrupted."));
      return;
    }
    const how = await pickRecovery(interrupted.sentence ?? root.name);
    if (how) await restoring.recover(root, how);
  }

  private async comparePath(args: Args): Promise<void> {
    const target = await this.services.targets.path(args);
    if (!target) return;
    const { root, path } = target;
    const title = vscode.l10n.t("Compare with Which Version of {0}?", path || root.name);
    const checkpoint = target.checkpoint ?? (await pickVersion(root, path, title));
    if (checkpoint) await this.services.compare.fileWithNow(root, path, checkpoint);
  }

  private async compareWorkspace(args: Args): Promise<void> {
    const title = vscode.l10n.t("Compare with Which Checkpoint?");
    const target = await this.services.targets.checkpoint(args, { title });
    if (target) await this.services.compare.workspaceWith(target.root, target.checkpoint);
  }

  private async compareTwo(args: Args): Promise<void> {
    const title = vscode.l10n.t("Compare Which Checkpoint?");
    const [one, two] = await this.services.targets.checkpoints(args, { title });
    if (!one) return;
    const other =
      two?.root === one.root
        ? two.checkpoint
        : await pickCheckpoint(this.services.catalog, one.root, {
            title: vscode.l10n.t("With Which Other Checkpoint?"),
            except: [one.checkpoint.id],
          });
    if (other) await this.services.compare.twoCheckpoints(one.root, one.checkpoint, other);
  }

  private async rename(args: Args): Promise<void> {
    const title = vscode.l10n.t("Rename Which Checkpoint?");
    const [target] = await this.services.targets.checkpoints(args, { title });
    if (target) await this.services.managing.rename(target);
  }

  private async pin(args: Args, pinned: boolean): Promise<void> {
    const title = pinned ? vscode.l10n.t("Pin Which Checkpoint?") : vscode.l10n.t("Unpin Which Checkpoint?");
    const where = (checkpoint: { readonly pinned: boolean }) => checkpoint.pinned !== pinned;
    await this.services.managing.pin(await this.services.targets.checkpoints(args, { title, where }), pinned);
  }

  private async delete(args: Args): Promise<void> {
    const title = vscode.l10n.t("Delete Which Checkpoint?");
    await this.services.managing.delete(await this.services.targets.checkpoints(args, { title }));
  }

  /** Of what it was called on; from the palette it asks, as what is to go is mostly not what is open. */
  private async purgePath(args: Args): Promise<void> {
    const { targets, purging } = this.services;
    const several = targets.severalPaths(args);
    if (several) return purging.purge(several.root, several.paths);
    if (args[0] !== undefined) return this.withPath(args, ({ root, path }) => purging.purge(root, [path]));
    const uri = activeUri();
    const open = uri && (await targets.pathOfUri(uri));
    const ask = (root: Root) => purging.ask(root, open?.root === root ? open.path : undefined);
    await this.withRoot(args, vscode.l10n.t("Purge Path from All Checkpoints…"), ask);
  }

  private async openChange(node: ChangeNode): Promise<void> {
    await this.services.compare.openChange(node.root, node.checkpoint, node.change);
  }

  private async openVersion(node: VersionNode): Promise<void> {
    await this.services.compare.openVersion(node.root, node.path, node.version, node.older);
  }

  private async openFile({ root, path }: PathTarget): Promise<void> {
    await vscode.commands.executeCommand("vscode.open", root.uriOf(path));
  }

  private async showMenu(): Promise<void> {
    const { folders, catalog, errors } = this.services;
    let known: readonly FolderCheckpoints[] = [];
    try {
      known = await Promise.all(folders.all.map((root) => catalog.get(root)));
    } catch (error) {
      // The menu also leads to the output channel and the storage, which is where the cause is found.
      errors.record(error);
    }
    await showStatusMenu({
      isInterrupted: this.services.interrupted.roots.length > 0,
      hasCheckpoints: known.some(({ checkpoints }) => checkpoints.length > 0),
      canUndo: known.some(({ undo }) => undo.undo !== null),
      canRedo: known.some(({ undo }) => undo.redo !== null),
      hasFile: activeUri() !== undefined,
    });
  }

  private async withRoot(args: Args, title: string, work: (root: Root) => Promise<void>): Promise<void> {
    const given = (args[0] as { readonly root?: unknown } | undefined)?.root;
    const root = given instanceof Root ? given : await this.services.folders.pick(title);
    if (root) await work(root);
  }

  private async withPath(args: Args, work: (target: PathTarget) => Promise<void>): Promise<void> {
    const target = await this.services.targets.path(args);
    if (target) await work(target);
  }

  private async withPreview(work: (open: NonNullable<RestorePreview["current"]>) => Promise<void>): Promise<void> {
    const open = this.services.preview.current;
    if (open) await work(open);
  }
}
