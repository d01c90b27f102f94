/** Opens diffs: one file against a version, everything against a checkpoint, two checkpoints. */
import * as vscode from "vscode";
import type { Change, EntryState, FileVersion, Side } from "../shared/changes";
import type { ChangeTable } from "../shared/changeTable";
import type { Checkpoint } from "../shared/checkpoints";
import { type Activity, unlessCancelled } from "./activity";
import { allRows } from "./changeTree";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointUri, checkpointUriFacing, emptyUri } from "./checkpointUris";
import { checkpointTitle, wholeNumber } from "./wording";
import type { Root } from "./workspaceFolders";
import { yieldNow } from "./yieldNow";

/** The multi-diff editor lays out every entry at once; beyond this it becomes too slow to be of use. */
const MAX_COMPARED = 1_000;

export class Compare {
  constructor(
    private readonly catalog: CheckpointCatalog,
    private readonly activity: Activity,
  ) {}

  /** What one checkpoint did to one file: the version before on the left, the checkpoint's on the right. */
  async openChange(root: Root, checkpoint: Checkpoint, change: Change): Promise<void> {
    const store = await this.storeFolder(root);
    const before = change.before && checkpoint.parentId;
    const left = before ? checkpointUri(store, before, change.path) : emptyUri(change.path);
    const right = change.after ? checkpointUri(store, checkpoint.id, change.path) : emptyUri(change.path);
    const previous = this.catalog.find(root, checkpoint.parentId);
    await openDiff(left, right, change.path, previous ? checkpointTitle(previous) : "", checkpointTitle(checkpoint));
  }

  /** The same from a file's history, where the version before may be several checkpoints older. */
  async openVersion(root: Root, path: string, version: FileVersion, older: FileVersion | undefined): Promise<void> {
    const store = await this.storeFolder(root);
    const uriOf = (one: FileVersion | undefined) =>
      one?.state ? checkpointUri(store, one.checkpoint.id, path) : emptyUri(path);
    await openDiff(
      uriOf(older),
      uriOf(version),
      path,
      older ? checkpointTitle(older.checkpoint) : "",
      checkpointTitle(version.checkpoint),
    );
  }

  /** A file as it was, and as it is. The right side is the real file, so it can be edited and single blocks reverted. */
  async fileWithNow(root: Root, path: string, checkpoint: Checkpoint): Promise<void> {
    const store = await this.storeFolder(root);
    const saved = await stateOf(root, checkpoint, path);
    if (saved?.type === "directory") return this.workspaceWith(root, checkpoint, [path]);
    const left = saved ? checkpointUri(store, checkpoint.id, path) : emptyUri(path);
    const right = (await exists(root.uriOf(path))) ? root.uriOf(path) : emptyUri(path);
    await openDiff(left, right, path, checkpointTitle(checkpoint), vscode.l10n.t("now"));
  }

  /** Everything (or what lies under `paths`) that differs between a checkpoint and now. */
  async workspaceWith(root: Root, checkpoint: Checkpoint, paths?: readonly string[]): Promise<void> {
    const now = { workspace: root.scanOptions() };
    const changes = await this.changesBetween(root, { ref: checkpoint.id }, now, paths);
    const store = await this.storeFolder(root);
    await openChanges(root, changes, vscode.l10n.t("{0} ↔ now", checkpointTitle(checkpoint)), (change, now) => ({
      left: shown(change.before) ? savedSide(store, checkpoint, root, change) : undefined,
      right: shown(change.after) ? now : undefined,
    }));
  }

  async twoCheckpoints(root: Root, one: Checkpoint, other: Checkpoint): Promise<void> {
    const [older, newer] = one.number < other.number ? [one, other] : [other, one];
    const changes = await this.changesBetween(root, { ref: older.id }, { ref: newer.id });
    const store = await this.storeFolder(root);
    const title = vscode.l10n.t("{0} ↔ {1}", checkpointTitle(older), checkpointTitle(newer));
    await openChanges(root, changes, title, (change) => ({
      left: shown(change.before) ? checkpointUri(store, older.id, change.path) : undefined,
      right: shown(change.after) ? checkpointUri(store, newer.id, change.path) : undefined,
    }));
  }

  /** What a restore of those rows would do: now on the left, the restored state on the right. */
  async restoreChanges(root: Root, checkpoint: Checkpoint, changes: ChangeTable, rows: Uint32Array): Promise<void> {
    const store = await this.storeFolder(root);
    const title = vscode.l10n.t("now ↔ after restoring {0}", checkpointTitle(checkpoint));
    await openChanges(
      root,
      changes,
      title,
      (change, now) => ({
        left: shown(change.before) ? now : undefined,
        right: shown(change.after) ? savedSide(store, checkpoint, root, change) : undefined,
      }),
      rows,
    );
  }

  async restoreChange(root: Root, checkpoint: Checkpoint, change: Change): Promise<void> {
    const store = await this.storeFolder(root);
    const left = shown(change.before) ? root.uriOf(change.path) : emptyUri(change.path);
    const right = shown(change.after) ? checkpointUri(store, checkpoint.id, change.path) : emptyUri(change.path);
    await openDiff(left, right, change.path, vscode.l10n.t("now"), checkpointTitle(checkpoint));
  }

  private async changesBetween(
    root: Root,
    from: Side,
    to: Side,
    paths?: readonly string[],
  ): Promise<ChangeTable | undefined> {
    const compare = this.activity.run(vscode.l10n.t("Comparing"), (control) =>
      root.controlled(control).diff(from, to, paths ? { paths } : {}),
    );
    return (await unlessCancelled(compare))?.changes;
  }

  private async storeFolder(root: Root): Promise<string> {
    return (await this.catalog.get(root)).storeFolder;
  }
}

/** The multi-diff editor's list is made in parts of this many files, between which the editor gets its turn. */
const PART = 100;

interface Sides {
  readonly left: vscode.Uri | undefined;
  readonly right: vscode.Uri | undefined;
}

/** `changes` undefined = cancelled: nothing opens. `rows`: those of them to show. */
async function openChanges(
  root: Root,
  changes: ChangeTable | undefined,
  title: string,
  sidesOf: (change: Change, now: vscode.Uri) => Sides,
  rows?: Uint32Array,
): Promise<void> {
  if (!changes) return;
  const files = (rows ?? allRows(changes)).filter((row) => changes.hasContent(row));
  if (files.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t("There is no difference ({0}).", title));
    return;
  }
  if (files.length > MAX_COMPARED)
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        "{0} files differ; the first {1} are shown. Compare a folder from the Explorer to see the others.",
        wholeNumber(files.length),
        wholeNumber(MAX_COMPARED),
      ),
    );
  const triples: (readonly [label: vscode.Uri, left: vscode.Uri | undefined, right: vscode.Uri | undefined])[] = [];
  for (const row of files.subarray(0, MAX_COMPARED)) {
    const change = changes.at(row);
    const now = root.uriOf(change.path);
    const { left, right } = sidesOf(change, now);
    triples.push([now, left, right]);
    if (triples.length % PART === 0) await yieldNow();
  }
  // VS Code adds how many files the editor shows, which would read as how many there are.
  const shownTitle =
    files.length > MAX_COMPARED
      ? vscode.l10n.t("{0} (first {1} of {2})", title, wholeNumber(MAX_COMPARED), wholeNumber(files.length))
      : title;
  await vscode.commands.executeCommand("vscode.changes", shownTitle, triples);
}

async function openDiff(
  left: vscode.Uri,
  right: vscode.Uri,
  path: string,
  leftName: string,
  rightName: string,
): Promise<void> {
  const name = path.split("/").at(-1) ?? path;
  const title =
    leftName === ""
      ? vscode.l10n.t("{0} ({1})", name, rightName)
      : vscode.l10n.t("{0} ({1} ↔ {2})", name, leftName, rightName);
  await vscode.commands.executeCommand("vscode.diff", left, right, title, { preview: true });
}

/** The checkpoint's side beside the real file; alone, the short URI reads better. */
function savedSide(store: string, checkpoint: Checkpoint, root: Root, change: Change): vscode.Uri {
  return shown(change.before) && shown(change.after)
    ? checkpointUriFacing(store, checkpoint.id, root.uriOf(change.path))
    : checkpointUri(store, checkpoint.id, change.path);
}

/** Folders have no content to show. */
function shown(state: EntryState | undefined): boolean {
  return state !== undefined && state.type !== "directory";
}

async function stateOf(root: Root, checkpoint: Checkpoint, path: string): Promise<EntryState | undefined> {
  try {
    return await root.engine.stat(checkpoint.id, path);
  } catch (error) {
    if ((error as { code?: unknown }).code === "not-found") return undefined;
    throw error;
  }
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    // workspace.fs has no test for existence; whatever keeps the file from being read, the diff shows an empty side.
    return false;
  }
}
