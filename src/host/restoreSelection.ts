/** Which of a planned restore's changes the user wants. No vscode. */
import type { Change } from "../shared/api";
import { buildChangeTree, type ChangeNode, leavesOf } from "./changeTree";

export type RestoreGroupKind = "changed" | "added" | "removed";

export interface RestoreGroup {
  readonly kind: RestoreGroupKind;
  readonly nodes: readonly ChangeNode[];
  readonly count: number;
}

/** What to ask of the engine for a selection: these paths and no others. */
export interface SelectedRestore {
  readonly paths: readonly string[];
  readonly exact: true;
}

export class RestoreSelection {
  /** Never empty ones; in the order changed, added, removed. */
  readonly groups: readonly RestoreGroup[];
  private readonly chosen = new Set<Change>();

  /** `removeNew`: whether files that appeared after the checkpoint start out selected for removal. */
  constructor(
    readonly changes: readonly Change[],
    removeNew: boolean,
  ) {
    const kinds: readonly RestoreGroupKind[] = ["changed", "added", "removed"];
    this.groups = kinds
      .map((kind) => {
        const ofKind = changes.filter((change) => groupOf(change) === kind);
        return { kind, nodes: buildChangeTree(ofKind), count: ofKind.length };
      })
      .filter((group) => group.count > 0);
    for (const change of changes) if (removeNew || change.kind !== "removed") this.chosen.add(change);
  }

  get selected(): readonly Change[] {
    return this.changes.filter((change) => this.chosen.has(change));
  }

  /** How many of the changes below the nodes are selected. */
  countSelected(nodes: readonly ChangeNode[]): number {
    return leavesOf(nodes).filter((leaf) => this.chosen.has(leaf.change)).length;
  }

  set(nodes: readonly ChangeNode[], selected: boolean): void {
    for (const { change } of leavesOf(nodes)) {
      if (selected) this.chosen.add(change);
      else this.chosen.delete(change);
    }
  }

  /**
   * The request for what is selected, without the paths in `except`; undefined when that is nothing. Paths are always
   * listed one by one, and a folder's stands for itself alone: what was not shown, or not selected, is not touched, also
   * if it has come into being since.
   */
  request(except: readonly string[] = []): SelectedRestore | undefined {
    const left = new Set(except);
    const selected = this.selected.filter((change) => !left.has(plainPath(change)));
    if (selected.length === 0) return undefined;
    return { paths: selected.map(plainPath), exact: true };
  }
}

/** The group in which a node stands; all changes below a folder are of one group. */
export function groupOfNode(node: ChangeNode): RestoreGroupKind | undefined {
  if (node.type === "leaf") return groupOf(node.change);
  const [first] = node.children;
  return first && groupOfNode(first);
}

function groupOf(change: Change): RestoreGroupKind {
  return change.kind === "typeChanged" ? "changed" : change.kind;
}

function plainPath(change: Change): string {
  return change.path.replace(/\/$/, "");
}
