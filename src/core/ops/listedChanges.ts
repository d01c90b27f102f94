/**
 * The lists of changes that the catalog keeps, for whoever looks through many of them: read from it by the hundred,
 * remembered as JSON, and parsed only where the text looked for occurs.
 *
 * What is remembered cannot become wrong: a list says what differs between a checkpoint and its parent, neither of
 * which ever changes. When a checkpoint gets another parent (its own was deleted), it gets another list, and is asked
 * for again.
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
  readonly parentId: string | null;
  /** Undefined: the catalog has none. "long": it is not remembered. */
  readonly text: Buffer | "long" | undefined;
  /** Nothing in the text is escaped: what it does not hold as bytes it does not hold. */
  readonly isPlain: boolean;
}

export class ListedChanges {
  private readonly lists = new Map<string, Listed>();
  private bytes = 0;

  constructor(private readonly catalog: Catalog) {}

  /**
   * What the catalog's checkpoint at `i` changed against its parent; undefined when the catalog does not say (see
   * `changesOf` in queries). If no changed path begins with `path`, the answer may be an empty list instead. Those
   * after `i` are expected to be asked for next.
   */
  of(i: number, path = ""): readonly Change[] | undefined {
    const { id, parentId } = this.catalog.checkpoints[i] as Checkpoint;
    if (this.lists.get(id)?.parentId !== parentId) this.remember(i);
    const { text, isPlain } = this.lists.get(id) as Listed;
    if (text === undefined) return undefined;
    if (text === "long") return this.catalog.changesOf(id);
    return path !== "" && isPlain && !text.includes(`"${path}`) ? [] : parseChanges(text);
  }

  /** The lists from the checkpoint at `first` on that are not known yet. */
  private remember(first: number): void {
    const wanted = new Map<string, string | null>();
    for (const { id, parentId } of this.catalog.checkpoints.slice(first, first + BATCH))
      if (this.lists.get(id)?.parentId !== parentId) wanted.set(id, parentId);
    const texts = this.catalog.changeTexts([...wanted.keys()], MAX_FRAME_BYTES);
    let added = 0;
    for (const text of texts.values()) added += text?.length ?? 0;
    // Of lists with another parent than they had, the bytes count twice until then.
    if (this.bytes + added > REMEMBERED_BYTES) {
      this.lists.clear();
      this.bytes = 0;
    }
    this.bytes += added;
    for (const [id, parentId] of wanted) {
      const text = texts.has(id) ? texts.get(id) : "long";
      this.lists.set(id, { parentId, text, isPlain: Buffer.isBuffer(text) && !text.includes(BACKSLASH) });
    }
  }
}
