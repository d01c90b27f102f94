import { setImmediate as nextTurn } from "node:timers/promises";
import type { EngineApi } from "../shared/api";
import { CheckpointError, cancelled } from "../shared/errors";
import { DEFAULT_SCAN_OPTIONS, type ScanOptions } from "../shared/saves";
import { wideFolder } from "../shared/wideFolders";
import type { CliEngine, CliEnvironment } from "./environment";
import { interruptedLines } from "./interruptedRestore";
import { countOperand, pathOperand, secondsOperand } from "./operands";
import { printable, type Style, styleFor } from "./output";
import { ProgressLine } from "./progressLine";
import { storeRootOf } from "./storeRoot";
import { findWorkspace, type Workspace } from "./workspace";

/** Options every command takes, as typed. */
export interface GlobalOptions {
  readonly workspace?: string;
  readonly store?: string;
  readonly json?: boolean;
  readonly lockTimeout?: string;
}

/** Another process usually holds the lock for a second or two; a save of a huge tree takes well under this. */
const DEFAULT_LOCK_TIMEOUT_MS = 30_000;

/** On a terminal, lists of paths end here; piped into something they are complete. */
const MAX_LINES_ON_TERMINAL = 200;

/** Of a terminal that does not know its own, or says 0. */
const UNKNOWN_WIDTH = 80;

/** One run of one command: where it works, what it may print, and the engine, opened when first asked for. */
export class Invocation {
  /** Absolute path of the workspace folder. */
  readonly workspace: string;
  readonly json: boolean;
  readonly style: Style;
  /** Of the terminal; undefined when stdout is none. */
  readonly width: number | undefined;

  private readonly isNamed: boolean;
  private readonly lockTimeoutMs: number;
  private readonly progress: ProgressLine;
  private opened: Promise<CliEngine> | undefined;

  /** Finds out where to work, and says so where that is not the current folder. Rejects with `usage`. */
  static async begin(options: GlobalOptions, environment: CliEnvironment): Promise<Invocation> {
    const storeRoot = storeRootOf(options.store, environment);
    const place = await findWorkspace(options.workspace, storeRoot, environment);
    const invocation = new Invocation(options, environment, storeRoot, place);
    if (place.isEnclosing)
      invocation.note(`Using the workspace ${printable(place.folder)} ("--workspace ." takes this folder alone).`);
    return invocation;
  }

  private constructor(
    options: GlobalOptions,
    private readonly environment: CliEnvironment,
    private readonly storeRoot: string,
    private readonly place: Workspace,
  ) {
    const { stdout, env } = environment;
    this.workspace = place.folder;
    this.isNamed = options.workspace !== undefined;
    this.json = options.json === true;
    this.lockTimeoutMs =
      options.lockTimeout === undefined
        ? DEFAULT_LOCK_TIMEOUT_MS
        : secondsOperand(options.lockTimeout, "--lock-timeout");
    this.style = styleFor(stdout, env);
    this.width = stdout.isTTY === true ? stdout.columns || UNKNOWN_WIDTH : undefined;
    this.progress = new ProgressLine(environment);
  }

  /** Throws `usage` when the workspace holds everything there is, and nobody named it. */
  expectMeant(): void {
    const { platform, homeFolder } = this.environment;
    const kind = this.isNamed ? undefined : wideFolder(this.workspace, homeFolder, platform !== "linux");
    if (kind === undefined) return;
    const what = { top: "a whole disk", home: "your home folder", aboveHome: "the folder your home folder is in" }[
      kind
    ];
    throw new CheckpointError(
      "usage",
      `${this.workspace} is ${what}, so a checkpoint would hold everything in it. Go to a project's folder, or name this one if you mean it: --workspace ${shellWord(this.workspace)}`,
    );
  }

  /** A path as typed, as the engine takes it. Throws `usage` when it leads out of the workspace. */
  path(typed: string): string {
    return pathOperand(typed, this.workspace, this.place.pathBase);
  }

  /**
   * The engine of the workspace's store, reporting progress and seeing Ctrl+C. `scansSoon`: the command looks at the whole
   * workspace first of all. `endsRestore`: whatever became of an interrupted restore is settled by the command itself;
   * others say that there is one.
   */
  async engine({ scansSoon = false, endsRestore = false } = {}): Promise<EngineApi> {
    const isFirst = this.opened === undefined;
    this.opened ??= this.environment.openEngine(
      { folder: this.workspace, storeRoot: this.storeRoot },
      { lockTimeoutMs: this.lockTimeoutMs, scansSoon },
    );
    const engine = (await this.opened).observed(this.progress.control);
    if (isFirst && !endsRestore) this.note(await interruptedLines(engine));
    return engine;
  }

  /**
   * What to take in of the workspace: as the newest checkpoint did. Otherwise the window's settings and the command
   * line's defaults would take turns, and what one leaves out would come and go from checkpoint to checkpoint.
   */
  async scan(): Promise<ScanOptions> {
    return (await (await this.engine()).scanOptions()) ?? DEFAULT_SCAN_OPTIONS;
  }

  /** The result for people. */
  print(lines: string | readonly string[]): void {
    this.progress.clear();
    const text = typeof lines === "string" ? lines : lines.join("\n");
    if (text !== "") this.environment.stdout.write(`${text}\n`);
  }

  /** The result for programs: called once, and then nothing else is written to stdout. */
  printJson(value: object): void {
    this.progress.clear();
    this.environment.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Content as it is, without a line feed added. */
  printBytes(content: Uint8Array): void {
    this.progress.clear();
    this.environment.stdout.write(content);
  }

  /**
   * Content that comes in pieces: each is made only after the one before has been taken. Rejects with `cancelled` after
   * Ctrl+C, which is only heard of when the event loop turns: writing to a file or pipe alone never lets it.
   */
  async printPieces(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of pieces) {
      this.progress.clear();
      await new Promise<void>((resolve) => void this.environment.stdout.write(piece, () => resolve()));
      await nextTurn();
      if (this.environment.isCancelled()) throw cancelled();
    }
  }

  /** Something worth knowing that is not the result. */
  note(lines: string | readonly string[]): void {
    this.progress.clear();
    const text = typeof lines === "string" ? lines : lines.join("\n");
    if (text !== "") this.environment.stderr.write(`${text}\n`);
  }

  /** `lines`, cut on a terminal with a word on how many more there are. */
  shortened(lines: readonly string[]): readonly string[] {
    if (this.width === undefined || lines.length <= MAX_LINES_ON_TERMINAL) return lines;
    const more = lines.length - MAX_LINES_ON_TERMINAL;
    return [...lines.slice(0, MAX_LINES_ON_TERMINAL), this.style.dim(`… and ${more} more (all with --json)`)];
  }

  limit(typed: string | undefined): { limit?: number } {
    return typed === undefined ? {} : { limit: countOperand(typed, "--limit") };
  }

  /** Ends what was started. May be called when nothing was. */
  async close(): Promise<void> {
    this.progress.clear();
    if (this.opened === undefined) return;
    const engine = await this.opened.catch(() => undefined);
    await engine?.close();
  }
}

/** A path that can be pasted into a command line. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `"${path}"`;
}
