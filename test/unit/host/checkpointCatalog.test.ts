import { describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../../../src/shared/checkpoints";
import { CheckpointError } from "../../../src/shared/errors";
import { checkpoint } from "../cli/fakeEngine";

const nothing = () => ({ dispose: () => undefined });

vi.mock("vscode", () => ({
  EventEmitter: class {
    private readonly listeners: ((value: unknown) => void)[] = [];
    readonly event = (listener: (value: unknown) => void) => {
      this.listeners.push(listener);
      return nothing();
    };
    fire(value: unknown) {
      for (const listener of this.listeners) listener(value);
    }
    dispose() {}
  },
  RelativePattern: class {},
  Uri: { file: (path: string) => ({ path }) },
  commands: { executeCommand: async () => undefined },
  window: { onDidChangeWindowState: nothing },
  workspace: {
    createFileSystemWatcher: () => ({ onDidCreate: nothing, onDidChange: nothing, dispose: () => undefined }),
  },
}));

const { CheckpointCatalog } = await import("../../../src/host/checkpointCatalog");
type Services = ConstructorParameters<typeof CheckpointCatalog>;
type Root = Parameters<InstanceType<typeof CheckpointCatalog>["get"]>[0];

function open() {
  const store = { checkpoints: [checkpoint()] as readonly Checkpoint[], failure: undefined as Error | undefined };
  const root = {
    key: "file:///w",
    address: { folder: "/w", storeRoot: "/stores" },
    engine: {
      list: async () => {
        if (store.failure) throw store.failure;
        return structuredClone(store.checkpoints);
      },
      undoState: async () => ({ undo: null, redo: null }),
      stats: async () => ({ folder: "/stores/x" }),
    },
  } as unknown as Root;
  const recorded: unknown[] = [];
  const catalog = new CheckpointCatalog(
    { all: [root], onDidChange: nothing } as unknown as Services[0],
    { get: () => undefined, update: async () => undefined } as unknown as Services[1],
    { record: (error: unknown) => recorded.push(error) } as unknown as Services[2],
  );
  let changes = 0;
  catalog.onDidChange(() => changes++);
  return { store, root, catalog, recorded, changes: () => changes };
}

describe("the catalog of the host", () => {
  it("V14 tells of a change, and of nothing when a reading says the same", async () => {
    const { store, root, catalog, changes } = open();
    const first = await catalog.refresh(root);
    expect(changes()).toBe(1);
    expect(await catalog.refresh(root)).toBe(first);
    expect(changes()).toBe(1);
    store.checkpoints = [checkpoint({ name: "another name" })];
    expect((await catalog.refresh(root)).checkpoints[0]?.name).toBe("another name");
    expect(changes()).toBe(2);
    catalog.dispose();
  });

  it("V10 a reading that fails after something was done is logged, and keeps what was known", async () => {
    const { store, root, catalog, recorded } = open();
    const known = await catalog.refresh(root);
    store.failure = new CheckpointError("locked", "In use.");
    expect(await catalog.refreshQuietly(root)).toBeUndefined();
    expect(recorded).toEqual([store.failure]);
    expect(catalog.peek(root)).toBe(known);
    await expect(catalog.refresh(root)).rejects.toThrow("In use.");
    store.failure = undefined;
    expect(await catalog.refreshQuietly(root)).toBe(known);
    catalog.dispose();
  });
});
