import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toChanges } from "../../../src/core/ops/changes";
import { Operation, type Store } from "../../../src/core/ops/context";
import { diffTrees } from "../../../src/core/ops/diffTrees";
import { ListedChanges } from "../../../src/core/ops/listedChanges";
import { EVERYTHING } from "../../../src/core/ops/pathSelection";
import { storedContents } from "../../../src/core/ops/storedContents";
import { TreeStore } from "../../../src/core/ops/treeStore";
import type { Catalog } from "../../../src/core/store/catalog";
import type { Hash } from "../../../src/core/store/hash";
import { encodeTree, TREE_DIRECTORY, TREE_FILE, TreeCursor, type TreeEntry } from "../../../src/core/store/tree";
import { CheckpointError } from "../../../src/shared/errors";
import { byteString } from "../../../src/shared/pathText";
import { type Random, withSeeds } from "../../support/seeded";

/** A history of folder literals, newest first; a text is a file with that content. */
type Literal = { readonly [name: string]: string | Literal };

const hashOf = (text: string): Hash => createHash("md5").update(text).digest("hex") as Hash;

/** `listed`: whether the catalog has lists of changes. `read`: how often each tree was asked for. */
function storeOf(states: readonly Literal[], listed = false): { store: Store; read: Hash[] } {
  const stored = new Map<Hash, Uint8Array>();
  const treeOf = (literal: Literal): Hash => {
    const tree = encodeTree(
      Object.entries(literal)
        .map(
          ([name, node]): TreeEntry => ({
            type: typeof node === "string" ? TREE_FILE : TREE_DIRECTORY,
            mode: 0,
            size: 1,
            hash: typeof node === "string" ? hashOf(node) : treeOf(node),
            name: byteString(Buffer.from(name)),
          }),
        )
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const hash = hashOf(tree.toString("latin1"));
    stored.set(hash, tree);
    return hash;
  };
  const checkpoints = states.map((state, i) => ({
    id: `${states.length - i}`,
    parentId: i + 1 < states.length ? `${states.length - i - 1}` : null,
    number: states.length - i,
    rootTree: treeOf(state),
  }));
  const known = new TreeStore({ read: () => undefined } as never, stored);
  const listOf = (id: string) => {
    const at = checkpoints.findIndex((each) => each.id === id);
    const [after, before] = [checkpoints[at]?.rootTree, checkpoints[at + 1]?.rootTree];
    return listed && before !== undefined ? toChanges(known, diffTrees(known, before, after, EVERYTHING)) : undefined;
  };
  const read: Hash[] = [];
  const trees = {
    bytes: (hash: Hash) => {
      read.push(hash);
      return known.bytes(hash);
    },
  };
  const changeTexts = (ids: readonly string[]) => new Map(ids.flatMap((id) => (listed ? [] : [[id, undefined]])));
  const catalog = { checkpoints, changesOf: listOf, changeTexts } as unknown as Catalog;
  const store = { catalog, listedChanges: new ListedChanges(catalog), trees } as unknown as Store;
  return { store, read };
}

const quiet = new Operation(
  () => {},
  () => false,
);

describe("the contents of all checkpoints", () => {
  it("P11 cost what differs: a tree that a newer checkpoint had at the same path is not read again", () => {
    const still = { x: "1", y: { z: "2" } };
    const states = Array.from({ length: 50 }, (_, i) => ({ busy: { f: `v${i}` }, still }));
    const { store, read } = storeOf(states);
    const { contents, files } = storedContents(store, () => true, quiet);
    // 50 roots and 50 times "busy"; "still" and what is in it once.
    expect(read).toHaveLength(50 + 50 + 2);
    expect([contents.length, files]).toEqual([52, 3]);
  });

  it("P11 of older checkpoints are those that the lists of changes name: their trees are not read", () => {
    const states = Array.from({ length: 50 }, (_, i) => ({ busy: { f: `v${i}` }, still: { x: "1" } }));
    const { store, read } = storeOf(states, true);
    expect(storedContents(store, () => true, quiet).contents).toHaveLength(51);
    expect(read).toHaveLength(3);
  });

  it("P11 are the same by lists of changes as by trees", async () => {
    await withSeeds(50, async (random) => {
      const states = Array.from({ length: random.below(6) + 1 }, () => randomState(random, 3));
      const [byLists, byTrees] = [true, false].map((listed) =>
        storedContents(storeOf(states, listed).store, () => true, quiet),
      );
      expect(withoutLinks(byLists)).toEqual(withoutLinks(byTrees));
    });
  });

  it("C8 come from trees where a list cannot be read", () => {
    const states = [{ a: { x: "1" } }, { a: { x: "2" } }, { b: "3" }];
    const { store } = storeOf(states, true);
    Object.assign(store.catalog, {
      changesOf: () => {
        throw new CheckpointError("damaged", "no list");
      },
    });
    const byTrees = storedContents(storeOf(states).store, () => true, quiet);
    expect(withoutLinks(storedContents(store, () => true, quiet))).toEqual(withoutLinks(byTrees));
  });

  it("C8 come from older trees where a newer one is lost, whatever lists say", () => {
    const { store } = storeOf([{ a: { x: "1", y: "2" } }, { a: { x: "1", y: "3" } }], true);
    const { bytes } = store.trees;
    const [lost] = foldersOf(store);
    Object.assign(store.trees, {
      bytes: (hash: Hash) => {
        if (hash === lost) throw new CheckpointError("damaged", "lost");
        return bytes(hash);
      },
    });
    const { contents, damaged } = storedContents(store, () => true, quiet);
    expect(contents.map(({ hash }) => hash)).toEqual([hashOf("1"), hashOf("3")]);
    expect(damaged).toMatchObject([{ path: "a/", checkpoint: { number: 2 } }]);
  });

  it("come in path order, each once, with the newest checkpoint for every place", () => {
    const { store } = storeOf([
      { a: { b: "1" }, c: "2" },
      { a: "2", "a.x": "3", c: "2" },
      { a: { b: "1", d: "4" }, c: "1" },
    ]);
    const { contents } = storedContents(store, () => true, quiet);
    expect(
      contents.map(({ hash, places }) => [
        hash,
        ...places.map(({ path, checkpoint, deleted }) => `${path}#${checkpoint.number}${deleted ? " deleted" : ""}`),
      ]),
    ).toEqual([
      // A folder now: there is something at that path.
      [hashOf("2"), "a#2", "c#3"],
      [hashOf("1"), "a/b#3", "c#1"],
      [hashOf("4"), "a/d#1 deleted"],
      [hashOf("3"), "a.x#2 deleted"],
    ]);
  });

  it("are those of the selected paths alone", () => {
    const { store } = storeOf([{ a: "1", b: "1", c: "2" }]);
    const { contents, files } = storedContents(store, (path) => path !== "a", quiet);
    expect(contents.map(({ places }) => places.map(({ path }) => path))).toEqual([["b"], ["c"]]);
    expect(files).toBe(2);
  });
});

/** The trees of the folders in the newest checkpoint. */
function foldersOf({ catalog, trees }: Store): Hash[] {
  const hashes: Hash[] = [];
  const cursor = new TreeCursor(trees.bytes(catalog.checkpoints[0]?.rootTree as Hash));
  for (; cursor.isAtEntry; cursor.next()) if (cursor.type === TREE_DIRECTORY) hashes.push(cursor.hash);
  return hashes;
}

/** Few names and contents, so that much is equal, swapped and brought back. */
function randomState(random: Random, depth: number): Literal {
  const names = ["a", "b", "c\\x41", "d\u00e9"].filter(() => random.below(3) > 0);
  return Object.fromEntries(
    names.map((name) => [
      name,
      depth > 0 && random.below(2) === 0 ? randomState(random, depth - 1) : `${random.below(5)}`,
    ]),
  );
}

const withoutLinks = (found: ReturnType<typeof storedContents> | undefined) => ({
  ...found,
  contents: found?.contents.map(({ hash, size, places }) => ({
    ...{ hash, size },
    places: places.map(({ order, path, deleted, checkpoint }) => ({ order, path, deleted, number: checkpoint.number })),
  })),
});
