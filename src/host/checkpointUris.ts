/**
 * URIs of saved content:  checkpoint://<checkpoint id, 32 hex><store id, 16 hex>/<path in the workspace folder>
 *
 * The path is the real one, so tabs show the file's name and icons, languages and custom editors match. Everything else
 * is in the authority, not in a query, so that folders can be browsed and image viewers may add a query of their own.
 * The authority has no separators because web views turn it into a host name, where a label ends after 63 characters
 * and anything but letters and digits takes five.
 *
 * checkpoint://empty/<path> is an empty file: the missing side of a comparison.
 *
 * With an "x" behind the ids the path is the absolute one of the real file: multi-diff editors take two sides whose
 * paths differ for a renamed file and say so.
 */
import * as vscode from "vscode";
import type { ChangeKind } from "../shared/changes";

export const CHECKPOINT_SCHEME = "checkpoint";
export const ROW_SCHEME = "checkpoint-row";
const EMPTY_AUTHORITY = "empty";

export interface CheckpointLocation {
  readonly checkpointId: string;
  readonly storeId: string;
  /** In the workspace folder; or, if `isAbsolute`, the real file's. */
  readonly path: string;
  readonly isAbsolute: boolean;
}

export function checkpointUri(storeFolder: string, checkpointId: string, path: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: CHECKPOINT_SCHEME,
    authority: checkpointId.replaceAll("-", "") + storeIdOf(storeFolder),
    path: `/${path}`,
  });
}

/** For the other side of `file` in a multi-diff editor. */
export function checkpointUriFacing(storeFolder: string, checkpointId: string, file: vscode.Uri): vscode.Uri {
  const { scheme, authority } = checkpointUri(storeFolder, checkpointId, "");
  return vscode.Uri.from({ scheme, authority: `${authority}x`, path: file.path });
}

export function emptyUri(path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: CHECKPOINT_SCHEME, authority: EMPTY_AUTHORITY, path: `/${path}` });
}

/**
 * For the icon and the color of a tree row alone: file icon themes look at the name, RowColors at the kind. Another
 * scheme, because rows that name an open editor's file would get its decorations (a padlock, for what is read-only).
 */
export function iconUri(path: string, kind?: ChangeKind): vscode.Uri {
  return vscode.Uri.from({ scheme: ROW_SCHEME, path: `/${path}`, query: kind ?? "" });
}

export function isEmptyUri(uri: vscode.Uri): boolean {
  return uri.scheme === CHECKPOINT_SCHEME && uri.authority === EMPTY_AUTHORITY;
}

/** Undefined for every URI that `checkpointUri` did not make. */
export function parseCheckpointUri(uri: vscode.Uri): CheckpointLocation | undefined {
  if (uri.scheme !== CHECKPOINT_SCHEME) return undefined;
  const match = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})([0-9a-f]{16})(x?)$/.exec(
    uri.authority,
  );
  if (!match) return undefined;
  return {
    checkpointId: match.slice(1, 6).join("-"),
    storeId: match[6] ?? "",
    path: uri.path.replace(/^\//, "").replace(/\/$/, ""),
    isAbsolute: match[7] === "x",
  };
}

/** The id of a store is the name of its folder. */
export function storeIdOf(storeFolder: string): string {
  return (
    storeFolder
      .replace(/[\\/]+$/, "")
      .split(/[\\/]/)
      .at(-1) ?? ""
  );
}

/** Milliseconds since 1970 from a UUIDv7: its first 48 bits. */
export function timeOfId(checkpointId: string): number {
  return Number.parseInt(checkpointId.replaceAll("-", "").slice(0, 12), 16);
}
