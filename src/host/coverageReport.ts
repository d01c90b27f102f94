/**
 * What the present rules take in and leave out, as a text document: "is my file in there?" has an answer that can be
 * searched and copied. It is read-only, and made anew each time it is asked for.
 */
import * as vscode from "vscode";
import type { Coverage, LeftOutGroup, LeftOutReason } from "../shared/coverage";
import { Disposable } from "../shared/disposable";
import { type Activity, unlessCancelled } from "./activity";
import { fileCount, fileSize, joined, wholeNumber } from "./wording";
import type { Root } from "./workspaceFolders";

const SCHEME = "checkpoint-coverage";
/** Of each group by name: more than anybody reads, and few enough for a document. */
const LISTED = 500;

export class CoverageReport extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = this.register(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;

  constructor(private readonly activity: Activity) {
    super();
    this.register(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
    this.register(
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === SCHEME) this.texts.delete(uri.toString());
      }),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    // After a reload of the window the tab is there again, and what it showed may no longer be true.
    return this.texts.get(uri.toString()) ?? vscode.l10n.t('Run "Checkpoint: Show What Is Saved…" again.');
  }

  async show(root: Root): Promise<void> {
    const found = await unlessCancelled(
      this.activity.run(vscode.l10n.t("Looking at what is saved"), (control) =>
        root.controlled(control).coverage(root.scanOptions(), { limit: LISTED }),
      ),
    );
    if (!found) return;
    // The tab is called by the end of the path.
    const path = `/${vscode.l10n.t("What Is Saved")}: ${root.name}`;
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query: root.key });
    this.texts.set(uri.toString(), coverageText(root.name, found));
    this.changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }
}

/** The report of one workspace folder. */
export function coverageText(name: string, found: Coverage): string {
  const { saved, secrets, leftOut } = found;
  const lines = [
    vscode.l10n.t("What checkpoints of {0} hold by the present rules", name),
    "",
    vscode.l10n.t("Saved: {0}", amount(saved)),
  ];
  if (secrets.total > 0) {
    lines.push(
      "",
      vscode.l10n.t("Saved, and by their names likely to hold keys or passwords: {0}", wholeNumber(secrets.total)),
    );
    lines.push(...secrets.listed.map(indented), ...more(secrets.total - secrets.listed.length));
    lines.push(
      `  ${vscode.l10n.t('The setting "checkpoint.files.secrets" leaves them out; "Purge Path from All Checkpoints…" takes them out of those that exist.')}`,
    );
  }
  for (const group of leftOut) {
    lines.push("", vscode.l10n.t("Left out {0}: {1}", because(group), amount(group)));
    for (const each of group.listed)
      lines.push(indented(joined(each.path, each.path.endsWith("/") ? amount(each) : "")));
    lines.push(...more(group.entries - group.listed.length));
  }
  if (leftOut.length === 0) lines.push("", vscode.l10n.t("Nothing is left out."));
  if (!found.isComplete)
    lines.push("", vscode.l10n.t("Not all of what is left out was counted: there is more than this."));
  return `${lines.join("\n")}\n`;
}

const amount = ({ files, bytes }: { readonly files: number; readonly bytes: number }): string =>
  `${fileCount(files)}, ${fileSize(bytes)}`;

/** A name may hold a line feed, and must not look like two entries. */
const indented = (text: string): string => `  ${text.replace(/[\r\n\u2028\u2029]/g, "\u2424")}`;

const more = (count: number): string[] =>
  count > 0 ? [indented(vscode.l10n.t("… and {0} more", wholeNumber(count)))] : [];

function because({ reason, rule }: LeftOutGroup): string {
  return rule === "" ? reasonWords(reason) : vscode.l10n.t("by {0}", rule);
}

function reasonWords(reason: LeftOutReason): string {
  switch (reason) {
    case "always":
      return vscode.l10n.t("always (version control, unfinished files, the checkpoints themselves)");
    case "cache":
      return vscode.l10n.t("as caches (CACHEDIR.TAG)");
    case "dependencies":
      return vscode.l10n.t('as downloaded dependencies (setting "checkpoint.files.includeDependencies")');
    case "secrets":
      return vscode.l10n.t('as files likely to hold secrets (setting "checkpoint.files.secrets")');
    case "setting":
      return vscode.l10n.t('by the setting "checkpoint.files.exclude"');
    case "special-file":
      return vscode.l10n.t("because they have no content (sockets, pipes, devices)");
    case "too-large":
      return vscode.l10n.t('because they are too large (setting "checkpoint.files.maxFileSizeMB")');
    case "unreadable":
      return vscode.l10n.t("because they cannot be read");
    case "gitignore":
    case "checkpointignore":
      return vscode.l10n.t("by {0}", `.${reason}`);
  }
}
