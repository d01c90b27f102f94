import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";
import { until } from "./workbench/until";

const HISTORY = "File History";

describe("the history of a file", () => {
  const story = tellStory({ firstPicture: 30, settings: { "checkpoint.autoSave.enabled": false } });
  const tide = () => readFileSync(path.join(story.folder, "src/tide.ts"), "utf8");

  it("V7 File History follows the active editor and lists the versions that differ", async () => {
    const { workbench } = story;
    await saveCheckpoint(workbench, 1);
    story.edit("src/tide.ts", ["const steps = days * 144;", "const steps = days * 24 * 6;"]);
    await saveCheckpoint(workbench, 2);
    story.edit("README.md", ["--days 3", "--days 7"]);
    await saveCheckpoint(workbench, 3);

    await workbench.views.openContainer("Explorer");
    await workbench.open("src/tide.ts");
    const versions = await workbench.views.waitForRows(HISTORY, (rows) => rows.length === 2);
    expect(versions.map((row) => /#\d+/.exec(`${row.label} ${row.description}`)?.[0])).toEqual(["#2", "#1"]);
    await workbench.open("README.md");
    const others = await workbench.views.waitForRows(HISTORY, (rows) =>
      /#3/.test(`${rows[0]?.label} ${rows[0]?.description}`),
    );
    expect(others).toHaveLength(2);
    await story.picture("file-history");
  });

  it("V7 a click on a version shows what it changed", async () => {
    const { workbench } = story;
    await workbench.open("src/tide.ts");
    await workbench.views.waitForRows(HISTORY, (rows) => /#2/.test(`${rows[0]?.label} ${rows[0]?.description}`));
    await workbench.views.click(HISTORY, /^#2/);
    const texts = await workbench.editors.diff(({ original, modified }) => original !== "" && modified !== "");
    expect(texts.original).toContain("days * 144");
    expect(texts.modified).toContain("days * 24 * 6");
    await story.picture("version-diff");
  });

  it("V7 Restore File brings a version back", async () => {
    const { workbench } = story;
    await workbench.open("src/tide.ts");
    await workbench.views.waitForRows(HISTORY, (rows) => rows.length === 2);
    await workbench.views.contextMenu(HISTORY, /^#1/, "Restore File…");
    await until("the older version on disk", () => tide().includes("days * 144"));
    await story.picture("file-restored");
    await workbench.run("Checkpoint: Undo Last Restore");
    await until("the newer version on disk", () => tide().includes("days * 24 * 6"));
  });

  it("V9 the Marketplace package says nothing about proposals", async () => {
    const { workbench } = story;
    await workbench.run("View: Close All Editors");
    expect(workbench.logs()).not.toMatch(/propos/i);
    const shown = await workbench.notifications.shown();
    expect(shown.filter((notification) => /propos|error|fail/i.test(notification.text))).toEqual([]);
  });
});
