import { describe, expect, it, vi } from "vitest";
import type { Change } from "../../../src/shared/changes";
import { ChangeTable, packChanges } from "../../../src/shared/changeTable";
import type { Checkpoint } from "../../../src/shared/checkpoints";

vi.mock("vscode", () => ({
  EventEmitter: class {
    private readonly listeners: ((value: unknown) => void)[] = [];
    readonly event = (listener: (value: unknown) => void) => {
      this.listeners.push(listener);
      return { dispose: () => undefined };
    };
    fire(value: unknown) {
      for (const listener of this.listeners) listener(value);
    }
    dispose() {}
  },
  Disposable: class {
    constructor(readonly dispose: () => void) {}
  },
  window: {
    createTreeView: () => ({ onDidChangeSelection: () => ({ dispose: () => undefined }), dispose: () => undefined }),
  },
}));

const { CheckpointTree } = await import("../../../src/host/checkpointTree");
const { CheckpointNode, FolderNode, ChangeNode, MoreNode, NotListedNode } = await import(
  "../../../src/host/checkpointNodes"
);

type Services = ConstructorParameters<typeof CheckpointTree>;
type Root = InstanceType<typeof CheckpointNode>["root"];

const FOLDERS = ["azure", "lodash", "src"];
const A_FOLDER = 2_100;
const FILES = FOLDERS.flatMap((folder) => Array.from({ length: A_FOLDER }, (_, index) => `${folder}/f${index}.js`));

/** A tree on one folder whose only checkpoint added `paths`. */
function openTree(paths: readonly string[], totalChanges = paths.length) {
  let asked = 0;
  const changes = paths.map((path): Change => ({ path, kind: "added" }));
  const show = async (_ref: string, { limit }: { limit: number }) => {
    asked++;
    return { changes: new ChangeTable(packChanges(changes.slice(0, limit))), totalChanges };
  };
  const root = { key: "file:///w", name: "w", engine: { show } } as unknown as Root;
  const onDidChange = () => ({ dispose: () => undefined });
  const tree = new CheckpointTree(
    { all: [root], onDidChange } as unknown as Services[0],
    { onDidChange } as unknown as Services[1],
    {
      record: (error: unknown) => {
        throw error;
      },
    } as unknown as Services[2],
  );
  const node = new CheckpointNode(root, { id: "one", parentId: null } as Checkpoint);
  return { tree, node, asked: () => asked };
}

const outline = (nodes: readonly unknown[]) =>
  nodes.map((node) => {
    if (node instanceof FolderNode) return `${node.path} ${node.folder.count}`;
    if (node instanceof ChangeNode) return node.name;
    if (node instanceof MoreNode) return `${node.remaining} more`;
    return node instanceof NotListedNode ? `${node.count} not listed` : "?";
  });

describe("the tree of a large checkpoint", () => {
  it("V4 shows every top-level folder with its true count", async () => {
    const { tree, node } = openTree([...FILES, "README.md"]);
    expect(outline(await tree.getChildren(node))).toEqual([...FOLDERS.map((f) => `${f} ${A_FOLDER}`), "README.md"]);
    tree.dispose();
  });

  it("V4 'more' belongs to one folder and shows 500 rows at a time", async () => {
    const { tree, node } = openTree(FILES);
    const [azure, lodash] = await tree.getChildren(node);
    const first = await tree.getChildren(azure);
    expect(outline(first).slice(498)).toEqual(["f498.js", "f499.js", "1600 more"]);
    const redrawn: unknown[] = [];
    tree.onDidChangeTreeData((changed) => redrawn.push(changed));
    const more = first.at(-1);
    if (more instanceof MoreNode) more.loadMore();
    expect(redrawn).toEqual([azure]);
    expect(outline(await tree.getChildren(azure)).slice(999)).toEqual(["f999.js", "1100 more"]);
    expect(await tree.getChildren(lodash)).toHaveLength(501);
    tree.dispose();
  });

  it("V4 asks the engine once for a checkpoint that stays open", async () => {
    const { tree, node, asked } = openTree(FILES);
    await tree.getChildren(node);
    await tree.getChildren(node);
    expect(asked()).toBe(1);
    tree.dispose();
  });

  it("V4 says how many files a list leaves out", async () => {
    const { tree, node } = openTree(["a.txt"], 120_000);
    expect(outline(await tree.getChildren(node))).toEqual(["a.txt", "119999 not listed"]);
    tree.dispose();
  });
});
