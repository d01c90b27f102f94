/** How much of each level of a tree is shown: VS Code asks for every row of an open folder at once. */
import type { ChangeLevel, ChangeNode } from "./changeTree";
import { MoreNode } from "./checkpointNodes";

/** Rows shown at first, and added by each "more". */
const PAGE_ROWS = 500;

export class LevelPages {
  /** By level, once "more" was clicked. Kept by key, because a level may be made anew while its tree stays open. */
  private readonly shownRows = new Map<string, number>();

  /** The first rows of the level that `key` names, and the row that shows more of it; `redraw` draws the level again. */
  page<Row>(key: string, level: ChangeLevel, rowOf: (node: ChangeNode) => Row, redraw: () => void): (Row | MoreNode)[] {
    const shown = this.shownRows.get(key) ?? PAGE_ROWS;
    const rows: (Row | MoreNode)[] = level.first(shown).map(rowOf);
    if (level.length > shown) {
      const showMore = () => {
        this.shownRows.set(key, shown + PAGE_ROWS);
        redraw();
      };
      rows.push(new MoreNode(level.length - shown, showMore, `more:${key}:${shown}`));
    }
    return rows;
  }

  /** Every level starts with its first rows again. */
  clear(): void {
    this.shownRows.clear();
  }
}
