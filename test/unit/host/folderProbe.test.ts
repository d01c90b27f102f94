import { describe, expect, it } from "vitest";
import { FolderProbe, MAX_WAITING } from "../../../src/host/folderProbe";

/** A probe whose questions are answered by hand. */
function newProbe() {
  const asked: { readonly path: string; readonly answer: (isFolder: boolean) => void }[] = [];
  const folders: string[] = [];
  let overflows = 0;
  const probe = new FolderProbe({
    isFolder: (path) => new Promise((answer) => asked.push({ path, answer })),
    onFolder: (path) => folders.push(path),
    onOverflow: () => overflows++,
  });
  const answerAll = async (isFolder: (path: string) => boolean): Promise<void> => {
    while (asked.length > 0) {
      for (const { path, answer } of asked.splice(0)) answer(isFolder(path));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { probe, asked, folders, answerAll, overflows: () => overflows };
}

describe("folder probe", () => {
  it("V20 asks a few at a time, each waiting path once, and tells of the folders", async () => {
    const { probe, asked, folders, answerAll } = newProbe();
    for (let round = 0; round < 2; round++) for (let i = 0; i < 100; i++) probe.ask(`p${i}`);
    expect(asked.length).toBeLessThan(20);
    await answerAll((path) => path.endsWith("7"));
    // p7 was under way when it was reported again.
    expect(folders.sort()).toEqual(["p7", ...Array.from({ length: 10 }, (_, i) => `p${i === 0 ? "" : i}7`)].sort());
  });

  it("C7 with every event a path is asked about anew: the file may have become a folder", async () => {
    const { probe, asked, folders, answerAll } = newProbe();
    probe.ask("dist");
    await answerAll(() => false);
    probe.ask("dist");
    // The answer to this one may be older than the event that follows.
    probe.ask("dist");
    expect(asked).toHaveLength(2);
    await answerAll(() => true);
    expect(folders).toEqual(["dist", "dist"]);
  });

  it("C7 says so when it has to give up paths", async () => {
    const { probe, answerAll, overflows } = newProbe();
    for (let i = 0; i < MAX_WAITING + 8; i++) probe.ask(`p${i}`);
    expect(overflows()).toBe(0);
    probe.ask("one more");
    expect(overflows()).toBe(1);
    await answerAll(() => false);
  });
});
