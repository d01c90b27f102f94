import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FileVersion } from "../../../src/shared/changes";
import { CheckpointError } from "../../../src/shared/errors";

/** The one file on disk; undefined = there is none. */
let disk: { text: string; mtime: number; type?: number } | undefined;
let reads = 0;

vi.mock("vscode", () => ({
  FileType: { File: 1, Directory: 2, SymbolicLink: 64 },
  workspace: {
    fs: {
      stat: async () => {
        if (!disk) throw new Error("gone");
        return { type: disk.type ?? 1, mtime: disk.mtime, ctime: 0, size: disk.text.length };
      },
      readFile: async () => {
        reads++;
        return Buffer.from(disk?.text ?? "");
      },
    },
  },
}));

const { PresentContent } = await import("../../../src/host/presentContent");
type Root = Parameters<InstanceType<typeof PresentContent>["hashes"]>[0];

const NOW = 1_000_000;
const LONG_AGO = NOW - 60_000;
const DAMAGED = "damaged";

/** Versions whose hashes are their texts in brackets, newest first. */
function versionsOf(...texts: readonly string[]): FileVersion[] {
  return texts.map((text, index) => ({
    kind: "changed",
    checkpoint: { id: `${index}:${text}` } as FileVersion["checkpoint"],
    state: { type: "file", mode: 0o644, size: text.length, hash: `[${text}]` },
  }));
}

let asked: string[] = [];
const root = {
  uriOf: (path: string) => `file:///w/${path}`,
  engine: {
    readFile: async (id: string) => {
      const text = id.slice(id.indexOf(":") + 1);
      asked.push(text);
      if (text === DAMAGED) throw new CheckpointError("damaged", "Its content is damaged.");
      if (text === "refused") throw new CheckpointError("io", "It cannot be read.");
      return Buffer.from(text);
    },
  },
} as unknown as Root;

const hashes = async (content: InstanceType<typeof PresentContent>, versions: readonly FileVersion[], path = "a") => [
  ...(await content.hashes(root, path, versions)),
];

describe("present content", () => {
  beforeEach(() => {
    reads = 0;
    asked = [];
  });

  it("V7 marks every version with the content on disk, and no other of its size", async () => {
    disk = { text: "same!", mtime: LONG_AGO };
    const content = new PresentContent(() => NOW);
    expect(await hashes(content, versionsOf("same!", "other", "longer text", "same!"))).toEqual(["[same!]"]);
    expect(asked).toEqual(["same!", "other"]);
  });

  it("V20 reads nothing again while the file looks the same, and only what is new of its versions", async () => {
    disk = { text: "same!", mtime: LONG_AGO };
    const content = new PresentContent(() => NOW);
    const versions = versionsOf("same!", "other");
    await hashes(content, versions);
    expect(await hashes(content, versions)).toEqual(["[same!]"]);
    expect([reads, asked]).toEqual([1, ["same!", "other"]]);
    expect(await hashes(content, [...versionsOf("third"), ...versions])).toEqual(["[same!]"]);
    expect(asked).toEqual(["same!", "other", "third"]);
  });

  it("V20 reads nothing at all when no version has the file's size", async () => {
    disk = { text: "now it is another", mtime: LONG_AGO };
    expect(await hashes(new PresentContent(() => NOW), versionsOf("same!"))).toEqual([]);
    expect([reads, asked]).toEqual([0, []]);
  });

  it("V7 notices another content of the same size, and another file", async () => {
    disk = { text: "same!", mtime: LONG_AGO };
    const content = new PresentContent(() => NOW);
    const versions = versionsOf("same!", "other");
    await hashes(content, versions);
    disk = { text: "other", mtime: LONG_AGO + 1 };
    expect(await hashes(content, versions)).toEqual(["[other]"]);
    disk = { text: "same!", mtime: LONG_AGO + 1 };
    expect(await hashes(content, versions, "b")).toEqual(["[same!]"]);
  });

  it("V7 does not trust the time of a file that was written just now", async () => {
    disk = { text: "same!", mtime: NOW - 500 };
    const content = new PresentContent(() => NOW);
    const versions = versionsOf("same!", "other");
    await hashes(content, versions);
    disk = { text: "other", mtime: NOW - 500 };
    expect(await hashes(content, versions)).toEqual(["[other]"]);
  });

  it("C8 a damaged version only goes without the mark; any other failure is told", async () => {
    disk = { text: "damaged", mtime: LONG_AGO };
    const content = new PresentContent(() => NOW);
    expect(await hashes(content, versionsOf(DAMAGED))).toEqual([]);
    disk = { text: "refused", mtime: LONG_AGO };
    await expect(hashes(content, versionsOf("refused"))).rejects.toThrow("cannot be read");
  });

  it("V7 marks nothing for a folder, a link, a large file or none", async () => {
    const content = new PresentContent(() => NOW);
    for (const type of [2, 64, 65]) {
      disk = { text: "same!", mtime: LONG_AGO, type };
      expect(await hashes(content, versionsOf("same!")), String(type)).toEqual([]);
    }
    const large = "x".repeat(1024 ** 2 + 1);
    disk = { text: large, mtime: LONG_AGO };
    expect(await hashes(content, versionsOf(large))).toEqual([]);
    disk = undefined;
    expect(await hashes(content, versionsOf(""))).toEqual([]);
    expect(reads).toBe(0);
  });
});
