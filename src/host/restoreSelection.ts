/** Which of a planned restore's changes the user wants. No vscode. */
import type { Change, ChangeKind } from "../shared/changes";
import type { ChangeTable, ChosenPaths } from "../shared/changeTable";
import { allRows, type ChangeLevel, type ChangeNode, changeTree } from "./changeTree";

type RestoreGroupKind = "changed" | "added" | "removed";

export interface RestoreGroup {
  readonly kind: RestoreGroupKind;
  readonly nodes: ChangeLevel;
  /** Of the changes in it. */
  readonly rows: Uint32Array;
}

/** What to ask of the engine for a selection: these paths and no others. */
interface SelectedRestore {
  readonly paths: ChosenPaths;
  readonly exact: true;
}

export class RestoreSelection {
  /** Never empty ones; in the order changed, added, removed. */
  readonly groups: readonly RestoreGroup[];
  /** 1 for every row that is selected. */
  private readonly chosen: Uint8Array;

  /** `removeNew`: whether files that appeared after the checkpoint start out selected for removal. */
  constructor(
    readonly changes: ChangeTable,
    removeNew: boolean,
  ) {
    const all = allRows(changes);
    const kinds: readonly RestoreGroupKind[] = ["changed", "added", "removed"];
    this.groups = kinds
      .map((kind) => ({ kind, rows: all.filter((row) => groupOf(changes.kind(row)) === kind) }))
      .filter(({ rows }) => rows.length > 0)
      .map(({ kind, rows }) => ({ kind, rows, nodes: changeTree(changes, rows) }));
    this.chosen = new Uint8Array(changes.length);
    for (const row of all) this.chosen[row] = removeNew || changes.kind(row) !== "removed" ? 1 : 0;
  }

  /** Rows of the changes that are selected. */
  get selected(): Uint32Array {
    return allRows(this.changes).filter((row) => this.chosen[row] === 1);
  }

  get selectedCount(): number {
    let count = 0;
    for (const each of this.chosen) count += each;
    return count;
  }

  /** How many of the rows are selected. */
  countSelected(rows: Uint32Array): number {
    let count = 0;
    for (const row of rows) count += this.chosen[row] as number;
    return count;
  }

  set(rows: Uint32Array, selected: boolean): void {
    for (const row of rows) this.chosen[row] = selected ? 1 : 0;
  }

  /** Whether the file at that path is to be written or removed. */
  includes(path: string): boolean {
    const row = this.changes.find(path);
    return row !== undefined && this.chosen[row] === 1 && !isFolder(this.changes.at(row));
  }

  /**
   * The request for what is selected; undefined when that is nothing. Paths are always listed one by one, and a
   * folder's stands for itself alone: what was not shown, or not selected, is not touched, also if it has come into
   * being since.
   */
  request(): SelectedRestore | undefined {
    return this.chosen.includes(1) ? { paths: this.changes.choose(this.chosen), exact: true } : undefined;
  }
}

/** The group in which a node stands; all changes below a folder are of one group. */
export function groupOfNode(node: ChangeNode): RestoreGroupKind {
  return groupOf(node.kind);
}

function groupOf(kind: ChangeKind): RestoreGroupKind {
  return kind === "typeChanged" ? "changed" : kind;
}

/** A folder's own row is about its mode or its being there, not about what is in it. */
function isFolder(change: Change): boolean {
  return change.path.endsWith("/");
}
