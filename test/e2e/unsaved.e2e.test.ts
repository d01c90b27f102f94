import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CHECKPOINTS, checkpointRows, saveCheckpoint } from "./checkpointView";
import { CliProcess } from "./cliProcess";
import { folderState } from "./folderState";
import { tellStory } from "./story";
import { until } from "./workbench/until";

const TYPED = "# typed, and not saved\n";
const PREVIEW = "Restore Preview";

/** With a byte order mark, and without, in encodings that VS Code tells from each other by it or by a setting. */
const ENCODED = [
  { file: "notes/utf8bom.txt", before: Buffer.from("\ufeffZeile\r\nzwei\r\n"), after: Buffer.from("\ufeffGrün\r\n") },
  {
    file: "notes/utf16le.txt",
    before: Buffer.from("\ufeffeins\n", "utf16le"),
    after: Buffer.from("\ufeffGrün\n", "utf16le"),
  },
] as const;

describe("unsaved editors", () => {
  const story = tellStory({
    firstPicture: 110,
    settings: { "checkpoint.autoSave.enabled": false, "files.autoSave": "off" },
  });
  const cli = () => new CliProcess(story);
  const isDirty = async (name: string) => {
    const tab = story.workbench.page.locator(`.tab[data-resource-name="${name}"]`);
    return /\bdirty\b/.test((await tab.first().getAttribute("class", { timeout: 2000 })) ?? "");
  };
  const onDisk = (file: string) => readFileSync(path.join(story.folder, file), "utf8");

  it("V11 a save takes what is typed, and leaves the disk and the editor as they are", async () => {
    const { workbench, folder } = story;
    await saveCheckpoint(workbench, 1);
    const before = folderState(folder);
    await workbench.open("README.md");
    await workbench.editors.replaceAll(TYPED);
    await until("the editor to be dirty", () => isDirty("README.md"));
    // No question: it saves at once.
    await saveCheckpoint(workbench, 2);
    expect(folderState(folder)).toEqual(before);
    expect(await isDirty("README.md")).toBe(true);
    expect(cli().text("cat", "2", "README.md")).toBe(TYPED);
    await story.picture("unsaved-saved");
    // The same again is no change.
    await workbench.run("Checkpoint: Save");
    await workbench.notifications.waitFor(/[Nn]othing (has )?changed since #2/);
    await workbench.notifications.clear();
  });

  it("V11 encodings, byte order marks and line ends are what saving the file would write", async () => {
    const { workbench } = story;
    for (const { file, before } of ENCODED) story.write(file, before);
    for (const { file } of ENCODED) {
      await workbench.open(file);
      await workbench.editors.replaceAll("Grün\n");
      await until(`${file} to be dirty`, () => isDirty(path.basename(file)));
    }
    await saveCheckpoint(workbench, 3);
    for (const { file, before, after } of ENCODED) {
      expect(cli().bytes("cat", "3", file)).toEqual(after);
      expect(readFileSync(path.join(story.folder, file))).toEqual(before);
    }
    for (const _ of ENCODED) await workbench.run("View: Revert and Close Editor");
  });

  it("V11 a restore names dirty files that it changes, and backing out changes nothing", async () => {
    const { workbench, folder } = story;
    story.write("README.md", "# on disk, in no checkpoint\n");
    story.edit("src/tide.ts", ["let height = 0;", "let height = 1;"]);
    const before = folderState(folder);
    await openPreview();
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    const question = await workbench.dialogs.waitFor(/unsaved changes/);
    expect(question.text).toContain("README.md");
    expect(question.text).not.toContain("tide.ts");
    expect([...question.buttons].sort()).toEqual(["Cancel", "Keep in Checkpoint and Restore", "Save Them First"]);
    await story.picture("unsaved-restore-question");
    await question.press("Cancel");
    expect(folderState(folder)).toEqual(before);
    expect(await isDirty("README.md")).toBe(true);
  });

  it("V11 kept in a checkpoint: the editor shows the restored file, Undo brings back the disk, nothing is lost", async () => {
    const { workbench, folder } = story;
    const before = folderState(folder);
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    await (await workbench.dialogs.waitFor(/unsaved changes/)).press("Keep in Checkpoint and Restore");
    const done = await workbench.notifications.waitFor(/Restored \d+ files? from #1.*unsaved is in #\d+/);
    const kept = /unsaved is in #(\d+)/.exec(done.text)?.[1] ?? "";
    await until("the editor to be clean", async () => !(await isDirty("README.md")));
    const saved = cli().text("cat", "1", "README.md");
    expect(onDisk("README.md")).toBe(saved);
    await workbench.open("README.md");
    expect(await workbench.editors.text()).toContain(saved.split("\n")[0]);
    expect(cli().text("cat", kept, "README.md")).toBe(TYPED);
    await story.picture("unsaved-kept");
    await done.press("Undo");
    await until("the former state of the disk", () => JSON.stringify(folderState(folder)) === JSON.stringify(before));
    await workbench.notifications.waitFor(/restore was undone/);
    await workbench.notifications.clear();
  });

  it("V11 dirty files that a restore or an undo does not touch are not asked about", async () => {
    const { workbench, folder } = story;
    await workbench.open("docs/stations.md");
    await workbench.editors.replaceAll("typed, too\n");
    await until("the editor to be dirty", () => isDirty("stations.md"));
    const before = folderState(folder);
    await openPreview();
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    const done = await workbench.notifications.waitFor(/Restored \d+ file/);
    expect(await isDirty("stations.md")).toBe(true);
    await done.press("Undo");
    await workbench.notifications.waitFor(/restore was undone/);
    expect(folderState(folder)).toEqual(before);
    expect(await isDirty("stations.md")).toBe(true);
    await workbench.notifications.clear();
  });

  it("V11 Save Them First writes the files, and Undo brings that back", async () => {
    const { workbench } = story;
    await workbench.open("README.md");
    await workbench.editors.replaceAll(TYPED);
    await until("the editor to be dirty", () => isDirty("README.md"));
    await openPreview();
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    await (await workbench.dialogs.waitFor(/unsaved changes/)).press("Save Them First");
    const done = await workbench.notifications.waitFor(/Restored \d+ file/);
    expect(onDisk("README.md")).toBe(cli().text("cat", "1", "README.md"));
    await done.press("Undo");
    await until("what was typed", () => onDisk("README.md") === TYPED);
    await workbench.views.openContainer(CHECKPOINTS);
    expect((await checkpointRows(workbench, (await rowCount()) ?? 0)).length).toBeGreaterThan(3);
  });

  it("V11 V12 an automatic save takes what is typed, too, and none is made while nothing more is typed", async () => {
    const { workbench } = story;
    const before = await rowCount();
    await workbench.changeSettings({
      "checkpoint.autoSave.enabled": true,
      "checkpoint.autoSave.intervalMinutes": 0.04,
    });
    await workbench.open("README.md");
    await workbench.editors.replaceAll("typed for the automatic save\n");
    await workbench.views.openContainer(CHECKPOINTS);
    await until(
      "an automatic checkpoint of the typed text",
      () => cli().text("cat", "latest", "README.md") === "typed for the automatic save\n",
    );
    expect(onDisk("README.md")).toBe(TYPED);
    expect(await isDirty("README.md")).toBe(true);
    const rows = await workbench.views.waitForRows(CHECKPOINTS, (shown) =>
      shown.some((row) => /automatic/.test(row.description)),
    );
    const made = rows.filter((row) => row.level === 2).length;
    expect(made).toBeGreaterThan(before);
    const vain = () => workbench.logs().match(/: nothing changed in/g)?.length ?? 0;
    const soFar = vain();
    await until("two more tries that find nothing", () => vain() >= soFar + 2);
    expect(await rowCount()).toBe(made);
    await workbench.changeSettings({ "checkpoint.autoSave.enabled": false });
  });

  async function rowCount(): Promise<number> {
    const rows = await story.workbench.views.waitForRows(CHECKPOINTS, (shown) => shown.length > 3);
    return rows.filter((row) => row.level === 2).length;
  }

  async function openPreview(): Promise<void> {
    await story.workbench.run("Checkpoint: Restore…");
    await story.workbench.quickInput.pick(/^#1\b/);
    await story.workbench.views.waitForRows(PREVIEW, (shown) => shown.some((row) => row.label === "tide.ts"));
  }
});
