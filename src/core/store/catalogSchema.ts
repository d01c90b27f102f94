import type { Checkpoint } from "../../shared/checkpoints";

/** Raised when an older program would misread the tables. */
export const CATALOG_SCHEMA_VERSION = 1;

/** Field of a checkpoint → its column. */
export const CHECKPOINT_COLUMNS: Readonly<Record<keyof Checkpoint, string>> = {
  id: "id",
  number: "number",
  createdAt: "created_at",
  kind: "kind",
  trigger: '"trigger"',
  name: "name",
  note: "note",
  pinned: "pinned",
  parentId: "parent_id",
  rootTree: "root_tree",
  files: "total_files",
  bytes: "total_bytes",
  newObjects: "new_objects",
  newBytes: "new_bytes",
  added: "added",
  changed: "changed",
  removed: "removed",
  skipped: "skipped",
  branch: "branch",
  head: "head",
  groupId: "group_id",
};

export const CATALOG_SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('schema_version', ${CATALOG_SCHEMA_VERSION}), ('generation', 0), ('next_number', 1);

CREATE TABLE checkpoints (
  id TEXT PRIMARY KEY,          -- UUIDv7
  number INTEGER NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,  -- milliseconds since 1970
  kind TEXT NOT NULL,           -- manual | auto | safety | import
  "trigger" TEXT NOT NULL,
  name TEXT,
  note TEXT,
  pinned INTEGER NOT NULL,
  parent_id TEXT,
  root_tree TEXT NOT NULL,      -- 32 hex digits
  total_files INTEGER NOT NULL,
  total_bytes INTEGER NOT NULL,
  new_objects INTEGER NOT NULL,
  new_bytes INTEGER NOT NULL,
  added INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  branch TEXT,
  head TEXT,
  group_id TEXT,
  rules TEXT NOT NULL           -- JSON: the scan options in force
);

CREATE TABLE changes (
  checkpoint_id TEXT PRIMARY KEY,
  list BLOB,                    -- LZ4 frame of JSON; NULL = compute from the trees
  skipped BLOB NOT NULL         -- see skippedList.ts
) WITHOUT ROWID;

CREATE TABLE restores (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,           -- restore | undo | redo
  before_id TEXT NOT NULL,
  target_id TEXT NOT NULL,
  base_root TEXT NOT NULL,      -- trees, 32 hex digits: the state before, as far as the restore dealt with it,
  result_root TEXT NOT NULL,    -- and what it made of that
  origin_id INTEGER,
  files INTEGER NOT NULL
);
`;
