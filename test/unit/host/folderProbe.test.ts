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
  it("V20 asks a few at a time, each path once, and tells of the folders", async () => {
    const { probe, asked, folders, answerAll } = newProbe();
    for (let round = 0; round < 2; round++) for (let i = 0; i < 100; i++) probe.ask(`p${i}`);
    expect(asked.length).toBeLessThan(20);
    await answerAll((path) => path.endsWith("7"));
    expect(folders.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `p${i === 0 ? "" : i}7`).sort());
    probe.ask("p7");
    expect(asked).toHaveLength(0);
  });

  it("C7 after a save every path is asked about anew", async () => {
    const { probe, asked, folders, answerAll } = newProbe();
    probe.ask("dist");
    await answerAll(() => false);
    probe.forget();
    probe.ask("dist");
    expect(asked).toHaveLength(1);
    await answerAll(() => true);
    expect(folders).toEqual(["dist"]);
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
