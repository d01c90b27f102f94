import { describe, expect, it } from "vitest";
import { type ContentSource, runSearchTask, type SearchTask } from "../../../src/core/pipeline/searchTask";
import { createSharedWork, WorkView } from "../../../src/core/pipeline/sharedWork";
import type { Hash } from "../../../src/core/store/hash";
import { CheckpointError } from "../../../src/shared/errors";
import type { ByteString } from "../../../src/shared/pathText";

const hashOf = (i: number): Hash => i.toString(16).padStart(32, "0") as Hash;

function taskOver(contents: readonly string[], change: Partial<SearchTask> = {}): SearchTask {
  const work = createSharedWork(contents.map(() => "" as ByteString));
  const view = new WorkView(work);
  contents.forEach((content, i) => {
    view.setHash(i, hashOf(i));
    view.setFacts(i, { size: content.length, mtimeMs: 0, ctimeMs: 0, ino: 0, mode: 0 });
  });
  const pattern = { text: "needle", regex: false, matchCase: true };
  const found = new SharedArrayBuffer(4);
  return { kind: "search", work, pattern, matchesPerContent: 10, limit: 1000, found, ...change };
}

/** Blocks of 100,000 bytes. */
function sourceOf(contents: readonly string[], onRead: (i: number) => void = () => {}): ContentSource {
  const contentOf = (hash: Hash): Buffer => {
    const i = Number.parseInt(hash, 16);
    onRead(i);
    return Buffer.from(contents[i] ?? "");
  };
  return {
    frameLength: (hash) => contents[Number.parseInt(hash, 16)]?.length,
    read: contentOf,
    readTo: (hash, onBlock) => {
      const content = contentOf(hash);
      for (let at = 0; at < content.length; at += 100_000) onBlock(content.subarray(at, at + 100_000));
      return true;
    },
  };
}

const EXPLOSIVE = { text: "(a+)+$", regex: true, matchCase: true };

describe("a lane of a search", () => {
  it.each([
    ["small", "a".repeat(40)],
    ["large", "x\n".repeat(200_000) + "a".repeat(40)],
  ])("gives up an expression that explodes on a %s content, and stops the other lanes", (_, text) => {
    const contents = ["b", `${text}b`, "b"];
    const task = taskOver(contents, { pattern: EXPLOSIVE });
    expect(() => runSearchTask(sourceOf(contents), task, undefined, 100)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining("takes too long") }),
    );
    expect(new WorkView(task.work).take()).toBeUndefined();
  });

  it("counts the time of the expression alone: reading may take longer, and is never ended in the middle", () => {
    const contents = ["needle", `needle\n${"hay\n".repeat(100_000)}`, "hay"];
    const timeoutMs = 400;
    const read: number[] = [];
    const source = sourceOf(contents, (i) => {
      const end = performance.now() + timeoutMs + 50;
      while (performance.now() < end);
      read.push(i);
    });
    const task = taskOver(contents, { pattern: { text: "n[e]edle", regex: true, matchCase: true } });
    const { matched, ...result } = runSearchTask(source, task, undefined, timeoutMs);
    expect(read).toEqual([0, 1, 2]);
    expect(matched.map(({ item }) => item).sort()).toEqual([0, 1]);
    expect(result).toMatchObject({ contents: 3, binary: 0, unreadable: [] });
  });

  it("searches more small contents than are copied at once, and what is intact where some are damaged", () => {
    const contents = Array.from({ length: 40 }, (_, i) => (i === 7 ? "" : `needle ${i}\n${"hay\n".repeat(24_000)}`));
    const damaged = new CheckpointError("damaged", "torn");
    const source = sourceOf(contents);
    const torn: ContentSource = {
      ...source,
      // 3 turns out damaged after it was handed out, but another pack has it; 5 is damaged everywhere.
      readTo: (hash, onBlock) => {
        const isThere = source.readTo(hash, onBlock);
        if (hash === hashOf(3) || hash === hashOf(5)) throw damaged;
        return isThere;
      },
      read: (hash) => {
        if (hash === hashOf(5)) throw damaged;
        return source.read(hash);
      },
    };
    const task = taskOver(contents, { pattern: { text: "ne+dle (\\d+)", regex: true, matchCase: true } });
    const { matched, unreadable, contents: searched, bytes } = runSearchTask(torn, task);
    const expected = contents.map((_, i) => i).filter((i) => i !== 5 && i !== 7);
    expect(matched.map(({ item, matches }) => [item, matches.map((each) => each.preview)])).toEqual(
      expected.map((i) => [i, [`needle ${i}`]]),
    );
    expect(unreadable).toEqual([{ item: 5, message: "torn" }]);
    expect({ searched, bytes }).toEqual({
      searched: 39,
      bytes: contents.reduce((sum, content, i) => sum + (i === 5 ? 0 : content.length), 0),
    });
  });

  it("begins no content once enough was found, and reads on in none that has more than is listed", () => {
    const contents = ["needle\nneedle", "hay", `needle\n`.repeat(100_000), "needle", "needle"];
    const read: number[] = [];
    const task = taskOver(contents, { limit: 13, matchesPerContent: 10 });
    const { matched } = runSearchTask(
      sourceOf(contents, (i) => read.push(i)),
      task,
    );
    expect(read).toEqual([0, 1, 2, 3]);
    expect(matched.map(({ item, matches, hasMore }) => [item, matches.length, hasMore])).toEqual([
      [0, 2, false],
      [2, 10, true],
      [3, 1, false],
    ]);
  });

  it("stops everything for an error that is not about one content", () => {
    const contents = ["a", "b"];
    const task = taskOver(contents);
    const source = {
      ...sourceOf(contents),
      readTo: () => {
        throw Object.assign(new Error("x"), { code: "EMFILE" });
      },
    };
    expect(() => runSearchTask(source, task)).toThrow("x");
    expect(new WorkView(task.work).take()).toBeUndefined();
  });

  it("goes on after a bad sector", () => {
    const contents = ["needle", "needle"];
    const task = taskOver(contents);
    const source = sourceOf(contents, (i) => {
      if (i === 0) throw Object.assign(new Error("x"), { code: "EIO" });
    });
    expect(runSearchTask(source, task)).toMatchObject({
      matched: [{ item: 1 }],
      unreadable: [{ item: 0 }],
      contents: 1,
    });
  });
});
