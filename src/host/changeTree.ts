/** Rows of a change table as folders and files. No vscode. */
import type { Change, ChangeKind } from "../shared/changes";
import type { ChangeTable } from "../shared/changeTable";

export type ChangeNode = ChangeFolder | ChangeLeaf;

const SLASH = 0x2f;
/** Sorting 3,000 names takes 7 ms; longer levels stay in the order of their bytes. */
const MAX_SORTED = 3_000;

/** Made when first needed: it takes 8 ms, which would be a third of the extension's activation. */
let collator: Intl.Collator | undefined;

function compareNames(a: string, b: string): number {
  collator ??= new Intl.Collator(undefined, { numeric: true });
  return collator.compare(a, b);
}

/** The uppermost level. `rows`, in ascending order, says which rows are meant. */
export function changeTree(table: ChangeTable, rows: Uint32Array = allRows(table)): ChangeLevel {
  return new ChangeLevel(table, rows, 0);
}

export function allRows(table: ChangeTable): Uint32Array {
  const rows = new Uint32Array(table.length);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  return rows;
}

/**
 * What stands in one folder: folders first, then files, each in the order people expect ("a2" before "a10"). Nodes are
 * made when they are shown, and stay the same objects.
 */
export class ChangeLevel {
  /** Where in `rows` each child begins and ends, in the order in which children are shown. */
  private readonly begins: number[] = [];
  private readonly ends: number[] = [];
  private readonly folderCount: number;
  private readonly nodes: ChangeNode[] = [];

  constructor(
    private readonly table: ChangeTable,
    private readonly rows: Uint32Array,
    /** Bytes of the path of this level, its "/" included. */
    private readonly prefix: number,
  ) {
    const folders: (readonly [begin: number, end: number])[] = [];
    const leaves: (readonly [begin: number, end: number])[] = [];
    for (let begin = 0, end = 0; begin < rows.length; begin = end) {
      const slash = slashAfter(table, rows[begin] as number, prefix);
      end = slash === undefined ? begin + 1 : endOfFolder(table, rows, begin, slash);
      (slash === undefined ? leaves : folders).push([begin, end]);
    }
    this.folderCount = folders.length;
    for (const [begin, end] of [...this.sorted(folders), ...this.sorted(leaves)]) {
      this.begins.push(begin);
      this.ends.push(end);
    }
  }

  get length(): number {
    return this.begins.length;
  }

  /** The first `count` children, all of them if it is left out. */
  first(count = this.length): readonly ChangeNode[] {
    while (this.nodes.length < Math.min(count, this.length)) this.nodes.push(this.make(this.nodes.length));
    return this.nodes.slice(0, count);
  }

  private make(index: number): ChangeNode {
    const rows = this.rows.subarray(this.begins[index], this.ends[index]);
    return index < this.folderCount
      ? openFolder(this.table, rows, this.prefix)
      : new ChangeLeaf(this.table, rows, this.prefix);
  }

  private sorted<Child extends readonly [begin: number, end: number]>(children: readonly Child[]): readonly Child[] {
    if (children.length > MAX_SORTED) return children;
    return children
      .map((child) => ({ child, name: this.nameAt(child[0]) }))
      .sort((a, b) => compareNames(a.name, b.name))
      .map(({ child }) => child);
  }

  private nameAt(index: number): string {
    const row = this.rows[index] as number;
    const start = this.table.start(row) + this.prefix;
    return this.table.text(start, slashAfter(this.table, row, this.prefix) ?? this.table.end(row));
  }
}

export class ChangeFolder {
  readonly type = "folder";
  private level: ChangeLevel | undefined;

  constructor(
    private readonly table: ChangeTable,
    /** Of every change below, at any depth. */
    readonly rows: Uint32Array,
    /** May span several levels: folders with nothing but one folder in them are joined, "src/host". */
    readonly name: string,
    readonly path: string,
    private readonly prefix: number,
  ) {}

  get count(): number {
    return this.rows.length;
  }

  /** Looked for when first asked for: of a large list, people open a few folders. */
  get children(): ChangeLevel {
    this.level ??= new ChangeLevel(this.table, this.rows, this.prefix);
    return this.level;
  }

  /** Of the first change below. */
  get kind(): ChangeKind {
    return this.table.kind(this.rows[0] as number);
  }
}

export class ChangeLeaf {
  readonly type = "leaf";
  readonly name: string;
  readonly path: string;

  constructor(
    private readonly table: ChangeTable,
    /** One. */
    readonly rows: Uint32Array,
    prefix: number,
  ) {
    const row = rows[0] as number;
    this.path = table.text(table.start(row), table.end(row));
    this.name = table.text(table.start(row) + prefix, table.end(row));
  }

  get change(): Change {
    return this.table.at(this.rows[0] as number);
  }

  get kind(): ChangeKind {
    return this.table.kind(this.rows[0] as number);
  }
}

function openFolder(table: ChangeTable, rows: Uint32Array, above: number): ChangeFolder {
  const first = rows[0] as number;
  const start = table.start(first);
  let prefix = above;
  let slash = slashAfter(table, first, above);
  // Rows are in tree order: when the last one is in the same folder as the first, all are.
  while (slash !== undefined && isBelow(table, rows[rows.length - 1] as number, first, slash)) {
    prefix = slash + 1 - start;
    slash = slashAfter(table, first, prefix);
  }
  const end = start + prefix - 1;
  return new ChangeFolder(table, rows, table.text(start + above, end), table.text(start, end), prefix);
}

/** Where the next name of the row's path ends with a "/"; undefined when it is the last name. */
function slashAfter(table: ChangeTable, row: number, prefix: number): number | undefined {
  const { bytes } = table;
  const end = table.end(row);
  for (let at = table.start(row) + prefix; at < end; at++) if (bytes[at] === SLASH) return at;
  return undefined;
}

/** Whether `row` is in the folder of `model`'s path that ends with the "/" at `slash`. */
function isBelow(table: ChangeTable, row: number, model: number, slash: number): boolean {
  const { bytes } = table;
  const from = table.start(model);
  const start = table.start(row);
  if (table.end(row) - start <= slash - from) return false;
  // Neighbours differ near the end of their paths.
  for (let at = slash; at >= from; at--) if (bytes[at] !== bytes[start + at - from]) return false;
  return true;
}

/** The first index after `begin` whose row is not in the same folder. */
function endOfFolder(table: ChangeTable, rows: Uint32Array, begin: number, slash: number): number {
  const model = rows[begin] as number;
  const isIn = (index: number) => index < rows.length && isBelow(table, rows[index] as number, model, slash);
  let step = 1;
  while (isIn(begin + step)) step *= 2;
  let [inside, outside] = [begin + Math.floor(step / 2), Math.min(begin + step, rows.length)];
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (isIn(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
}
