/**
 * Checkpoints in VS Code's own Timeline panel.
 *
 * Registering a timeline provider is a proposed API. The Marketplace package does not declare it; the timeline package
 * does, and the user has to grant it. Declared but not granted, the call throws: then File History is all there is.
 */
import * as vscode from "vscode";
import { Disposable } from "../shared/disposable";
import type { CheckpointCatalog } from "./checkpointCatalog";
import { checkpointIcon } from "./checkpointItems";
import { VersionNode } from "./checkpointNodes";
import type { CommandTargets } from "./commandTargets";
import type { ErrorMessages } from "./errorMessages";
import { VERSIONS_A_PAGE, versionPage } from "./fileVersions";
import type {
  Timeline,
  TimelineChangeEvent,
  TimelineItem,
  TimelineNamespace,
  TimelineOptions,
  TimelineProvider,
  TimelineWorkspace,
} from "./timelineApi";
import { changeWord, checkpointTitle, dateAndTime, joined, reasonWords } from "./wording";

/** The workbench matches the scheme it sees, which in remote windows and browsers is not "file". */
const SCHEMES = ["file", "vscode-remote"];
/** While VS Code asks "back to this item", a file with more versions than this is shown up to here. */
const MAX_VERSIONS = 1_000;

/** Registers the provider where the package declares the proposal and the host allows it. */
export function registerTimeline(
  extension: vscode.Extension<unknown>,
  targets: CommandTargets,
  catalog: CheckpointCatalog,
  errors: ErrorMessages,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const { enabledApiProposals } = extension.packageJSON as { readonly enabledApiProposals?: readonly string[] };
  if (!enabledApiProposals?.includes("timeline")) return new vscode.Disposable(() => undefined);
  const provider = new CheckpointTimeline(targets, catalog, errors);
  try {
    const workspace = vscode.workspace as unknown as TimelineWorkspace;
    const registration = workspace.registerTimelineProvider(SCHEMES, provider);
    return vscode.Disposable.from(registration, provider);
  } catch (error) {
    provider.dispose();
    log.info(`The Timeline panel is not available to this extension: ${String(error)}`);
    return new vscode.Disposable(() => undefined);
  }
}

class CheckpointTimeline extends Disposable implements TimelineProvider {
  readonly id = "checkpoint";
  readonly label = vscode.l10n.t("Checkpoints");
  private readonly changed = this.register(new vscode.EventEmitter<TimelineChangeEvent | undefined>());
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly targets: CommandTargets,
    private readonly catalog: CheckpointCatalog,
    private readonly errors: ErrorMessages,
  ) {
    super();
    this.register(catalog.onDidChange(() => this.changed.fire({ uri: undefined, reset: true })));
  }

  async provideTimeline(uri: vscode.Uri, options: TimelineOptions): Promise<Timeline | undefined> {
    try {
      const target = await this.targets.pathOfUri(uri);
      if (!target) return undefined;
      await this.catalog.get(target.root);
      const limit = typeof options.limit === "number" ? options.limit : options.limit ? MAX_VERSIONS : VERSIONS_A_PAGE;
      const before = options.cursor === undefined ? undefined : Number(options.cursor);
      const page = await versionPage(target.root, target.path, limit, before);
      const upTo = typeof options.limit === "object" ? options.limit.timestamp : Number.NEGATIVE_INFINITY;
      const nodes = page.versions
        .map(({ version, older }) => new VersionNode(target.root, target.path, version, older))
        .filter((node) => node.checkpoint.createdAt >= upTo);
      const cut = nodes.length < page.versions.length;
      const next = cut ? nodes.at(-1)?.checkpoint.number : page.next;
      return { items: nodes.map(timelineItem), paging: { cursor: next === undefined ? undefined : String(next) } };
    } catch (error) {
      // The panel has no place for an error; the other sources' entries stay.
      this.errors.record(error);
      return undefined;
    }
  }
}

function timelineItem(node: VersionNode): TimelineItem {
  const { checkpoint, version, root, path } = node;
  const { TimelineItem: Item } = vscode as unknown as TimelineNamespace;
  const item = new Item(checkpointTitle(checkpoint), checkpoint.createdAt);
  item.id = checkpoint.id;
  item.iconPath = checkpointIcon(checkpoint);
  item.description = joined(changeWord(version.kind), reasonWords(checkpoint));
  item.tooltip = `${checkpointTitle(checkpoint)} · ${dateAndTime(checkpoint.createdAt)}`;
  item.contextValue = "checkpoint:file";
  item.command = { command: "checkpoint.openVersion", title: vscode.l10n.t("Show Change"), arguments: [node] };
  item.accessibilityInformation = {
    label: `${checkpointTitle(checkpoint)}, ${changeWord(version.kind)}, ${dateAndTime(checkpoint.createdAt)}`,
  };
  // Menu commands receive the item; with these fields it is a target like any node. Not enumerable, because VS Code
  // sends an item's enumerable fields to the window.
  const fields = { root, path, checkpoint, version, older: node.older };
  for (const [field, value] of Object.entries(fields)) Object.defineProperty(item, field, { value });
  return item;
}
