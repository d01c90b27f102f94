/** Finds in a CPU profile of the extension host where the extension kept the thread without a break. */
import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import path from "node:path";
import esbuild from "esbuild";
import { RELEASE_OPTIONS } from "../../esbuild.config.mjs";

export interface LongRun {
  /** From one idle moment to the next. */
  readonly totalMs: number;
  /** The part below a function of the extension. Reading an answer of the worker is above it, and shows as "(program)". */
  readonly ownMs: number;
  /** What took longest, by the innermost function of the extension, or VS Code's own function where there is none. */
  readonly frames: readonly { readonly where: string; readonly ms: number }[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Stretch {
  totalUs: number;
  ownUs: number;
  readonly us: Map<string, number>;
}

const SHOWN_RUNS = 3;
const SHOWN_FRAMES = 8;
/** Shorter ones cannot be felt. */
const MIN_RUN_MS = 8;

/** The longest runs in which the extension had a part, longest first. */
export async function longestRuns(
  file: string,
  { project, extensionId }: { readonly project: string; readonly extensionId: string },
): Promise<LongRun[]> {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, "utf8")) as Profile;
  const original = await sourceNames(project);
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const isOwn = (frame: CallFrame) => frame.url.includes(`/${extensionId}-`);
  /** The innermost function of the extension on a sample's stack, and otherwise the innermost of all. */
  const place = (node: number) => {
    for (let id: number | undefined = node; id !== undefined; id = parents.get(id)) {
      const frame = frames.get(id);
      if (frame && isOwn(frame)) return { where: original(frame), own: true };
    }
    const frame = frames.get(node) as CallFrame;
    return { where: `${frame.functionName || "(anonymous)"} ${path.basename(frame.url)}`, own: false };
  };

  const stretches: Stretch[] = [];
  let current: Stretch | undefined;
  for (const [index, node] of samples.entries()) {
    // A delta is the time since the sample before; what a sample found went on until the next one.
    const us = timeDeltas[index + 1] ?? 0;
    if (frames.get(node)?.functionName === "(idle)") {
      current = undefined;
      continue;
    }
    if (!current) {
      current = { totalUs: 0, ownUs: 0, us: new Map() };
      stretches.push(current);
    }
    const { where, own } = place(node);
    current.totalUs += us;
    if (own) current.ownUs += us;
    current.us.set(where, (current.us.get(where) ?? 0) + us);
  }
  return stretches
    .filter(({ totalUs, ownUs }) => ownUs > 0 && totalUs > MIN_RUN_MS * 1000)
    .sort((a, b) => b.totalUs - a.totalUs)
    .slice(0, SHOWN_RUNS)
    .map(({ totalUs, ownUs, us }) => ({
      totalMs: totalUs / 1000,
      ownMs: ownUs / 1000,
      frames: [...us]
        .sort(([, a], [, b]) => b - a)
        .slice(0, SHOWN_FRAMES)
        .map(([where, spent]) => ({ where, ms: spent / 1000 })),
    }));
}

/** What is packed is minified: the same bundle, built once more with its map, tells what a place was called. */
async function sourceNames(project: string): Promise<(frame: CallFrame) => string> {
  const built = await esbuild.build({
    ...RELEASE_OPTIONS,
    absWorkingDir: project,
    entryPoints: ["src/extension.ts"],
    outdir: "dist",
    write: false,
    sourcemap: "external",
  });
  const map = built.outputFiles.find((each) => each.path.endsWith(".map"));
  const source = new SourceMap(JSON.parse(map?.text ?? "{}"));
  return ({ functionName, lineNumber, columnNumber }) => {
    const entry = source.findEntry(lineNumber, columnNumber);
    if (!("originalSource" in entry)) return `${functionName} (bundle ${lineNumber + 1}:${columnNumber + 1})`;
    return `${functionName} ${entry.originalSource.replace(/^.*\/src\//, "src/")}:${entry.originalLine + 1}`;
  };
}
