import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CHECKPOINTS, saveCheckpoint } from "./checkpointView";
import { folderState } from "./folderState";
import { tellStory } from "./story";
import { until } from "./workbench/until";
import type { Row } from "./workbench/views";

const PREVIEW = "Restore Preview";
const SETTLE_MS = 2000;

describe("restoring", () => {
  const story = tellStory({ firstPicture: 40, settings: { "checkpoint.autoSave.enabled": false } });
  const folderIs = (state: Record<string, string>) =>
    until("the folder's exact state", () => JSON.stringify(folderState(story.folder)) === JSON.stringify(state)).catch(
      () => expect(folderState(story.folder)).toEqual(state),
    );
  let saved: Record<string, string> = {};
  let worked: Record<string, string> = {};

  it("V10 Restore shows what would change before anything does", async () => {
    const { workbench, folder } = story;
    symlinkSync("tide.ts", path.join(folder, "src/latest.ts"));
    mkdirSync(path.join(folder, "reports"));
    story.write("scripts/publish.sh", "#!/bin/sh\nnpm run forecast -- --json > reports/today.json\n");
    chmodSync(path.join(folder, "scripts/publish.sh"), 0o755);
    await saveCheckpoint(workbench, 1);
    saved = folderState(folder);

    story.edit("src/tide.ts", ["height += amplitude", "height -= amplitude"]);
    story.edit("README.md", ["small harbors", "large harbors"]);
    story.remove("src/chart");
    story.remove("reports");
    story.write("src/moon.ts", "export const phase = 0.25;\n");
    chmodSync(path.join(folder, "scripts/publish.sh"), 0o644);
    worked = folderState(folder);

    await workbench.run("Checkpoint: Restore…");
    await workbench.quickInput.pick(/^#1\b/);
    const rows = await workbench.views.waitForRows(PREVIEW, (shown) => shown.some((row) => row.label === "tide.ts"));
    expect(rows.map((row) => row.label)).toEqual(expect.arrayContaining(["README.md", "tide.ts", "curve.ts"]));
    await story.picture("restore-preview");
    await folderIs(worked);
  });

  it("V10 Restore Selected restores what is ticked, and Undo takes it back", async () => {
    const { workbench } = story;
    const isUnticked = (shown: Row[]) => shown.some((row) => row.label === "Changed" && row.description === "2 of 3");
    // VS Code forgets a click made while it is still filling the view.
    const rows = await until("README.md to be left out", async () => {
      await workbench.views.setCheckbox(PREVIEW, "README.md", false);
      return workbench.views.waitForRows(PREVIEW, isUnticked, SETTLE_MS);
    });
    expect(rows.find((row) => row.label === "README.md")?.checked).toBe(false);
    expect(rows.find((row) => row.label === "tide.ts")?.checked).toBe(true);
    await story.picture("restore-preview-part");
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    const done = await workbench.notifications.waitFor(/Restored \d+ file/);
    expect(done.buttons).toContain("Undo");
    await story.picture("restored");
    expect(folderState(story.folder)).toEqual({ ...saved, "README.md": worked["README.md"] });
    await done.press("Undo");
    await folderIs(worked);
  });

  it("V10 a whole restore brings back the exact state, and Undo the former one after Reload Window", async () => {
    const { workbench } = story;
    await workbench.notifications.clear();
    const before = folderState(story.folder);
    await workbench.run("Checkpoint: Restore…");
    await workbench.quickInput.pick(/^#1\b/);
    await workbench.views.waitForRows(PREVIEW, (shown) => shown.some((row) => row.label === "README.md"));
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    await workbench.notifications.waitFor(/Restored \d+ file/);
    // Asked for by a person, the checkpoint stands for the whole state: files made since go, and come back by Undo.
    await folderIs(saved);

    await workbench.reload();
    await workbench.run("Checkpoint: Undo Last Restore");
    await folderIs(before);
    await story.picture("undone-after-reload");

    await workbench.run("Checkpoint: Redo Restore");
    await folderIs(saved);
  });

  it("V10 every restore leaves a safety checkpoint behind", async () => {
    const { workbench } = story;
    await workbench.views.openContainer(CHECKPOINTS);
    const rows = await workbench.views.waitForRows(CHECKPOINTS, (shown) =>
      shown.some((row) => /safety/.test(row.description)),
    );
    expect(rows.length).toBeGreaterThan(2);
    await story.picture("safety-checkpoints");
  });
});
