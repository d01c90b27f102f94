import { beforeEach, describe, expect, it, vi } from "vitest";

/** Who listens to what, by name. */
const listening = new Map<string, Set<(event: unknown) => void>>();
let timers = 0;

const event = (name: string) => (listener: (event: unknown) => void) => {
  const listeners = listening.get(name) ?? new Set();
  listening.set(name, listeners.add(listener));
  return { dispose: () => void listeners.delete(listener) };
};
const listened = () => [...listening].filter(([, listeners]) => listeners.size > 0).map(([name]) => name);
const fire = (name: string, value?: unknown) => {
  for (const listener of [...(listening.get(name) ?? [])]) listener(value);
};

vi.mock("vscode", () => ({
  EventEmitter: class {
    private readonly listeners = new Set<(value: unknown) => void>();
    readonly event = (listener: (value: unknown) => void) => {
      this.listeners.add(listener);
      return { dispose: () => void this.listeners.delete(listener) };
    };
    fire(value: unknown) {
      for (const listener of this.listeners) listener(value);
    }
    dispose() {
      this.listeners.clear();
    }
  },
  FileType: { Unknown: 0, File: 1, Directory: 2, SymbolicLink: 64 },
  Uri: { file: (path: string) => ({ path }), joinPath: (uri: { path: string }, name: string) => `${uri.path}/${name}` },
  workspace: {
    createFileSystemWatcher: () => {
      const registrations = event("watcher")(() => undefined);
      return {
        onDidCreate: event("created"),
        onDidChange: event("changed"),
        onDidDelete: event("deleted"),
        dispose: () => {
          registrations.dispose();
          for (const name of ["created", "changed", "deleted"]) listening.get(name)?.clear();
        },
      };
    },
    onDidSaveTextDocument: event("textSaved"),
    onDidSaveNotebookDocument: event("notebookSaved"),
    onDidCreateFiles: event("filesCreated"),
    onDidDeleteFiles: event("filesDeleted"),
    onDidRenameFiles: event("filesRenamed"),
    onDidChangeConfiguration: event("configuration"),
    getConfiguration: () => ({ get: () => undefined }),
    fs: { stat: async () => ({ type: 1 }) },
  },
}));

const { ChangedPaths } = await import("../../../src/host/changedPaths");
type Args = ConstructorParameters<typeof ChangedPaths>;
type Root = Parameters<InstanceType<typeof ChangedPaths>["take"]>[0];

const root = {
  key: "file:///w",
  folder: { uri: { scheme: "file", authority: "", path: "/w" } },
  address: { folder: "/w", storeRoot: "/stores" },
  scanOptions: () => ({ exclude: [], includeDependencies: false, useGitignore: true, maxFileBytes: 1 }),
  uriOf: (path: string) => ({ path: `/w/${path}` }),
  pathOf: (uri: { path?: string }) => (uri.path?.startsWith("/w/") ? uri.path.slice(3) : undefined),
} as unknown as Root;

let enabled: boolean;

function open() {
  const settings = {
    onDidChange: event("settings"),
    autoSave: () => ({ enabled, intervalMs: 1 }),
  };
  const folders = { all: [root], onDidChange: event("folders") };
  return new ChangedPaths(folders as unknown as Args[0], settings as unknown as Args[1]);
}

function turn(on: boolean): void {
  enabled = on;
  fire("settings", (name: string) => name === "autoSave");
}

describe("changed paths", () => {
  beforeEach(() => {
    listening.clear();
    timers = 0;
    vi.spyOn(globalThis, "setInterval").mockImplementation(() => ++timers as unknown as NodeJS.Timeout);
    vi.spyOn(globalThis, "clearInterval").mockImplementation(() => void timers--);
  });

  it("V12 nothing listens while automatic saves are off", () => {
    enabled = false;
    const paths = open();
    expect([listened(), timers]).toEqual([["settings"], 0]);
    expect(paths.take(root, "changed").paths).toBeUndefined();
    turn(true);
    expect(listened()).toEqual(
      expect.arrayContaining([
        ...["created", "changed", "deleted", "textSaved", "notebookSaved"],
        ...["filesCreated", "filesDeleted", "filesRenamed", "configuration", "folders"],
      ]),
    );
    expect(timers).toBe(1);
    turn(false);
    expect([listened(), timers]).toEqual([["settings"], 0]);
    turn(true);
    paths.dispose();
    expect([listened(), timers]).toEqual([[], 0]);
  });

  it("V12 what happened while they were off makes the next save look at everything", () => {
    enabled = true;
    const paths = open();
    const look = paths.take(root, "changed");
    expect(look.doubt).toBe("first look");
    turn(false);
    // Neither the end of a look that was under way nor a save by hand says anything of what comes after.
    look.succeeded("all");
    paths.take(root, "all").succeeded("all");
    turn(true);
    expect(paths.take(root, "changed")).toMatchObject({ paths: undefined, doubt: "first look" });
    paths.dispose();
  });

  it("V12 tells of what a save may be concerned with, while they are on", () => {
    enabled = true;
    const paths = open();
    let noticed = 0;
    paths.onDidNotice(() => noticed++);
    fire("changed", { path: "/w/a.ts" });
    fire("changed", { path: "/elsewhere/a.ts" });
    expect(noticed).toBe(1);
    turn(false);
    turn(true);
    fire("deleted", { path: "/w/a.ts" });
    expect(noticed).toBe(2);
    paths.dispose();
  });
});
