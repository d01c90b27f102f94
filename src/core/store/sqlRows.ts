import type { Database, SqlValue } from "sql.js";

/** All rows of a query, as objects by column. */
export function select(database: Database, query: string, parameters: SqlValue[] = []): Record<string, SqlValue>[] {
  const statement = database.prepare(query, parameters);
  try {
    const rows: Record<string, SqlValue>[] = [];
    while (statement.step()) rows.push(statement.getAsObject());
    return rows;
  } finally {
    statement.free();
  }
}

export function toSql(value: string | number | boolean | null | undefined): SqlValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  return value ?? null;
}
