/** The catalog's rows of checkpoints. */
import type { Database } from "sql.js";
import type { Checkpoint } from "../../shared/checkpoints";
import { CHECKPOINT_COLUMNS } from "./catalogSchema";
import { select, toSql } from "./sqlRows";

/** `rules`: the scan options in force when it was made. */
export function insertCheckpoint(database: Database, checkpoint: Checkpoint, rules: string): void {
  const columns = Object.entries(CHECKPOINT_COLUMNS);
  database.run(
    `INSERT INTO checkpoints (${columns.map(([, column]) => column).join(",")}, rules) VALUES (${columns.map(() => "?").join(",")}, ?)`,
    [...columns.map(([field]) => toSql(checkpoint[field as keyof Checkpoint])), rules],
  );
}

/**
 * Newest first; with `id`, that one alone. All in one value of JSON: each crossing into SQLite costs about a microsecond, and a row by columns
 * takes 70 of them.
 */
export function readCheckpoints(database: Database, limit = -1, id: string | null = null): Checkpoint[] {
  const columns = Object.values(CHECKPOINT_COLUMNS).join(",");
  const [row] = select(
    database,
    `SELECT json_group_array(json_array(${columns})) AS rows
     FROM (SELECT * FROM checkpoints ${id === null ? "" : "WHERE id = ?2"} ORDER BY number DESC LIMIT ?1)`,
    id === null ? [limit] : [limit, id],
  );
  const fields = Object.keys(CHECKPOINT_COLUMNS);
  const checkpoints = (JSON.parse(String(row?.rows)) as unknown[][]).map((values) => {
    const checkpoint = Object.fromEntries(fields.map((field, i) => [field, values[i]])) as unknown as Checkpoint;
    return { ...checkpoint, pinned: (checkpoint.pinned as unknown) === 1 };
  });
  // SQLite promises nothing about the order in which an aggregate meets the rows of a subquery.
  return checkpoints.sort((a, b) => b.number - a.number);
}
