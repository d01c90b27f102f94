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
 * A file written less than this long ago may be written again without another time: the coarsest clock of a file system
 * in use (FAT) counts in steps of 2 s.
 */
const CLOCK_STEP_MS = 2_000;

/** What was found out about a file that looked like `mark`. */
interface Compared {
  readonly mark: string;
  /** By hash: whether that is the file's content. */
  readonly equal: ReadonlyMap<string, boolean>;
}

export class PresentContent {
  /** Of the file asked about last: a list is drawn again far more often than its file changes. */
  private last: Compared | undefined;

  /** `now` in milliseconds since 1970. */
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Hashes of the versions whose content equals the file's. Contents are compared, because hashing is not done in this
   * process; the sizes leave one or two to read, and of a file that looks as it did the last time nothing is read again.
   * Empty for folders, links, large files and files that are not there. Rejects when a version cannot be read for
   * another reason than damage.
   */
  async hashes(root: Root, path: string, versions: readonly FileVersion[]): Promise<ReadonlySet<string>> {
    const uri = root.uriOf(path);
    const stat = await statOf(uri);
    const none: ReadonlySet<string> = new Set();
    if (stat?.type !== vscode.FileType.File || stat.size > MAX_BYTES) return none;
    const candidates = new Map<string, FileVersion>();
    for (const version of versions)
      if (version.state?.type === "file" && version.state.size === stat.size && !candidates.has(version.state.hash))
        candidates.set(version.state.hash, version);
    const mark = `${uri.toString()} ${stat.mtime} ${stat.ctime} ${stat.size}`;
    const asked = [...candidates].slice(0, MAX_READ);
    const equal = new Map(this.last?.mark === mark ? this.last.equal : []);
    if (asked.some(([hash]) => !equal.has(hash))) {
      const present = await contentOf(uri);
      if (!present) return none;
      // Read after the look at its time: a write in between shows as another time at the next look.
      for (const [hash, { checkpoint }] of asked)
        if (!equal.has(hash)) equal.set(hash, await isContent(root, checkpoint.id, path, present));
    }
    const isSettled = this.now() - stat.mtime > CLOCK_STEP_MS;
    this.last = isSettled ? { mark, equal } : undefined;
    return new Set(asked.map(([hash]) => hash).filter((hash) => equal.get(hash)));
  }
}

async function isContent(root: Root, checkpointId: string, path: string, present: Uint8Array): Promise<boolean> {
  try {
    return Buffer.from(present).equals(await root.engine.readFile(checkpointId, path));
  } catch (error) {
    // A damaged version is named when it is opened; here it only goes without the mark.
    if (CheckpointError.is(error, "damaged")) return false;
    throw error;
  }
}

async function statOf(uri: vscode.Uri): Promise<vscode.FileStat | undefined> {
  try {
    return await vscode.workspace.fs.stat(uri);
  } catch {
    // Deleted, or not readable: then no version is "now", which is all the caller asks.
    return undefined;
  }
}

async function contentOf(uri: vscode.Uri): Promise<Uint8Array | undefined> {
  try {
    return await vscode.workspace.fs.readFile(uri);
  } catch {
    // As above.
    return undefined;
  }
}
