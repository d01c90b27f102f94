/**
 * A workspace with a store and an open engine. After each test every store made here must be sound (verify --full) and
 * nothing unfinished may lie about: no temp file, no lock, neither in the store nor in the workspace.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { type Engine, type EngineOptions, openEngine } from "../../src/core/engine";
import { nodeFileSystem } from "../../src/core/fs/nodeFileSystem";
import type { Checkpoint } from "../../src/shared/checkpoints";
import { TEMP_PREFIX } from "../../src/shared/leftOutNames";
import type { RestoreRequest, RestoreResult } from "../../src/shared/restores";
import { DEFAULT_SCAN_OPTIONS, type SaveRequest, type SaveResult, type ScanOptions } from "../../src/shared/saves";
import { type Snapshot, type SnapshotOptions, snapshotTree } from "./snapshotTree";
import { tempFolder } from "./tempFolders";
import { createTree, type TreeLiteral } from "./treeLiteral";

const project = join(import.meta.dirname, "../..");
export const LANE_SCRIPT = join(project, "dist/lane.js");
export const CLI_SCRIPT = join(project, "dist/cli.js");
export const SQL_WASM = join(project, "dist/sql-wasm.wasm");

export interface TestOptions extends Partial<EngineOptions> {
  readonly workspace?: string;
  readonly storeRoot?: string;
  readonly scan?: Partial<ScanOptions>;
}

const opened: TestWorkspace[] = [];

/** A temp workspace with this content, a temp store, and an engine without lanes unless asked for. */
export async function openTestEngine(tree: TreeLiteral = {}, options: TestOptions = {}): Promise<TestWorkspace> {
  const workspace = options.workspace ?? tempFolder("workspace");
  createTree(workspace, tree);
  const storeRoot = options.storeRoot ?? tempFolder("store");
  const test = new TestWorkspace(workspace, storeRoot, options);
  opened.push(test);
  await test.reopen();
  return test;
}

export class TestWorkspace {
  engine!: Engine;
  /** False for tests that damage the store, or kill something on purpose. */
  checkAfterwards = true;

  constructor(
    readonly folder: string,
    readonly storeRoot: string,
    private readonly options: TestOptions,
  ) {}

  get scan(): ScanOptions {
    return { ...DEFAULT_SCAN_OPTIONS, ...this.options.scan };
  }

  /** The store of the workspace as a whole. */
  get store(): string {
    const [id, ...more] = fs.readdirSync(join(this.storeRoot, "stores"));
    if (id === undefined || more.length > 0) throw new Error("not exactly one store");
    return join(this.storeRoot, "stores", id);
  }

  /** As after a restart: another engine, which knows only what is on disk. */
  async reopen(): Promise<void> {
    await this.engine?.close();
    this.engine = await this.another();
  }

  /** A second engine on the same store, or on another one; the caller closes it. */
  another(options: Partial<EngineOptions> = {}, root = this.storeRoot): Promise<Engine> {
    const { workspace, storeRoot, scan, ...engineOptions } = this.options;
    return openEngine(
      { folder: this.folder, storeRoot: root },
      { sqlWasmPath: SQL_WASM, ...engineOptions, ...options },
    );
  }

  path(...segments: string[]): string {
    return join(this.folder, ...segments);
  }

  write(path: string, content: string | Buffer): void {
    fs.writeFileSync(this.path(path), content);
  }

  read(path: string): string {
    return fs.readFileSync(this.path(path), "utf8");
  }

  exists(path: string): boolean {
    return fs.lstatSync(this.path(path), { throwIfNoEntry: false }) !== undefined;
  }

  snapshot(options?: SnapshotOptions): Snapshot {
    return snapshotTree(this.folder, options);
  }

  save(request: Partial<SaveRequest> = {}): Promise<SaveResult> {
    return this.engine.save({ kind: "manual", trigger: "manual", scan: this.scan, ...request });
  }

  /** Saves, and expects a checkpoint. */
  async checkpoint(request: Partial<SaveRequest> = {}): Promise<Checkpoint> {
    const { checkpoint, noChange } = await this.save(request);
    expect(noChange).toBe(false);
    if (checkpoint === null) throw new Error("no checkpoint");
    return checkpoint;
  }

  restore(checkpoint: Checkpoint | string, request: Partial<RestoreRequest> = {}): Promise<RestoreResult> {
    const ref = typeof checkpoint === "string" ? checkpoint : checkpoint.id;
    return this.engine.restore({ ref, scan: this.scan, ...request });
  }

  undo(): Promise<RestoreResult> {
    return this.engine.undo(this.scan);
  }

  redo(): Promise<RestoreResult> {
    return this.engine.redo(this.scan);
  }

  /** What must hold after whatever was done. */
  async expectSound(): Promise<void> {
    const engine = await this.another({ fs: nodeFileSystem });
    try {
      const { problems, damaged, ok } = await engine.verify({ full: true });
      expect({ problems, damaged, ok }).toEqual({ problems: [], damaged: [], ok: true });
    } finally {
      await engine.close();
    }
    expect(unfinished(this.folder)).toEqual([]);
    expect(unfinished(this.storeRoot)).toEqual([]);
  }
}

/**
 * Temp files and locks below a folder. But for temp files beside a lock: such a file may be somebody's who is about to
 * give it the lock's name, so one that a killed process left goes when it is a minute old (see lock.test.ts).
 */
export function unfinished(folder: string): string[] {
  return Object.keys(snapshotTree(folder)).filter((path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const isTemp = name.startsWith(TEMP_PREFIX) && !path.includes("/locks/");
    return isTemp || name === "project.lock" || name.startsWith("project.takeover");
  });
}

/** What tests that make their own temp files call before the check. */
export async function closeAll(): Promise<void> {
  for (const test of opened.splice(0)) {
    await test.engine.close();
    if (test.checkAfterwards) await test.expectSound();
  }
}

afterEach(closeAll);
