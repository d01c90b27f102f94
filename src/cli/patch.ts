/**
 * Changes as a patch that `git apply` and `patch -p1` take.
 *
 * Content is handled as one character a byte (latin1), from reading to printing: line feeds are found all the same, and
 * whatever encoding a file has, its bytes come out as they went in. Paths are quoted to ASCII by the library.
 */
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { formatPatch, type StructuredPatch, structuredPatch } from "diff";
import type { Change, EngineApi, EntryState, Side } from "../shared/api";
import { bytesOf, textToPaths } from "../shared/pathText";
import { printable } from "./output";

/** Like git: a NUL early in the file means that lines mean nothing there. */
const BINARY_PROBE_BYTES = 8000;

/**
 * The comparison takes time with the square of the differing lines. Beyond this many a minimal result helps nobody:
 * the whole file is then given as removed and added, which applies just as well.
 */
const MAX_DIFFERING_LINES = 2000;

const CONTEXT_LINES = 3;

/** The patch of all `changes`, in their order. Folders have no place in a patch and are left out. */
export async function formatPatches(
  changes: readonly Change[],
  engine: EngineApi,
  from: Side,
  to: Side,
  workspace: string,
): Promise<Buffer> {
  const pieces: string[] = [];
  for (const change of changes) {
    const before = await versionOf(change.before, change.path, from, engine, workspace);
    const after = await versionOf(change.after, change.path, to, engine, workspace);
    // As git has it: what becomes another type is removed and made anew.
    if (before !== undefined && after !== undefined && before.type !== after.type)
      pieces.push(filePatch(change.path, before, undefined), filePatch(change.path, undefined, after));
    else if (before !== undefined || after !== undefined) pieces.push(filePatch(change.path, before, after));
  }
  return Buffer.from(pieces.join(""), "latin1");
}

interface Version {
  readonly type: "100" | "120";
  /** As in git's headers: "100644", "120000". */
  readonly mode: string;
  /** Bytes as characters. */
  readonly content: string;
}

async function versionOf(
  state: EntryState | undefined,
  path: string,
  side: Side,
  engine: EngineApi,
  workspace: string,
): Promise<Version | undefined> {
  if (state === undefined || state.type === "directory") return undefined;
  const bytes = "ref" in side ? await engine.readFile(side.ref, path) : readFromWorkspace(workspace, path);
  if (bytes === undefined) return undefined;
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (state.type === "symlink") return { type: "120", mode: "120000", content };
  return { type: "100", mode: (state.mode & 0o111) === 0 ? "100644" : "100755", content };
}

/** Undefined when it has gone since it was compared. */
function readFromWorkspace(workspace: string, path: string): Buffer | undefined {
  for (const bytes of textToPaths(path)) {
    const file = Buffer.concat([Buffer.from(`${workspace}/`), bytesOf(bytes)]);
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) return readlinkSync(file, "buffer");
    if (stat?.isFile()) return readFileSync(file);
  }
  return undefined;
}

function filePatch(path: string, before: Version | undefined, after: Version | undefined): string {
  const binary = isBinary(before) || isBinary(after);
  const sameMode = before?.mode === after?.mode;
  const text = formatPatch({
    oldFileName: before === undefined ? "/dev/null" : `a/${path}`,
    newFileName: after === undefined ? "/dev/null" : `b/${path}`,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: binary ? [] : hunksOf(before?.content ?? "", after?.content ?? ""),
    isGit: true,
    isCreate: before === undefined,
    isDelete: after === undefined,
    ...(before === undefined || (after !== undefined && sameMode) ? {} : { oldMode: before.mode }),
    ...(after === undefined || (before !== undefined && sameMode) ? {} : { newMode: after.mode }),
  });
  if (!binary || before?.content === after?.content) return text;
  const name = (version: Version | undefined, side: string) =>
    version === undefined ? "/dev/null" : `${side}/${printable(path)}`;
  return `${text}Binary files ${name(before, "a")} and ${name(after, "b")} differ\n`;
}

function isBinary(version: Version | undefined): boolean {
  return version?.content.slice(0, BINARY_PROBE_BYTES).includes("\0") === true;
}

function hunksOf(before: string, after: string): StructuredPatch["hunks"] {
  const options = { context: CONTEXT_LINES, maxEditLength: MAX_DIFFERING_LINES };
  const patch = structuredPatch("", "", before, after, undefined, undefined, options);
  return patch?.hunks ?? [wholeFileHunk(before, after)];
}

function wholeFileHunk(before: string, after: string): StructuredPatch["hunks"][number] {
  const removed = linesOf(before, "-");
  const added = linesOf(after, "+");
  return {
    oldStart: 1,
    oldLines: removed.count,
    newStart: 1,
    newLines: added.count,
    lines: [...removed.lines, ...added.lines],
  };
}

function linesOf(text: string, sign: "-" | "+"): { count: number; lines: string[] } {
  if (text === "") return { count: 0, lines: [] };
  const ended = text.endsWith("\n");
  const lines = (ended ? text.slice(0, -1) : text).split("\n").map((line) => sign + line);
  return { count: lines.length, lines: ended ? lines : [...lines, "\\ No newline at end of file"] };
}
