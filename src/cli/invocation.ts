import * as path from "node:path";
import { DEFAULT_SCAN_OPTIONS, type EngineApi, type ScanOptions } from "../shared/api";
import type { CliEngine, CliEnvironment } from "./environment";
import { countOperand, secondsOperand } from "./operands";
import { type Style, styleFor } from "./output";
import { ProgressLine } from "./progressLine";
import { storeRootOf } from "./storeRoot";

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

/** One run of one command: where it works, what it may print, and the engine, opened when first asked for. */
export class Invocation {
  /** Absolute path of the workspace folder. */
  readonly workspace: string;
  readonly json: boolean;
  readonly style: Style;
  /** Of the terminal; undefined when stdout is none. */
  readonly width: number | undefined;
  /** Commands that look at the workspace use the defaults; `save` has options on top. */
  readonly scan: ScanOptions = DEFAULT_SCAN_OPTIONS;

  private readonly storeRoot: string;
  private readonly lockTimeoutMs: number;
  private readonly progress: ProgressLine;
  private opened: Promise<CliEngine> | undefined;

  constructor(
    options: GlobalOptions,
    private readonly environment: CliEnvironment,
  ) {
    const { stdout, env, cwd } = environment;
    this.workspace = path.resolve(cwd, options.workspace ?? ".");
    this.storeRoot = storeRootOf(options.store, environment);
    this.json = options.json === true;
    this.lockTimeoutMs =
      options.lockTimeout === undefined
        ? DEFAULT_LOCK_TIMEOUT_MS
        : secondsOperand(options.lockTimeout, "--lock-timeout");
    this.style = styleFor(stdout, env);
    this.width = stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
    this.progress = new ProgressLine(environment);
  }

  /** The engine of the workspace's store, reporting progress and seeing Ctrl+C. */
  async engine(): Promise<EngineApi> {
    this.opened ??= this.environment.openEngine(
      { folder: this.workspace, storeRoot: this.storeRoot },
      { lockTimeoutMs: this.lockTimeoutMs },
    );
    return (await this.opened).observed(this.progress.control);
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
