/** Keeps `checkpoints.log` in step with the catalog: what the next commit has to say, and whether that can be appended. */
import type { Database } from "sql.js";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import type { CheckpointLog, CheckpointRecord } from "./checkpointLog";
import { readCheckpoints } from "./checkpointRows";
import { readRestores } from "./restoreRows";
import { select } from "./sqlRows";

/** A log is written anew when it is twice as large as when that was last done, and this much more. */
const SPARE_BYTES = 256 << 10;
/** Root trees remembered as being no checkpoints: the newest. They only spare whoever has lost a catalog some rows. */
const MAX_TREES = 4_096;

interface LogWrite {
  readonly lines: string;
  /** Where they go; undefined: in place of all that is there. */
  readonly at: number | undefined;
}

export class CatalogLog {
  private readonly touched = new Set<string>();
  private readonly gone = new Set<string>();
  private readonly trees = new Set<string>();
  private isVoid = false;

  constructor(private readonly log: CheckpointLog) {}

  /** A checkpoint is new, or not what it was. */
  touch(id: string): void {
    this.touched.add(id);
  }

  /** A checkpoint is deleted. */
  drop(id: string, rootTree: string): void {
    this.touched.delete(id);
    this.gone.add(id);
    this.trees.add(rootTree);
  }

  /** Roots that are no checkpoints; those that a checkpoint has at the commit are left out. */
  noteTrees(...roots: string[]): void {
    for (const root of roots) this.trees.add(root);
  }

  /** Nothing of what stands in the log may stay there. */
  startAnew(): void {
    this.isVoid = true;
  }

  /** What was to be said is not committed. */
  forget(): void {
    for (const each of [this.touched, this.gone, this.trees]) each.clear();
    this.isVoid = false;
  }

  /** Whether the log has the size that the catalog speaks of. */
  isInStep(database: Database): boolean {
    const { bytes } = this.log;
    return bytes > 0 && bytes === metaNumber(database, "log_bytes");
  }

  /** What the commit that is about to be made adds. Writes down in the database how large the log is after that. */
  plan(database: Database): LogWrite {
    const size = this.log.bytes;
    const lines = this.newLines(database);
    const wholeBytes = metaNumber(database, "log_whole_bytes");
    const write: LogWrite =
      !this.isVoid && this.isInStep(database) && size + Buffer.byteLength(lines) <= 2 * wholeBytes + SPARE_BYTES
        ? { lines, at: size }
        : { lines: this.allLines(database), at: undefined };
    const bytes = (write.at ?? 0) + Buffer.byteLength(write.lines);
    setMeta(database, "log_bytes", bytes);
    if (write.at === undefined) setMeta(database, "log_whole_bytes", bytes);
    return write;
  }

  /** After the commit. A failure leaves a log of another size than the catalog says: the next commit writes it anew. */
  write({ lines, at }: LogWrite, nonce: string): void {
    ignoreFailure(() => {
      if (at === undefined) this.log.replace(lines, nonce);
      else if (lines !== "") this.log.append(lines, at);
    }, "the log only helps where the catalog is lost, and the next commit notices that it is not in step");
    this.forget();
  }

  private newLines(database: Database): string {
    const lines = recordsOf(database, [...this.touched]).map((record) => this.log.putLine(record));
    for (const id of this.gone) lines.push(this.log.goneLine(id));
    const trees = withoutLive(database, this.trees);
    if (trees.length > 0) lines.push(this.log.treesLine(trees));
    return lines.join("");
  }

  private allLines(database: Database): string {
    const owesSweep = metaNumber(database, "owes_sweep") > 0;
    const all = withoutLive(database, new Set([...this.loggedTrees(), ...restoredTrees(database), ...this.trees]));
    // Until the sweep is done the trees of purged states are there, and none of them may be taken for a checkpoint.
    const trees = owesSweep ? all : all.slice(-MAX_TREES);
    return [
      this.log.headLine(metaNumber(database, "next_number"), owesSweep),
      ...(trees.length === 0 ? [] : [this.log.treesLine(trees)]),
      ...recordsOf(database).map((record) => this.log.putLine(record)),
    ].join("");
  }

  private loggedTrees(): Iterable<string> {
    try {
      return this.log.read()?.trees ?? [];
    } catch (error) {
      // A newer program's log beside a catalog that this one can read: it is replaced by one that fits the catalog.
      if (!CheckpointError.is(error, "newer-format")) throw error;
      return [];
    }
  }
}

/** Rows with what belongs to them, oldest first: all, or these. */
export function recordsOf(database: Database, ids?: readonly string[]): CheckpointRecord[] {
  if (ids?.length === 0) return [];
  const wanted = ids === undefined ? undefined : new Set(ids);
  const checkpoints = ids?.length === 1 ? readCheckpoints(database, -1, ids[0]) : readCheckpoints(database);
  const noted = new Map(
    select(
      database,
      `SELECT c.id, c.rules, s.skipped FROM checkpoints c LEFT JOIN changes s ON s.checkpoint_id = c.id
       WHERE ?1 IS NULL OR c.id IN (SELECT value FROM json_each(?1))`,
      [ids === undefined ? null : JSON.stringify(ids)],
    ).map((row) => [String(row.id), row]),
  );
  return checkpoints
    .filter(({ id }) => wanted?.has(id) !== false)
    .reverse()
    .map((checkpoint) => {
      const row = noted.get(checkpoint.id);
      return {
        checkpoint,
        rules: String(row?.rules ?? "{}"),
        skipped: row?.skipped instanceof Uint8Array ? row.skipped : new Uint8Array(),
      };
    });
}

/** What a restore came from or went to mostly is a checkpoint: a log that denied it would lose it with its own line. */
function withoutLive(database: Database, roots: ReadonlySet<string>): string[] {
  if (roots.size === 0) return [];
  const live = new Set(select(database, "SELECT root_tree FROM checkpoints").map((row) => row.root_tree));
  return [...roots].filter((root) => !live.has(root));
}

function restoredTrees(database: Database): string[] {
  return readRestores(database).flatMap(({ baseRoot, resultRoot }) => [baseRoot, resultRoot]);
}

function metaNumber(database: Database, key: string): number {
  const [row] = select(database, "SELECT value FROM meta WHERE key = ?", [key]);
  return Number(row?.value ?? 0);
}

function setMeta(database: Database, key: string, value: number): void {
  database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value]);
}
