import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

/**
 * Everything below a folder that a restore has to bring back, one line a path: kind, permission bits, and content
 * (texts as they are, so that a difference can be read in the report). Two folders are the same when these are equal.
 */
export function folderState(folder: string, below = ""): Record<string, string> {
  const state: Record<string, string> = {};
  for (const name of readdirSync(path.join(folder, below)).sort()) {
    const relative = below === "" ? name : `${below}/${name}`;
    const absolute = path.join(folder, relative);
    const stat = lstatSync(absolute);
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isSymbolicLink()) state[relative] = `link to ${readlinkSync(absolute)}`;
    else if (stat.isDirectory()) {
      state[`${relative}/`] = `folder ${mode}`;
      Object.assign(state, folderState(folder, relative));
    } else {
      const content = readFileSync(absolute);
      state[relative] = `file ${mode} ${isUtf8(content) ? content.toString("utf8") : sha256(content)}`;
    }
  }
  return state;
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");
