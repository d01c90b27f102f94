/**
 * The lists of changes that the catalog keeps, for whoever looks through many of them: read from it by the hundred,
 * remembered as JSON, and parsed only where the text looked for occurs.
 *
 * What is remembered cannot become wrong: a list says what differs between the trees of a checkpoint and of its parent.
 * When one of these becomes another (its parent was deleted, or a path purged), the list is asked for again.
 */
import type { Change } from "../../shared/changes";
import type { Checkpoint } from "../../shared/checkpoints";
import type { Catalog } from "../store/catalog";
import { parseChanges } from "../store/changeList";

/** Of one catalog. 1,000 checkpoints with five changes each take 1 MB. */
const REMEMBERED_BYTES = 8 << 20;
/** Lists read at once. */
const BATCH = 250;
/** Lists whose frame is longer are few; they are read and parsed each time. */
const MAX_FRAME_BYTES = 4 << 10;
const BACKSLASH = 0x5c;

interface Listed {
  /** Between which trees it tells the differences. */
  readonly trees: string;
  /** Undefined: the catalog has none. "long": it is not remembered. */
  readonly text: Buffer | "long" | undefined;
  /** Nothing in the text is escaped: what it does not hold as bytes it does not hold. */
  readonly isPlain: boolean;
}

export class ListedChanges {
  private readonly lists = new Map<string, Listed>();
  private bytes = 0;
  private roots: { readonly of: readonly Checkpoint[]; readonly byId: ReadonlyMap<string, string> } | undefined;

  constructor(private readonly catalog: Catalog) {}

  /**
   * What the catalog's checkpoint at `i` changed against its parent; undefined when the catalog does not say (see
   * `changesOf` in queries). If no changed path begins with `path`, the answer may be an empty list instead. Those
   * after `i` are expected to be asked for next.
   */
  of(i: number, path = ""): readonly Change[] | undefined {
    const checkpoint = this.catalog.checkpoints[i] as Checkpoint;
    const { id } = checkpoint;
    if (this.lists.get(id)?.trees !== this.treesOf(checkpoint)) this.remember(i);
    const { text, isPlain } = this.lists.get(id) as Listed;
    if (text === undefined) return undefined;
    if (text === "long") return this.catalog.changesOf(id);
    return path !== "" && isPlain && !text.includes(`"${path}`) ? [] : parseChanges(text);
  }

  private treesOf({ rootTree, parentId }: Checkpoint): string {
    const { checkpoints } = this.catalog;
    if (this.roots?.of !== checkpoints)
      this.roots = { of: checkpoints, byId: new Map(checkpoints.map((each) => [each.id, each.rootTree])) };
    return `${parentId === null ? "" : this.roots.byId.get(parentId)} ${rootTree}`;
  }

  /** The lists from the checkpoint at `first` on that are not known yet. */
  private remember(first: number): void {
    const wanted = new Map<string, string>();
    for (const checkpoint of this.catalog.checkpoints.slice(first, first + BATCH)) {
      const between = this.treesOf(checkpoint);
      if (this.lists.get(checkpoint.id)?.trees !== between) wanted.set(checkpoint.id, between);
    }
    const texts = this.catalog.changeTexts([...wanted.keys()], MAX_FRAME_BYTES);
    let added = 0;
    for (const text of texts.values()) added += text?.length ?? 0;
    // Of lists between other trees than they were, the bytes count twice until then.
    if (this.bytes + added > REMEMBERED_BYTES) {
      this.lists.clear();
      this.bytes = 0;
    }
    this.bytes += added;
    for (const [id, between] of wanted) {
      const text = texts.has(id) ? texts.get(id) : "long";
      this.lists.set(id, { trees: between, text, isPlain: Buffer.isBuffer(text) && !text.includes(BACKSLASH) });
    }
  }
}
