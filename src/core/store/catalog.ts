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
import type { Database, SqlJsStatic, SqlValue } from "sql.js";
import type { Change } from "../../shared/changes";
import type { Checkpoint } from "../../shared/checkpoints";
import { CheckpointError, ignoreFailure } from "../../shared/errors";
import type { Skipped } from "../../shared/saves";
import type { FileSystem } from "../fs/fileSystem";
import { publishFile, readWholeFile } from "../fs/publishFile";
import { hasIntactSeal, imageSignature, isWholeImage, sealImage } from "./catalogImage";
import { CatalogLog } from "./catalogLog";
import { salvageRecords } from "./catalogSalvage";
import { CATALOG_SCHEMA, CATALOG_SCHEMA_VERSION } from "./catalogSchema";
import { changesText, type Differences, decodeChanges, encodeChanges } from "./changeList";
import { CheckpointLog, type CheckpointRecord, LOG_FILE, type LoggedCheckpoints } from "./checkpointLog";
import { insertCheckpoint, readCheckpoints } from "./checkpointRows";
import type { Codecs } from "./codecs";
import { deleteRestore, insertRestore, type RestoreRow, readRestores, updateRestore } from "./restoreRows";
import { decodeSkipped, encodeSkipped, encodeSkippedList, type SkippedList } from "./skippedList";
import { select, toSql } from "./sqlRows";
import { CATALOG_FILE, describeStore, lostCatalog } from "./storeLayout";

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
  private readonly log: CheckpointLog;
  private readonly logged: CatalogLog;

  private constructor(
    private readonly deps: CatalogDeps,
    private readonly folder: string,
  ) {
    this.database = new deps.sqlite.Database();
    this.log = new CheckpointLog({ ...deps, folder });
    this.logged = new CatalogLog(this.log);
  }

  /** Opens the catalog of a store, or an empty one that comes into being with the first commit. */
  static open(deps: CatalogDeps, folder: string): Catalog {
    const catalog = new Catalog(deps, folder);
    catalog.load();
    return catalog;
  }

  /** As `open`; but of one that is damaged or lost, only its use throws that: until then it may be made anew. */
  static openAnyhow(deps: CatalogDeps, folder: string): Catalog {
    const catalog = new Catalog(deps, folder);
    try {
      catalog.load();
    } catch (error) {
      if (!CheckpointError.is(error, "damaged")) throw error;
    }
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
    const [row] = this.ask("SELECT value FROM meta WHERE key = 'generation'");
    this.database.run(`PRAGMA user_version = ${Number(row?.value) % 2 ** 31}`);
    const logWrite = this.logged.plan(this.database);
    const exported = this.database.export();
    const image = Buffer.from(exported.buffer, exported.byteOffset, exported.byteLength);
    sealImage(this.deps.codecs, image);
    const before = readWholeFile(this.deps.fs, this.path);
    try {
      publishFile(this.deps.fs, this.folder, CATALOG_FILE, image, this.deps.nonce());
    } catch (error) {
      ignoreFailure(() => this.putBack(before), "the new one is as whole as the old; whether it stays nobody knows");
      throw error;
    }
    this.imageSum = this.deps.codecs.xxh64(image);
    this.signature = "";
    ignoreFailure(() => {
      this.signature = this.currentSignature();
    }, "it is committed; not knowing the file by its looks, the next reload reads it");
    this.logged.write(logWrite, this.deps.nonce());
  }

  /** What `checkpoints.log` says; undefined when there is none. Throws `newer-format`. */
  readLog(): LoggedCheckpoints | undefined {
    return this.log.read();
  }

  /** Whether lines of the log are not as they were written. One that is only behind is none: a commit makes it anew. */
  hasDamagedLog(): boolean {
    const logged = this.log.read();
    if (logged === undefined) return false;
    return logged.badLines > 0 || (logged.isTorn && this.isLoaded && this.logged.isInStep(this.database));
  }

  /** Writes the log anew. */
  renewLog(): void {
    this.logged.startAnew();
    this.commit();
  }

  /** What can still be read of the file, should it be damaged; nothing if it is not there. */
  salvage(): CheckpointRecord[] {
    const image = readWholeFile(this.deps.fs, this.path);
    return image === undefined ? [] : salvageRecords(this.deps.sqlite, image);
  }

  /**
   * Begins anew with these checkpoints, in place of a catalog that cannot be used; to be committed. What changed in each
   * is told by the trees (there are no lists), and nothing can be undone.
   */
  rebuild(records: readonly CheckpointRecord[], nextNumber: number): void {
    this.database.close();
    this.database = new this.deps.sqlite.Database();
    this.database.exec(CATALOG_SCHEMA);
    this.forgetRows();
    for (const { checkpoint, rules, skipped } of records) {
      insertCheckpoint(this.database, checkpoint, rules);
      this.database.run("INSERT INTO changes (checkpoint_id, list, skipped) VALUES (?, NULL, ?)", [
        checkpoint.id,
        skipped,
      ]);
    }
    this.database.run("UPDATE meta SET value = ? WHERE key = 'next_number'", [nextNumber]);
    this.logged.startAnew();
    this.isLoaded = true;
  }

  /** It may have its name already, with only the folder's sync failed: what was told to have failed must not be there. */
  private putBack(before: Buffer | undefined): void {
    const { fs, nonce } = this.deps;
    const now = readWholeFile(fs, this.path);
    if (now === undefined || (before !== undefined && now.equals(before))) return;
    if (before === undefined) fs.unlink(this.path);
    else publishFile(fs, this.folder, CATALOG_FILE, before, nonce());
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
    const [row] = this.ask("SELECT value FROM meta WHERE key = 'next_number'");
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
    this.logged.touch(checkpoint.id);
    if (this.rows !== undefined) this.rows = [checkpoint, ...this.rows];
    this.newest = checkpoint;
  }

  update(id: string, fields: { name?: string | null; note?: string | null; pinned?: boolean }): void {
    for (const [field, value] of Object.entries(fields))
      this.database.run(`UPDATE checkpoints SET ${field} = ? WHERE id = ?`, [toSql(value), id]);
    this.logged.touch(id);
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
      if (ids.has(row.id)) this.logged.drop(row.id, row.rootTree);
      if (parent === row.parentId || ids.has(row.id)) continue;
      this.logged.touch(row.id);
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

  /** Another tree in the place of a checkpoint's own, with what is to be said of it. */
  retell(
    id: string,
    told: Pick<Checkpoint, "rootTree" | "files" | "bytes"> & { readonly differences: Differences },
  ): void {
    const { counts, list } = told.differences;
    const [before] = this.ask("SELECT root_tree FROM checkpoints WHERE id = ?", [id]);
    if (before !== undefined) this.logged.noteTrees(String(before.root_tree));
    this.database.run(
      "UPDATE checkpoints SET root_tree = ?, total_files = ?, total_bytes = ?, added = ?, changed = ?, removed = ? WHERE id = ?",
      [told.rootTree, told.files, told.bytes, counts.added, counts.changed, counts.removed, id],
    );
    this.database.run("UPDATE changes SET list = ? WHERE checkpoint_id = ?", [
      list === undefined ? null : encodeChanges(this.deps.codecs, list),
      id,
    ]);
    this.logged.touch(id);
    this.forgetRows();
  }

  /** Other words on how a checkpoint was scanned. */
  renote(id: string, noted: { rules: string; skipped: SkippedList; skippedTotal: number }): void {
    const { listed, folders } = noted.skipped;
    this.database.run("UPDATE checkpoints SET rules = ?, skipped = ? WHERE id = ?", [
      noted.rules,
      noted.skippedTotal,
      id,
    ]);
    this.database.run("UPDATE changes SET skipped = ? WHERE checkpoint_id = ?", [
      listed.length + folders.length === 0 ? NO_BYTES : encodeSkippedList(this.deps.codecs, noted.skipped),
      id,
    ]);
    this.forgetRows();
  }

  /** Content that was purged may still lie in packs: the next sweep must leave no garbage at all. */
  get owesSweep(): boolean {
    return this.ask("SELECT value FROM meta WHERE key = 'owes_sweep'").length > 0;
  }

  set owesSweep(owed: boolean) {
    this.database.run(
      owed ? "INSERT OR REPLACE INTO meta VALUES ('owes_sweep', 1)" : "DELETE FROM meta WHERE key = 'owes_sweep'",
    );
    // Its first line says so, too.
    this.logged.startAnew();
  }

  /** From the next commit on the file holds nothing of what rows said before. */
  dropFreePages(): void {
    this.database.run("VACUUM");
    this.logged.startAnew();
  }

  /** What changed against the parent; undefined when the list was too long to keep. */
  changesOf(id: string): readonly Change[] | undefined {
    const [row] = this.ask("SELECT list FROM changes WHERE checkpoint_id = ?", [id]);
    return row?.list instanceof Uint8Array ? decodeChanges(this.deps.codecs, row.list) : undefined;
  }

  /**
   * The lists of many checkpoints at once, as JSON (see `parseChanges`), undefined where none was kept. Those whose
   * frame has more than `maxBytes` are left out. Asked for one by one they would take 35 µs each, most of it in sql.js.
   */
  changeTexts(ids: readonly string[], maxBytes: number): Map<string, Buffer | undefined> {
    const [row] = this.ask(
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
    const [row] = this.ask("SELECT skipped FROM changes WHERE checkpoint_id = ?", [id]);
    return row?.skipped instanceof Uint8Array && row.skipped.length > 0
      ? decodeSkipped(this.deps.codecs, row.skipped)
      : { listed: [], folders: [] };
  }

  /** The scan options in force when the checkpoint was made, as written by `insert`. */
  rulesOf(id: string): string {
    const [row] = this.ask("SELECT rules FROM checkpoints WHERE id = ?", [id]);
    return String(row?.rules ?? "{}");
  }

  /** Answers the row's id. */
  addRestore(row: Omit<RestoreRow, "id">): number {
    this.logged.noteTrees(row.baseRoot, row.resultRoot);
    return insertRestore(this.database, row);
  }

  /** What a restore did in the end, where that is less than its row said when it began. */
  amendRestore(id: number, done: Pick<RestoreRow, "baseRoot" | "resultRoot" | "files">): void {
    this.logged.noteTrees(done.baseRoot, done.resultRoot);
    updateRestore(this.database, id, done);
  }

  /** As if it had never been: it was taken back before it was over. */
  removeRestore(id: number): void {
    deleteRestore(this.database, id);
  }

  /** Oldest first. */
  restores(): readonly RestoreRow[] {
    return this.intact(() => readRestores(this.database));
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
    if (image === undefined) {
      describeStore(this.deps.fs, { folder: this.folder });
      if (this.deps.fs.lstat(`${this.folder}/${LOG_FILE}`) !== undefined) throw lostCatalog(this.folder);
    }
    this.logged.forget();
    this.database.close();
    this.database = new this.deps.sqlite.Database(image ?? null);
    this.forgetRows();
    this.intact(() => {
      if (image === undefined) this.database.exec(CATALOG_SCHEMA);
      else if (!isWholeImage(image)) throw new Error("its size is not what it says");
      else if (!hasIntactSeal(this.deps.codecs, image)) throw new Error("it is not as it was written");
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

  private ask(query: string, parameters: SqlValue[] = []): Record<string, SqlValue>[] {
    return this.intact(() => select(this.database, query, parameters));
  }

  /** What SQLite says of pages that are not as they should be, in our words. */
  private intact<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause;
      throw new CheckpointError(
        "damaged",
        `The catalog ${this.path} is damaged. Run "Repair Store": it makes the list of checkpoints anew. Nothing was touched.`,
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
    const [row] = this.ask("SELECT value FROM meta WHERE key = 'schema_version'");
    const version = Number(row?.value);
    if (version > CATALOG_SCHEMA_VERSION)
      throw new CheckpointError(
        "newer-format",
        `The catalog in ${this.folder} was written by a newer version of Checkpoint (schema ${version}). Update Checkpoint; the store was not touched.`,
      );
  }
}
