/** What can still be read of a catalog's image that is not as it was written. */
import type { Database, SqlJsStatic, SqlValue } from "sql.js";
import { CHECKPOINT_COLUMNS } from "./catalogSchema";
import { type CheckpointRecord, isCheckpoint } from "./checkpointLog";

/** Of a broken tree of pages SQLite may give the same rows again and again. */
const MAX_ROWS = 100_000;

/**
 * Whatever looks like a checkpoint: from the first row to where SQLite cannot go on, and from the last one backwards.
 * Names, notes and numbers of files may be wrong; nothing tells.
 */
export function salvageRecords(sqlite: SqlJsStatic, image: Uint8Array): CheckpointRecord[] {
  const records = new Map<string, CheckpointRecord>();
  for (const order of ["ASC", "DESC"]) {
    let database: Database | undefined;
    try {
      database = new sqlite.Database(image);
      // The file alone counts: a journal that its header speaks of does not exist.
      const skipped = lists(database);
      const statement = database.prepare(`SELECT * FROM checkpoints ORDER BY rowid ${order} LIMIT ${MAX_ROWS}`);
      while (statement.step()) {
        const row = statement.getAsObject();
        const checkpoint = checkpointOf(row);
        if (isCheckpoint(checkpoint))
          records.set(checkpoint.id, {
            checkpoint,
            rules: isJson(row.rules) ? row.rules : "{}",
            skipped: skipped.get(checkpoint.id) ?? new Uint8Array(),
          });
      }
    } catch {
      // Here it ends, in one of the many words that SQLite has for it; what came before it counts.
    } finally {
      closeAnyhow(database);
    }
  }
  return [...records.values()];
}

function lists(database: Database): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  try {
    const statement = database.prepare(`SELECT checkpoint_id, skipped FROM changes LIMIT ${MAX_ROWS}`);
    while (statement.step()) {
      const [id, skipped] = statement.get();
      if (typeof id === "string" && skipped instanceof Uint8Array) found.set(id, skipped);
    }
  } catch {
    // As above.
  }
  return found;
}

function checkpointOf(row: Record<string, SqlValue>): unknown {
  const fields = Object.entries(CHECKPOINT_COLUMNS).map(([field, column]) => [field, row[column.replaceAll('"', "")]]);
  const checkpoint = Object.fromEntries(fields) as Record<string, unknown>;
  return { ...checkpoint, pinned: checkpoint.pinned === 1 };
}

function isJson(text: SqlValue | undefined): text is string {
  if (typeof text !== "string") return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

function closeAnyhow(database: Database | undefined): void {
  try {
    database?.close();
  } catch {
    // It is of no use any more in any case.
  }
}
