/**
 * Changes as a patch that `git apply` and `patch -p1` take.
 *
 * Content is handled as one character a byte (latin1), from reading to printing: line feeds are found all the same, and
 * whatever encoding a file has, its bytes come out as they went in. Paths are quoted to ASCII by the library.
 */
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { formatPatch, type StructuredPatch, structuredPatch } from "diff";
import type { EngineApi } from "../shared/api";
import type { Change, EntryState, Side } from "../shared/changes";
import { CheckpointError } from "../shared/errors";
import { formatBytes, printable } from "./output";
import { workspaceFile } from "./workspaceFile";

/** Like git: a NUL early in the file means that lines mean nothing there. */
const BINARY_PROBE_BYTES = 8000;

/** Nobody reads the lines of a larger file, and comparing them takes several times its size in memory. */
const MAX_FILE_BYTES = 10 * 1000 ** 2;

/**
 * The comparison takes time with the square of the differing lines. Beyond this many a minimal result helps nobody:
 * the whole file is then given as removed and added, which applies just as well.
 */
const MAX_DIFFERING_LINES = 2000;

const CONTEXT_LINES = 3;

/** Pieces are joined up to this many bytes: writing each small patch by itself costs more than making it. */
const PIECE_BYTES = 64 * 1024;

/** A string of V8 ends at 512 MB, and JSON takes up to six characters for one. */
const MAX_COLLECTED_BYTES = 64 * 1000 ** 2;

/**
 * The patch of all `changes`, in their order, made as it is asked for: no more than one file is in memory. Folders have
 * no place in a patch and are left out; binary and very large files are named only.
 */
export async function* formatPatches(
  changes: readonly Change[],
  engine: EngineApi,
  from: Side,
  to: Side,
  workspace: string,
): AsyncGenerator<Buffer> {
  let pieces: string[] = [];
  let bytes = 0;
  for (const change of changes) {
    const piece = await changePatch(change, engine, from, to, workspace);
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.from(pieces.join(""), "latin1");
    pieces = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.from(pieces.join(""), "latin1");
}

/** All of a patch as one text, for JSON. Rejects with `usage` when it is too long for that. */
export async function collectPatches(
  patches: AsyncIterable<Buffer>,
  maxBytes: number = MAX_COLLECTED_BYTES,
): Promise<string> {
  const collected: Buffer[] = [];
  let bytes = 0;
  for await (const patch of patches) {
    bytes += patch.length;
    if (bytes > maxBytes)
      throw new CheckpointError(
        "usage",
        `The patch is longer than ${formatBytes(maxBytes)}, too long for one JSON object. Leave --json away, or name paths.`,
      );
    collected.push(patch);
  }
  return Buffer.concat(collected).toString("utf8");
}

async function changePatch(
  change: Change,
  engine: EngineApi,
  from: Side,
  to: Side,
  workspace: string,
): Promise<string> {
  const { path } = change;
  if (isModeChange(change)) return modePatch(path, modeOf(change.before), modeOf(change.after));
  const before = await versionOf(change.before, path, from, engine, workspace);
  const after = await versionOf(change.after, path, to, engine, workspace);
  // As git has it: what becomes another type is removed and made anew.
  if (before !== undefined && after !== undefined && before.isLink !== after.isLink)
    return filePatch(path, before, undefined) + filePatch(path, undefined, after);
  return before === undefined && after === undefined ? "" : filePatch(path, before, after);
}

interface Version {
  readonly isLink: boolean;
  /** As in git's headers: "100644", "120000". */
  readonly mode: string;
  /** Undefined where lines mean nothing: binary, or too large to be compared. */
  readonly text: string | undefined;
}

/** Undefined when nothing is there that a patch could hold. */
async function versionOf(
  state: EntryState | undefined,
  path: string,
  side: Side,
  engine: EngineApi,
  workspace: string,
): Promise<Version | undefined> {
  if (state === undefined || state.type === "directory") return undefined;
  const version = { isLink: state.type === "symlink", mode: modeOf(state) };
  if (state.size > MAX_FILE_BYTES) return { ...version, text: undefined };
  const bytes = "ref" in side ? await engine.readFile(side.ref, path) : readFromWorkspace(workspace, path);
  return bytes && { ...version, text: textOf(bytes) };
}

/** Undefined when it has gone since it was compared. */
function readFromWorkspace(workspace: string, path: string): Buffer | undefined {
  const file = workspaceFile(workspace, path);
  if (file === undefined) return undefined;
  const stat = lstatSync(file);
  if (stat.isSymbolicLink()) return readlinkSync(file, "buffer");
  return stat.isFile() ? readFileSync(file) : undefined;
}

function textOf(bytes: Uint8Array): string | undefined {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return content.subarray(0, BINARY_PROBE_BYTES).includes(0) ? undefined : content.toString("latin1");
}

function modeOf(state: EntryState): string {
  if (state.type === "symlink") return "120000";
  return (state.mode & 0o111) === 0 ? "100644" : "100755";
}

type ModeChange = Change & { readonly before: EntryState; readonly after: EntryState };

/** The content is the same and need not be read. */
function isModeChange(change: Change): change is ModeChange {
  const { before, after } = change;
  return before?.type === "file" && after?.type === "file" && before.hash === after.hash;
}

/** A patch knows of the permission to execute alone; other bits leave nothing to say. */
function modePatch(path: string, before: string, after: string): string {
  if (before === after) return "";
  const version = { isLink: false, text: "" };
  return filePatch(path, { ...version, mode: before }, { ...version, mode: after });
}

function filePatch(path: string, before: Version | undefined, after: Version | undefined): string {
  const sameMode = before?.mode === after?.mode;
  const isNamedOnly = [before, after].some((version) => version !== undefined && version.text === undefined);
  const text = formatPatch({
    oldFileName: before === undefined ? "/dev/null" : `a/${path}`,
    newFileName: after === undefined ? "/dev/null" : `b/${path}`,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: isNamedOnly ? [] : hunksOf(before?.text ?? "", after?.text ?? ""),
    isGit: true,
    isCreate: before === undefined,
    isDelete: after === undefined,
    ...(before === undefined || (after !== undefined && sameMode) ? {} : { oldMode: before.mode }),
    ...(after === undefined || (before !== undefined && sameMode) ? {} : { newMode: after.mode }),
  });
  if (!isNamedOnly) return text;
  const name = (version: Version | undefined, side: string) =>
    version === undefined ? "/dev/null" : `${side}/${printable(path)}`;
  return `${text}Binary files ${name(before, "a")} and ${name(after, "b")} differ\n`;
}

function hunksOf(before: string, after: string): StructuredPatch["hunks"] {
  // A file that comes or goes is the common case of a large difference, and there is nothing to compare.
  if (before === "" || after === "") return before === after ? [] : [wholeFileHunk(before, after)];
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
