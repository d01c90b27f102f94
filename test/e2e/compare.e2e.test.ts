import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { logoPng } from "../../scripts/sampleWorkspace.mjs";
import { CHECKPOINTS, saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";
import { until, WAIT_MS } from "./workbench/until";

/** The oldest release supported, some of whose shortcomings are not to be held against the extension. */
const OLDEST = "1.100.";

describe("comparing with a checkpoint", () => {
  const story = tellStory({ firstPicture: 20, settings: { "checkpoint.autoSave.enabled": false } });

  it("V5 Compare Workspace shows added, changed and removed files, texts and pictures", async () => {
    const { workbench } = story;
    await saveCheckpoint(workbench, 1);
    story.edit("styles/theme.css", ["--sea: #1f6f8b;", "--sea: #14546b;"]);
    story.write("styles/night.css", ".curve {\n  background: #0b1f2a;\n}\n");
    story.remove("src/chart/axis.ts");
    story.write("media/logo.png", logoPng(0.05));

    await workbench.run("Checkpoint: Compare Workspace with Checkpoint…");
    await workbench.quickInput.pick(/^#1/);
    await workbench.editors.waitForTab(/#1.*4 files/);
    // Older releases leave out of this editor what they cannot show as text.
    const showsBinaries = !workbench.version.startsWith(OLDEST);
    const entries = await workbench.editors.multiDiff(showsBinaries ? 4 : 3);
    const byTitle = new Map(entries.map((entry) => [entry.title, entry]));
    expect(byTitle.get("theme.css")?.original).toContain("#1f6f8b");
    expect(byTitle.get("theme.css")?.modified).toContain("#14546b");
    expect(byTitle.get("night.css")?.original.trim()).toBe("");
    expect(byTitle.get("night.css")?.modified).toContain("#0b1f2a");
    expect(byTitle.get("axis.ts")?.original).toContain("hourMarks");
    expect(byTitle.get("axis.ts")?.modified.trim()).toBe("");
    expect(byTitle.has("logo.png")).toBe(showsBinaries);
    await story.picture("workspace-against-checkpoint");
  });

  it("V6 Compare File has the real file on the right, and the arrow reverts a block into it", async () => {
    const { workbench } = story;
    await workbench.run("View: Close All Editors");
    await workbench.open("styles/theme.css");
    await workbench.run("Checkpoint: Compare File with Checkpoint…");
    await workbench.quickInput.pick(/^#1/);
    await workbench.editors.waitForTab(/theme\.css.*#1/);
    const before = await workbench.editors.diff(({ original, modified }) => original !== "" && modified !== "");
    expect(before.original).toContain("#1f6f8b");
    expect(before.modified).toContain("#14546b");
    await story.picture("file-against-checkpoint");

    await workbench.editors.revertFirstChange();
    await workbench.editors.diff(({ modified }) => modified.includes("#1f6f8b"));
    await workbench.page.keyboard.press("Control+S");
    const file = path.join(story.folder, "styles/theme.css");
    await until("the reverted block on disk", () => readFileSync(file, "utf8").includes("--sea: #1f6f8b;"));
    await story.picture("block-reverted");
  });

  it("V5 a picture opens as a picture on both sides", async () => {
    const { workbench } = story;
    await workbench.run("View: Close All Editors");
    await saveCheckpoint(workbench, 2);
    await workbench.views.expand(CHECKPOINTS, / #2$/);
    const open = async (): Promise<void> => {
      await workbench.views.click(CHECKPOINTS, "logo.png");
      await workbench.editors.waitForTab(/logo\.png/);
    };
    const waitForBoth = (timeoutMs: number): Promise<number[]> =>
      until(
        "both pictures",
        async () => {
          const widths: number[] = [];
          for (const frame of workbench.page.frames())
            for (const image of await frame.locator("img:visible").all())
              widths.push((await image.boundingBox())?.width ?? 0);
          return widths.length === 2 && widths.every((width) => width > 0) && widths;
        },
        timeoutMs,
      );
    await open();
    // Of two webviews that start at the same time, one can stay blank in VS Code 1.100 (seen once in some fifty runs).
    const mayStayBlank = workbench.version.startsWith(OLDEST);
    const shown = await waitForBoth(mayStayBlank ? WAIT_MS / 2 : WAIT_MS).catch(async (error: unknown) => {
      if (!mayStayBlank) throw error;
      console.warn(`VS Code ${workbench.version} left a picture blank; it is opened again.`);
      await workbench.run("View: Close All Editors");
      await open();
      return waitForBoth(WAIT_MS);
    });
    expect(shown).toHaveLength(2);
    await story.picture("picture-diff");
  });
});
