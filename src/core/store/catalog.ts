/**
 * The catalog: an SQLite image in one file, the commit point of a store. A checkpoint exists once the file that holds
 * its row has been renamed into place; until then everything else a save wrote is garbage that harms nobody.
 *
 * It holds small rows only. Its size must not depend on how many files a workspace has: it is held in memory whole and
 * written whole at each commit (sql.js has no other way; 10,000 rows = 1.5 MB take 4 ms to export).
 *
 * A save asks for the newest checkpoint alone, so rows are read when they are asked for: with 1,000 checkpoints all
 * rows take a fresh process 50 ms (CPU), the newest one under 1 ms. What a save still pays for those before it is the
 * image: read and summed under the lock, exported and written at the commit.
 *
 * Changes are made in memory first; `commit` publishes them. Whoever changes it holds the project lock and has called
 * `reloadExactly` after getting it. Readers need no lock: they see the old file or the new one.
 */
import type { Database, SqlJsStatic } from "sql.js";
import type { Change } from "../../shared/changes";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError } from "../../shared/errors";
import type { Skipped } from "../../shared/saves";
import type { FileSystem } from "../fs/fileSystem";
import { publishFile, readWholeFile } from "../fs/publishFile";
import { imageSignature, isWholeImage } from "./catalogImage";
import { CATALOG_SCHEMA, CATALOG_SCHEMA_VERSION } from "./catalogSchema";
import { changesText, type Differences, decodeChanges, encodeChanges } from "./changeList";
import { insertCheckpoint, readCheckpoints } from "./checkpointRows";
import type { Codecs } from "./codecs";
import { deleteRestore, insertRestore, type RestoreRow, readRestores, updateRestore } from "./restoreRows";
import { decodeSkipped, encodeSkipped, type SkippedList } from "./skippedList";
import { select, toSql } from "./sqlRows";
import { CATALOG_FILE, describeStore } from "./storeLayout";

const NO_BYTES = new Uint8Array();

export interface CatalogDeps {
  readonly fs: FileSystem;
  readonly codecs: Codecs;
  readonly sqlite: SqlJsStatic;
  readonly nonce: () => string;
}

/** The catalog's file at one moment; nothing in it while there is none. */
interface FoundImage {
  readonly signature: string;
  readonly image: Buffer | undefined;
  /** XXH64. */
  readonly sum: bigint | undefined;
}

export class Catalog {
  private database: Database;
  private signature = "";
  /** XXH64 of the image that the database was read from or written to; undefined: there was none. */
  private imageSum: bigint | undefined;
  /** All of them, newest first; undefined: not read yet. */
  private rows: readonly Checkpoint[] | undefined;
  /** Undefined: not read yet, or there is none. */
  private newest: Checkpoint | undefined;
  /** False after a load that failed: what is in memory is then nobody's. */
  private isLoaded = false;

  private constructor(
    private readonly deps: CatalogDeps,
    private readonly folder: string,
  ) {
    this.database = new deps.sqlite.Database();
  }

  /** Opens the catalog of a store, or an empty one that comes into being with the first commit. */
  static open(deps: CatalogDeps, folder: string): Catalog {
    const catalog = new Catalog(deps, folder);
    catalog.load();
    return catalog;
  }

  /**
   * Takes in what another process committed. Uncommitted changes are lost. True when there was something new. Goes by
   * the file's times and header, which is enough for showing something.
   */
  reload(): boolean {
    if (this.isLoaded && this.currentSignature() === this.signature) return false;
    this.load();
    return true;
  }

  /**
   * As `reload`, by the whole content (2 MB: under a millisecond). Before a change nothing less will do: sizes are
   * multiples of a page, inodes are used again, clocks tick slowly; and what is missed here the next commit would
   * erase.
   */
  reloadExactly(): void {
    const found = this.readImage();
    if (!this.isLoaded || found.sum !== this.imageSum) this.load(found);
  }

  /** Forgets uncommitted changes, after a failed operation. */
  rollback(): void {
    this.load();
  }

  /** Makes all changes durable at once. On error the file is as before; call `rollback`. */
  commit(): void {
    this.database.run("UPDATE meta SET value = value + 1 WHERE key = 'generation'");
    // Where readers find it without opening the database: in the file's header. (31 bits are enough to tell neighbours
    // apart.)
    const [row] = select(this.database, "SELECT value FROM meta WHERE key = 'generation'");
    this.database.run(`PRAGMA user_version = ${Number(row?.value) % 2 ** 31}`);
    const image = this.database.export();
    publishFile(this.deps.fs, this.folder, CATALOG_FILE, image, this.deps.nonce());
    this.signature = this.currentSignature();
    this.imageSum = this.deps.codecs.xxh64(image);
  }

  /** Newest first. */
  get checkpoints(): readonly Checkpoint[] {
    this.rows ??= this.intact(() => readCheckpoints(this.database));
    return this.rows;
  }

  get latest(): Checkpoint | undefined {
    this.newest ??= this.rows === undefined ? this.intact(() => readCheckpoints(this.database, 1)[0]) : this.rows[0];
    return this.newest;
  }

  get bytes(): number {
    return this.deps.fs.lstat(this.path)?.size ?? 0;
  }

  /** The number the next checkpoint gets; numbers are never used twice. */
  nextNumber(): number {
    const [row] = select(this.database, "SELECT value FROM meta WHERE key = 'next_number'");
    return Number(row?.value ?? 1);
  }

  /** Adds a checkpoint with what changed in it (undefined: too long a list to keep) and what could not be saved. */
  insert(
    checkpoint: Checkpoint,
    changes: readonly Change[] | undefined,
    skipped: readonly Skipped[],
    rules: string,
  ): void {
    insertCheckpoint(this.database, checkpoint, rules);
    this.database.run("INSERT INTO changes (checkpoint_id, list, skipped) VALUES (?, ?, ?)", [
      checkpoint.id,
      changes === undefined ? null : encodeChanges(this.deps.codecs, changes),
      skipped.length === 0 ? NO_BYTES : encodeSkipped(this.deps.codecs, skipped),
    ]);
    this.database.run("UPDATE meta SET value = ? WHERE key = 'next_number'", [checkpoint.number + 1]);
    if (this.rows !== undefined) this.rows = [checkpoint, ...this.rows];
    this.newest = checkpoint;
  }

  update(id: string, fields: { name?: string | null; note?: string | null; pinned?: boolean }): void {
    for (const [field, value] of Object.entries(fields))
      this.database.run(`UPDATE checkpoints SET ${field} = ? WHERE id = ?`, [toSql(value), id]);
    this.forgetRows();
  }

  /**
   * Removes checkpoints; children of a removed one become children of its parent. Rows of restores stay, also those
   * whose state before is gone by this: without them the others would not be where they belong in the stack.
   */
  remove(
    ids: ReadonlySet<string>,
    differencesOf: (child: Checkpoint, parent: Checkpoint | undefined) => Differences,
  ): void {
    const rows = this.checkpoints;
    const known = new Map(rows.map((row) => [row.id, row]));
    for (const row of rows) {
      let parent = row.parentId;
      while (parent !== null && ids.has(parent)) parent = known.get(parent)?.parentId ?? null;
      if (parent === row.parentId || ids.has(row.id)) continue;
      // What it changed was said against the removed parent.
      const { counts, list } = differencesOf(row, parent === null ? undefined : known.get(parent));
      this.database.run("UPDATE checkpoints SET parent_id = ?, added = ?, changed = ?, removed = ? WHERE id = ?", [
        parent,
        counts.added,
        counts.changed,
        counts.removed,
        row.id,
      ]);
      this.database.run("UPDATE changes SET list = ? WHERE checkpoint_id = ?", [
        list === undefined ? null : encodeChanges(this.deps.codecs, list),
        row.id,
      ]);
    }
    for (const id of ids) {
      this.database.run("DELETE FROM checkpoints WHERE id = ?", [id]);
      this.database.run("DELETE FROM changes WHERE checkpoint_id = ?", [id]);
    }
    this.forgetRows();
  }

  /** What changed against the parent; undefined when the list was too long to keep. */
  changesOf(id: string): readonly Change[] | undefined {
    const [row] = select(this.database, "SELECT list FROM changes WHERE checkpoint_id = ?", [id]);
    return row?.list instanceof Uint8Array ? decodeChanges(this.deps.codecs, row.list) : undefined;
  }

  /**
   * The lists of many checkpoints at once, as JSON (see `parseChanges`), undefined where none was kept. Those whose
   * frame has more than `maxBytes` are left out. Asked for one by one they would take 35 µs each, most of it in sql.js.
   */
  changeTexts(ids: readonly string[], maxBytes: number): Map<string, Buffer | undefined> {
    const [row] = select(
      this.database,
      `SELECT json_group_array(json_array(checkpoint_id, hex(list))) AS lists FROM changes
       WHERE checkpoint_id IN (SELECT value FROM json_each(?)) AND ifnull(length(list), 0) <= ?`,
      [JSON.stringify(ids), maxBytes],
    );
    const lists = JSON.parse(String(row?.lists)) as [id: string, hex: string][];
    const { codecs } = this.deps;
    return new Map(
      lists.map(([id, hex]) => [id, hex === "" ? undefined : changesText(codecs, Buffer.from(hex, "hex"))]),
    );
  }

  /** What could not be saved; of very many the first, and the folders of the rest. */
  skippedOf(id: string): SkippedList {
    const [row] = select(this.database, "SELECT skipped FROM changes WHERE checkpoint_id = ?", [id]);
    return row?.skipped instanceof Uint8Array && row.skipped.length > 0
      ? decodeSkipped(this.deps.codecs, row.skipped)
      : { listed: [], folders: [] };
  }

  /** The scan options in force when the checkpoint was made, as written by `insert`. */
  rulesOf(id: string): string {
    const [row] = select(this.database, "SELECT rules FROM checkpoints WHERE id = ?", [id]);
    return String(row?.rules ?? "{}");
  }

  /** Answers the row's id. */
  addRestore(row: Omit<RestoreRow, "id">): number {
    return insertRestore(this.database, row);
  }

  /** What a restore did in the end, where that is less than its row said when it began. */
  amendRestore(id: number, done: Pick<RestoreRow, "baseRoot" | "resultRoot" | "files">): void {
    updateRestore(this.database, id, done);
  }

  /** As if it had never been: it was taken back before it was over. */
  removeRestore(id: number): void {
    deleteRestore(this.database, id);
  }

  /** Oldest first. */
  restores(): readonly RestoreRow[] {
    return readRestores(this.database);
  }

  close(): void {
    this.database.close();
  }

  private readImage(): FoundImage {
    // The signature first: of a file that is replaced in between it is the older one's, and the next reload sees that.
    const signature = this.currentSignature();
    const image = readWholeFile(this.deps.fs, this.path);
    return { signature, image, sum: image === undefined ? undefined : this.deps.codecs.xxh64(image) };
  }

  private load(found?: FoundImage): void {
    this.isLoaded = false;
    const { signature, image, sum } = found ?? this.readImage();
    // Throws where there should be one: an empty catalog would make garbage of all that is stored.
    if (image === undefined) describeStore(this.deps.fs, { folder: this.folder });
    this.database.close();
    this.database = new this.deps.sqlite.Database(image ?? null);
    this.forgetRows();
    this.intact(() => {
      if (image === undefined) this.database.exec(CATALOG_SCHEMA);
      else if (!isWholeImage(image)) throw new Error("its size is not what it says");
      this.checkVersion();
      this.newest = readCheckpoints(this.database, 1)[0];
    });
    this.signature = signature;
    this.imageSum = sum;
    this.isLoaded = true;
  }

  private forgetRows(): void {
    this.rows = undefined;
    this.newest = undefined;
  }

  /** What SQLite says of pages that are not as they should be, in our words. */
  private intact<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause;
      throw new CheckpointError(
        "damaged",
        `The catalog ${this.path} is damaged. Run "Verify Store" to see what can be saved.`,
        { cause, details: { path: this.path } },
      );
    }
  }

  private get path(): string {
    return `${this.folder}/${CATALOG_FILE}`;
  }

  private currentSignature(): string {
    return imageSignature(this.deps.fs, this.deps.codecs, this.path);
  }

  private checkVersion(): void {
    const [row] = select(this.database, "SELECT value FROM meta WHERE key = 'schema_version'");
    const version = Number(row?.value);
    if (version > CATALOG_SCHEMA_VERSION)
      throw new CheckpointError(
        "newer-format",
        `The catalog in ${this.folder} was written by a newer version of Checkpoint (schema ${version}). Update Checkpoint; the store was not touched.`,
      );
  }
}
