/**
 * What a command is about. Commands come from trees (a node, and all selected nodes), from the Explorer and editors (a
 * URI), from the timeline (an item), or from the palette (nothing); they ask for what they were not given.
 */
import * as vscode from "vscode";
import type { Checkpoint } from "../shared/checkpoints";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { CheckpointNode } from "./checkpointNodes";
import { type PickOptions, pickCheckpoint } from "./checkpointPicker";
import { parseCheckpointUri, storeIdOf } from "./checkpointUris";
import { Root, type WorkspaceFolders } from "./workspaceFolders";

export interface CheckpointTarget {
  readonly root: Root;
  readonly checkpoint: Checkpoint;
}

export interface PathTarget {
  readonly root: Root;
  readonly path: string;
  /** Given when the command was called on a certain version. */
  readonly checkpoint?: Checkpoint | undefined;
}

interface Candidate {
  readonly root?: unknown;
  readonly checkpoint?: Checkpoint;
  readonly path?: string;
}

export class CommandTargets {
  constructor(
    private readonly folders: WorkspaceFolders,
    private readonly catalog: CheckpointCatalog,
    /** The tree's selection, for commands called from the palette or by key. */
    private readonly treeSelection: () => readonly unknown[],
  ) {}

  /** The checkpoint a command was called on, or the one the user picks. */
  async checkpoint(args: readonly unknown[], options: PickOptions): Promise<CheckpointTarget | undefined> {
    const given = checkpointOf(args[0]);
    if (given) return given;
    const root = rootOf(args[0]) ?? (await this.folders.pick(options.title));
    if (!root) return undefined;
    const checkpoint = await pickCheckpoint(this.catalog, root, options);
    return checkpoint && { root, checkpoint };
  }

  /** All checkpoints a command was called on: the selection, if the clicked node is part of it. */
  async checkpoints(args: readonly unknown[], options: PickOptions): Promise<readonly CheckpointTarget[]> {
    const targets = Array.isArray(args[1])
      ? args[1].map(checkpointOf).filter((target) => target !== undefined)
      : args.length === 0
        ? this.selectedCheckpoints()
        : [];
    if (targets.length > 0) return targets;
    const one = await this.checkpoint(args, options);
    return one ? [one] : [];
  }

  /** A selected file also knows its checkpoint, but whoever deletes "the selection" then does not mean that one. */
  selectedCheckpoints(): readonly CheckpointTarget[] {
    return this.treeSelection().filter((node) => node instanceof CheckpointNode);
  }

  /** The file or folder a command was called on, or the one in the active editor. */
  async path(args: readonly unknown[]): Promise<PathTarget | undefined> {
    const given = pathOf(args[0]);
    if (given) return given;
    const uri = args[0] instanceof vscode.Uri ? args[0] : activeUri();
    const target = uri && (await this.pathOfUri(uri));
    if (!target)
      void vscode.window.showInformationMessage(
        vscode.l10n.t("Open a file of this workspace, or pick one in the Explorer, and try again."),
      );
    return target;
  }

  /** Several files or folders of one workspace folder, selected in the Explorer; undefined when it is not that. */
  severalPaths(args: readonly unknown[]): { readonly root: Root; readonly paths: readonly string[] } | undefined {
    const uris = Array.isArray(args[1]) ? args[1].filter((value) => value instanceof vscode.Uri) : [];
    const root = uris[0] && this.folders.rootOf(uris[0]);
    if (!root || uris.length < 2) return undefined;
    const paths = uris.map((uri) => root.pathOf(uri)).filter((path) => path !== undefined);
    return { root, paths };
  }

  async pathOfUri(uri: vscode.Uri): Promise<PathTarget | undefined> {
    const saved = parseCheckpointUri(uri);
    if (saved) {
      for (const root of this.folders.all) {
        const known = this.catalog.peek(root) ?? (await this.catalog.get(root));
        if (storeIdOf(known.storeFolder) !== saved.storeId) continue;
        return { root, path: root.pathOfSaved(saved), checkpoint: this.catalog.find(root, saved.checkpointId) };
      }
      return undefined;
    }
    const root = this.folders.rootOf(uri);
    const path = root?.pathOf(uri);
    return root && path !== undefined ? { root, path } : undefined;
  }
}

/** The resource of the active editor, whatever kind of editor it is; of a diff, the right side. */
export function activeUri(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (input instanceof vscode.TabInputTextDiff || input instanceof vscode.TabInputNotebookDiff) return input.modified;
  if (
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom ||
    input instanceof vscode.TabInputNotebook
  )
    return input.uri;
  return vscode.window.activeTextEditor?.document.uri;
}

function rootOf(value: unknown): Root | undefined {
  const root = (value as Candidate | undefined)?.root;
  return root instanceof Root ? root : undefined;
}

function checkpointOf(value: unknown): CheckpointTarget | undefined {
  const root = rootOf(value);
  const checkpoint = (value as Candidate | undefined)?.checkpoint;
  return root && checkpoint ? { root, checkpoint } : undefined;
}

function pathOf(value: unknown): PathTarget | undefined {
  const root = rootOf(value);
  const { path, checkpoint } = (value as Candidate | undefined) ?? {};
  return root && path !== undefined ? { root, path, checkpoint } : undefined;
}
