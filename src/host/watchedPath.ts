/** Which paths a save has to look at for an event about one path. */

import { isNeverSaved } from "../shared/leftOutNames";
import { isAscii } from "../shared/pathText";

/**
 * What stands for `path` (relative, with "/"): itself, or a folder above it where its name may not be the one on disk;
 * "" when only the whole workspace folder will do. Undefined when no save is concerned.
 */
export function savedPathFor(path: string, platform: NodeJS.Platform): string | undefined {
  const names = path.split("/");
  if (names.some(isNeverSaved)) return undefined;
  const vague = names.findIndex((name) => isVague(name, platform));
  return vague < 0 ? path : names.slice(0, vague).join("/");
}

/**
 * Bytes that are no UTF-8 arrive as U+FFFD. The engine reads \xHH as such a byte. On macOS the watcher composes accents
 * (NFC) that the name on disk may have decomposed.
 */
function isVague(name: string, platform: NodeJS.Platform): boolean {
  return name.includes("\uFFFD") || name.includes("\\") || (platform === "darwin" && !isAscii(name));
}
