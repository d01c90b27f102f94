import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Log files VS Code's server wrote under that home, oldest session first. */
function logFiles(home: string, name: RegExp): string[] {
  const found: string[] = [];
  for (const base of [path.join(home, "user", "logs"), path.join(home, "data", "data", "logs")]) {
    if (!existsSync(base)) continue;
    for (const file of readdirSync(base, { recursive: true, encoding: "utf8" }))
      if (name.test(file)) found.push(path.join(base, file));
  }
  return found.sort();
}

/** The extension hosts' own log: activations, and what extensions failed at. */
export function extensionHostLog(home: string): string {
  return logFiles(home, /remoteexthost\.log$/)
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
}

/** What the extension wrote into its own output channels. */
export function extensionLog(home: string, extensionId: string): string {
  return logFiles(home, /\.log$/)
    .filter((file) => file.includes(`${path.sep}${extensionId}${path.sep}`) || /Checkpoint[^/]*\.log$/.test(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
}

/** Error lines that concern the extension: it, or VS Code about it. */
export function extensionErrors(home: string, extensionId: string): string[] {
  const own = extensionLog(home, extensionId).split("\n");
  const host = extensionHostLog(home).split("\n");
  const isError = (line: string) => /\[(error|critical)\]/.test(line);
  return [
    ...own.filter(isError),
    ...host.filter((line) => isError(line) && line.toLowerCase().includes(extensionId.toLowerCase())),
  ];
}
