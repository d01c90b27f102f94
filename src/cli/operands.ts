/** What people type for checkpoints, paths, sizes and counts, turned into what the engine takes. */
import { realpathSync } from "node:fs";
import * as path from "node:path";
import { CheckpointError } from "../shared/errors";
import { printable } from "./output";

/** Output shows a number as #12; typed back like that it means the same as plain 12. */
export function refOperand(typed: string): string {
  return /^#\d+$/.test(typed) ? typed.slice(1) : typed;
}

/**
 * A path inside the workspace as the engine takes it: "/" between names, no leading or trailing "/", the workspace
 * itself "". Relative paths count from `base`, a folder of the workspace.
 *
 * Throws `usage` for a path outside the workspace.
 */
export function pathOperand(typed: string, workspace: string, base: string = workspace): string {
  if (typed === "") throw new CheckpointError("usage", 'An empty path was given. For the whole workspace write ".".');
  const slashed = path.sep === "\\" ? typed.replaceAll("\\", "/") : typed;
  const relative = path.isAbsolute(typed)
    ? insideWorkspace(typed, workspace)
    : `${insideWorkspace(base, workspace)}/${slashed}`;
  const names: string[] = [];
  for (const name of relative.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) throw outside(typed, workspace);
  }
  return names.join("/");
}

function insideWorkspace(absolute: string, workspace: string): string {
  // The shell may name the workspace by another way through symlinks than the one it was opened by.
  for (const root of new Set([workspace, canonical(workspace)])) {
    const relative = path.relative(root, absolute);
    const leaves = relative === ".." || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
    if (!leaves) return relative.split(path.sep).join("/");
  }
  throw outside(absolute, workspace);
}

function canonical(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    // A missing workspace is the engine's to report, with what to do about it.
    return folder;
  }
}

function outside(typed: string, workspace: string): CheckpointError {
  return new CheckpointError(
    "usage",
    `${typed} is not inside the workspace ${workspace}. Give a path inside it, or choose the workspace with --workspace.`,
  );
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Bytes: a whole number, with K, M, G or T for powers of 1024. */
export function sizeOperand(typed: string, option: string): number {
  const match = /^(\d+)\s*([kmgt]?)(?:i?b)?$/i.exec(typed.trim());
  const bytes = match ? Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1) : undefined;
  return checked(bytes, "a number of bytes such as 1048576, 64M or 2G", typed, option);
}

/** A whole number from 1. */
export function countOperand(typed: string, option: string): number {
  const count = /^\d+$/.test(typed.trim()) ? Number(typed) : undefined;
  return checked(count === 0 ? undefined : count, "a whole number from 1", typed, option);
}

/** Seconds, with decimals, as milliseconds. */
export function secondsOperand(typed: string, option: string): number {
  const ms = /^\d+(\.\d+)?$/.test(typed.trim()) ? Math.round(Number(typed) * 1000) : undefined;
  return checked(ms, "seconds such as 30 or 0.5", typed, option);
}

/** Throws `usage` for what is no number (undefined), or one too large to count with. */
function checked(value: number | undefined, wanted: string, typed: string, option: string): number {
  if (value === undefined || !Number.isSafeInteger(value))
    throw new CheckpointError("usage", `${option} takes ${wanted}, but "${printable(typed)}" was given.`);
  return value;
}
