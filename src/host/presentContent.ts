/** Which saved contents of a file are what is on disk now. */
import * as vscode from "vscode";
import type { FileVersion } from "../shared/changes";
import { CheckpointError } from "../shared/errors";
import type { Root } from "./workspaceFolders";

/** Larger files are left unmarked: reading them with every change of the editor would be felt. */
const MAX_BYTES = 1024 ** 2;
/** Different contents of the very size the file has now; more than these are not looked at. */
const MAX_READ = 3;

/**
 * Hashes of the versions whose content equals the file's. Contents are compared, because hashing is not done in this
 * process; the sizes leave one or two to read. Empty for folders, links, large files and files that are not there.
 */
export async function hashesOfPresent(
  root: Root,
  path: string,
  versions: readonly FileVersion[],
): Promise<ReadonlySet<string>> {
  const none: ReadonlySet<string> = new Set();
  const uri = root.uriOf(path);
  const now = await present(uri);
  if (!now) return none;
  const candidates = new Map<string, FileVersion>();
  for (const version of versions)
    if (version.state?.type === "file" && version.state.size === now.byteLength)
      candidates.set(version.state.hash, candidates.get(version.state.hash) ?? version);
  const equal = new Set<string>();
  for (const [hash, { checkpoint }] of [...candidates].slice(0, MAX_READ))
    try {
      if (Buffer.from(now).equals(await root.engine.readFile(checkpoint.id, path))) equal.add(hash);
    } catch (error) {
      // A damaged version is named when it is opened; here it only goes without the mark.
      if (!CheckpointError.is(error, "damaged")) throw error;
    }
  return equal;
}

async function present(uri: vscode.Uri): Promise<Uint8Array | undefined> {
  try {
    const { type, size } = await vscode.workspace.fs.stat(uri);
    if (type !== vscode.FileType.File || size > MAX_BYTES) return undefined;
    return await vscode.workspace.fs.readFile(uri);
  } catch {
    // Deleted, or not readable: then no version is "now", which is all the caller asks.
    return undefined;
  }
}
