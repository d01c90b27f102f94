/** The catalog's rows of restores: the stack behind "Undo Last Restore". */
import type { Database } from "sql.js";
import { select } from "./sqlRows";

/** One restore, undo or redo. */
export interface RestoreRow {
  readonly id: number;
  readonly at: number;
  readonly kind: "restore" | "undo" | "redo";
  /** State before it. */
  readonly beforeId: string;
  readonly targetId: string;
  /** Tree of the state before, with what the scan did not see but the restore dealt with. */
  readonly baseRoot: string;
  /** Tree of what the restore made of it: the difference of the two is what it did. */
  readonly resultRoot: string;
  /** For undo and redo: the restore it takes back or repeats. */
  readonly originId: number | null;
  readonly files: number;
}

/** Nobody undoes further back than this; older rows go. */
const MAX_RESTORES = 50;

/** Adds a row and answers its id. */
export function insertRestore(database: Database, row: Omit<RestoreRow, "id">): number {
  database.run(
    "INSERT INTO restores (at, kind, before_id, target_id, base_root, result_root, origin_id, files) VALUES (?,?,?,?,?,?,?,?)",
    [row.at, row.kind, row.beforeId, row.targetId, row.baseRoot, row.resultRoot, row.originId, row.files],
  );
  const [added] = select(database, "SELECT last_insert_rowid() AS id");
  // What these take back or repeat stays with them.
  database.run(
    `WITH newest AS (SELECT id, origin_id FROM restores ORDER BY id DESC LIMIT ?)
       DELETE FROM restores WHERE id NOT IN (SELECT id FROM newest)
         AND id NOT IN (SELECT origin_id FROM newest WHERE origin_id IS NOT NULL)`,
    [MAX_RESTORES],
  );
  return Number(added?.id);
}

export function updateRestore(
  database: Database,
  id: number,
  done: Pick<RestoreRow, "baseRoot" | "resultRoot" | "files">,
): void {
  database.run("UPDATE restores SET base_root = ?, result_root = ?, files = ? WHERE id = ?", [
    done.baseRoot,
    done.resultRoot,
    done.files,
    id,
  ]);
}

export function deleteRestore(database: Database, id: number): void {
  database.run("DELETE FROM restores WHERE id = ?", [id]);
}

/** Oldest first. */
export function readRestores(database: Database): RestoreRow[] {
  return select(database, "SELECT * FROM restores ORDER BY id").map((row) => ({
    id: Number(row.id),
    at: Number(row.at),
    kind: row.kind as RestoreRow["kind"],
    beforeId: String(row.before_id),
    targetId: String(row.target_id),
    baseRoot: String(row.base_root),
    resultRoot: String(row.result_root),
    originId: row.origin_id === null ? null : Number(row.origin_id),
    files: Number(row.files),
  }));
}
