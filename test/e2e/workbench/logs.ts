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

/** Error entries that concern the extension: its own, and VS Code's about it. */
export function extensionErrors(home: string, extensionId: string): string[] {
  // Reloading the window cancels what was going on, and VS Code logs that as an error of whoever it was.
  const isError = (entry: string) => /^\S+ \[(error|critical)\]/.test(entry) && !/: Canceled\s*$/.test(entry);
  const own = entries(extensionLog(home, extensionId)).filter(isError);
  const host = entries(extensionHostLog(home)).filter(isError);
  return [...own, ...host.filter((entry) => entry.toLowerCase().includes(extensionId.toLowerCase()))];
}

/** An entry starts with its time; what follows on other lines, a stack for example, belongs to it. */
function entries(log: string): string[] {
  return log.split(/\n(?=\d{4}-\d\d-\d\dT)/);
}
