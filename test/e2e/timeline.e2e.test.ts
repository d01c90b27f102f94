import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";
import { until } from "./workbench/until";

const TIMELINE = "Timeline";

describe("the Timeline panel, with the timeline package", () => {
  const story = tellStory({
    firstPicture: 60,
    package: "timeline",
    settings: { "checkpoint.autoSave.enabled": false },
  });

  it("V8 versions of the active file stand in the Timeline, also those saved while it is open", async () => {
    const { workbench } = story;
    await saveCheckpoint(workbench, 1);
    await workbench.views.openContainer("Explorer");
    await workbench.open("src/tide.ts");
    await workbench.views.waitForRows(TIMELINE, (rows) => rows.some((row) => /#1\b/.test(row.label)));

    story.edit("src/tide.ts", ["let height = 0;", "let height = meanLevel;"]);
    await workbench.run("Checkpoint: Save");
    const rows = await workbench.views.waitForRows(TIMELINE, (shown) => shown.some((row) => /#2\b/.test(row.label)));
    expect(rows.filter((row) => /^#\d/.test(row.label))).toHaveLength(2);
    await story.picture("timeline");
  });

  it("V8 a click opens the diff", async () => {
    const { workbench } = story;
    await workbench.views.click(TIMELINE, /#2\b/);
    const texts = await workbench.editors.diff(({ original, modified }) => original !== "" && modified !== "");
    expect(texts.original).toContain("let height = 0;");
    expect(texts.modified).toContain("let height = meanLevel;");
    await story.picture("timeline-diff");
  });

  it("V8 the context menu restores and compares", async () => {
    const { workbench } = story;
    await workbench.open("src/tide.ts");
    await workbench.views.waitForRows(TIMELINE, (shown) => shown.some((row) => /#1\b/.test(row.label)));
    const menu = await workbench.views.contextMenu(TIMELINE, /#1\b/);
    expect(menu).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Compare/), expect.stringMatching(/^Restore File/)]),
    );
    await workbench.views.contextMenu(
      TIMELINE,
      /#1\b/,
      menu.find((entry) => /^Restore File/.test(entry)),
    );
    const file = path.join(story.folder, "src/tide.ts");
    await until("the older version on disk", () => readFileSync(file, "utf8").includes("let height = 0;"));
  });
});
