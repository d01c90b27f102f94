/** The command line in a terminal beside the window: the installed extension's own, on the window's stores. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Story } from "./story";

export class CliProcess {
  private readonly script: string;
  /** The folder that holds `stores/`. */
  readonly storeRoot: string;

  constructor(private readonly story: Pick<Story, "workbench" | "folder" | "extensionId">) {
    const { workbench, extensionId } = story;
    const extensions = path.join(workbench.home, "extensions");
    const installed = readdirSync(extensions).find((name) => name.startsWith(`${extensionId}-`));
    this.script = path.join(extensions, installed ?? "", "dist", "cli.js");
    this.storeRoot = storageOf(workbench.home, extensionId);
  }

  /** The store of the story's folder. */
  get store(): string {
    const [id, ...more] = readdirSync(path.join(this.storeRoot, "stores"));
    if (id === undefined || more.length > 0) throw new Error("There is not exactly one store.");
    return path.join(this.storeRoot, "stores", id);
  }

  /** Runs a command to its end; throws when it fails. */
  bytes(...args: string[]): Buffer {
    return execFileSync(process.execPath, this.argv(args), { stdio: ["ignore", "pipe", "pipe"] });
  }

  text(...args: string[]): string {
    return this.bytes(...args).toString("utf8");
  }

  json<T>(...args: string[]): T {
    return JSON.parse(this.text("--json", ...args)) as T;
  }

  /** Starts a command that somebody else waits for, or kills. */
  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, this.argv(args), { stdio: "ignore" });
  }

  private argv(args: readonly string[]): string[] {
    return [this.script, "--store", this.storeRoot, "--workspace", this.story.folder, ...args];
  }
}

function storageOf(home: string, extensionId: string): string {
  for (const data of [path.join(home, "data", "data"), path.join(home, "data"), path.join(home, "user")]) {
    const storage = path.join(data, "User", "globalStorage", extensionId);
    if (existsSync(storage)) return storage;
  }
  throw new Error("The extension has no storage yet.");
}
