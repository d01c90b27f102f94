import { describe, expect, it, vi } from "vitest";
import type { CallControl } from "../../../src/host/engineClient";
import { cancelled } from "../../../src/shared/errors";

const listeners = new Map<string, (event: unknown) => void>();
const on = (name: string) => (listener: (event: unknown) => void) => {
  listeners.set(name, listener);
  return { dispose: () => undefined };
};

vi.mock("vscode", () => ({
  l10n: {
    t: (text: string, ...args: unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)])),
  },
  env: { language: "en" },
  EventEmitter: class {
    readonly event = () => ({ dispose: () => undefined });
    fire() {}
    dispose() {}
  },
  TreeItem: class {
    constructor(
      readonly label: string,
      readonly collapsibleState: number,
    ) {}
  },
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
  ThemeIcon: class {
    static readonly File = "file";
    constructor(readonly id: string) {}
  },
  window: {
    createTreeView: () => ({
      visible: true,
      message: "",
      onDidCollapseElement: on("collapse"),
      onDidChangeVisibility: on("visibility"),
      dispose: () => undefined,
    }),
    withProgress: (_: unknown, work: () => Promise<unknown>) => work(),
  },
}));

const { StorageView } = await import("../../../src/host/storageView");
const nodes = await import("../../../src/host/storageNodes");

type Services = ConstructorParameters<typeof StorageView>;

const STATS = {
  folder: "/stores/1",
  checkpoints: 2,
  packBytes: 4_000,
  treeBytes: 300,
  indexBytes: 200,
  catalogBytes: 100,
  totalBytes: 4_600,
  freeDiskBytes: 7e9,
  oldest: null,
};
const STORE = { id: "1", folder: "/stores/1", workspace: "/w", state: "open", bytes: 4_700, changedAt: null };
const GONE = { ...STORE, id: "2", workspace: "/usb/photos", state: "gone", bytes: 300 };
const USAGE = {
  largest: [
    { path: "d/big.bin", bytes: 2_000, versions: 2 },
    { path: "two\nlines", bytes: 10, versions: 1 },
  ],
  paths: 2,
  bytes: 2_010,
};

/** A view of that many folders. `usage` answers as it is told to, or when it is stopped. */
function openView(folders = 1) {
  let answer: (() => void) | undefined;
  const asked = vi.fn();
  const usage = (control: CallControl) => {
    asked();
    return new Promise((resolve, reject) => {
      answer = () => resolve(USAGE);
      control.signal?.addEventListener("abort", () => reject(cancelled()));
    });
  };
  const all = Array.from({ length: folders }, (_, i) => ({
    key: `file:///w${i}`,
    name: `w${i}`,
    uriOf: (path: string) => path,
    engine: { stats: async () => STATS, stores: async () => [STORE, GONE] },
    controlled: (control: CallControl) => ({ usage: () => usage(control) }),
  }));
  const record = vi.fn();
  const view = new StorageView(
    { all } as unknown as Services[0],
    { onDidChange: () => ({ dispose: () => undefined }) } as unknown as Services[1],
    { record } as unknown as Services[2],
  );
  const described = async (node?: Parameters<typeof view.getChildren>[0]) =>
    (await view.getChildren(node)).map((each) => {
      const item = view.getTreeItem(each);
      return `${item.label} | ${item.description}`;
    });
  return { view, asked, record, described, answer: () => answer?.() };
}

describe("the Storage view", () => {
  it("C19 shows what the store consists of, and all stores with what they take", async () => {
    const { view, described } = openView();
    expect(await described()).toEqual([
      "w0 | 4.6 kB",
      "Largest in the checkpoints | ",
      "All stores | 5 kB · 7 GB free on the disk",
    ]);
    const [workspace, , stores] = await view.getChildren();
    expect(await described(workspace)).toEqual([
      "Files' contents | 4 kB",
      "Folder listings | 300 bytes",
      "Catalog | 100 bytes",
      "Index (can be made anew) | 200 bytes",
      "Checkpoints | 2",
    ]);
    expect(await described(stores)).toEqual(["w | 4.7 kB · open here", "photos | 300 bytes · its folder is not there"]);
    const items = (await view.getChildren(stores)).map((node) => view.getTreeItem(node));
    expect(items.map((item) => item.contextValue)).toEqual(["storage:store:open", "storage:store:gone"]);
    expect(items[1]?.accessibilityInformation?.label).toBe("/usb/photos, 300 bytes, its folder is not there");
  });

  it("C19 counts paths when that row is opened, and keeps the answer until asked anew", async () => {
    const { view, asked, answer, described } = openView(2);
    const [, largest] = await view.getChildren();
    expect(asked).not.toHaveBeenCalled();
    const rows = described(largest);
    answer();
    expect(await rows).toEqual(["big.bin | 2 kB · 2 versions · d", "two\nlines | 10 bytes · 1 version"]);
    const paths = await view.getChildren(largest);
    // What no pattern can name is not offered to be left out.
    expect(paths.map((node) => view.getTreeItem(node).contextValue)).toEqual(["storage:path", "storage:oddPath"]);
    expect(asked).toHaveBeenCalledTimes(1);
    view.refresh();
    const again = view.getChildren(largest);
    answer();
    await again;
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("C19 closing the row stops counting, quietly; opening it again counts anew", async () => {
    const { view, asked, answer, record } = openView();
    const [, largest] = await view.getChildren();
    expect(largest).toBeInstanceOf(nodes.LargestNode);
    const stopped = view.getChildren(largest);
    listeners.get("collapse")?.({ element: largest });
    expect(await stopped).toEqual([]);
    expect(record).not.toHaveBeenCalled();
    const hidden = view.getChildren(largest);
    listeners.get("visibility")?.({ visible: false });
    expect(await hidden).toEqual([]);
    const rows = view.getChildren(largest);
    answer();
    expect(await rows).toHaveLength(2);
    expect(asked).toHaveBeenCalledTimes(3);
    view.dispose();
  });
});
