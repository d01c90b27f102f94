import { describe, expect, it } from "vitest";
import { CHECKPOINTS, checkpointRows, saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";
import { until } from "./workbench/until";

const TIDE_CHANGE = [
  "Math.cos(((speed * hours - phase) * Math.PI) / 180)",
  "Math.cos(radians(speed * hours - phase))",
] as const;

describe("saving, and the tree of checkpoints", () => {
  const story = tellStory({ firstPicture: 10, settings: { "checkpoint.autoSave.enabled": false } });

  it("V2 Save puts a checkpoint with time and counts on top of the tree", async () => {
    const { workbench } = story;
    await workbench.views.openContainer(CHECKPOINTS);
    await story.picture("empty-view");
    await saveCheckpoint(workbench, 1);
    const [first] = await checkpointRows(workbench, 1);
    expect(first?.label).toMatch(/^\d\d:\d\d #1$/);
    expect(first?.description).toContain("+11");
    await story.picture("first-checkpoint");

    story.edit("src/tide.ts", TIDE_CHANGE);
    story.write("src/angle.ts", "export const radians = (degrees: number) => (degrees * Math.PI) / 180;\n");
    story.remove("docs/stations.md");
    await saveCheckpoint(workbench, 2);
    const [second, older] = await checkpointRows(workbench, 2);
    expect(second?.description).toContain("+1 ~1 −1");
    expect(older?.label).toBe(first?.label);
    await story.picture("second-checkpoint");
  });

  it("V2 Save with nothing changed says so and adds nothing", async () => {
    const { workbench } = story;
    await workbench.run("Checkpoint: Save");
    const said = await workbench.notifications.waitFor(/[Nn]othing (has )?changed/);
    expect(said.text).toContain("#2");
    await checkpointRows(workbench, 2);
    await story.picture("nothing-changed");
    await workbench.notifications.clear();
  });

  it("V4 a checkpoint opens into folders and files, and a file into its change", async () => {
    const { workbench } = story;
    await workbench.views.expand(CHECKPOINTS, / #2$/);
    const rows = await workbench.views.waitForRows(CHECKPOINTS, (shown) =>
      shown.some((row) => row.label === "tide.ts"),
    );
    const shown = rows.filter((row) => row.level > 2).map((row) => `${row.level} ${row.label} ${row.description}`);
    expect(shown).toEqual(["3 docs 1", "4 stations.md D", "3 src 2", "4 angle.ts A", "4 tide.ts M"]);

    await workbench.views.click(CHECKPOINTS, "tide.ts");
    await workbench.editors.waitForTab(/tide\.ts/);
    const changed = await workbench.editors.diff(({ original, modified }) => original !== "" && modified !== "");
    expect(changed.original).toContain(TIDE_CHANGE[0]);
    expect(changed.modified).toContain(TIDE_CHANGE[1]);
    await story.picture("changed-file");

    await workbench.views.click(CHECKPOINTS, "stations.md");
    await workbench.editors.waitForTab(/stations\.md/);
    const removed = await workbench.editors.diff(({ original }) => original.includes("Whitby"));
    expect(removed.modified.trim()).toBe("");
    await workbench.views.click(CHECKPOINTS, "angle.ts");
    await workbench.editors.waitForTab(/angle\.ts/);
    const added = await workbench.editors.diff(({ modified }) => modified.includes("radians"));
    expect(added.original.trim()).toBe("");
  });

  it("V4 the inline action compares a file of a checkpoint with the workspace", async () => {
    const { workbench } = story;
    story.edit("src/tide.ts", ["let height = 0;", "let height = meanLevel;"]);
    await workbench.views.inlineAction(CHECKPOINTS, "tide.ts", "Compare");
    const texts = await workbench.editors.diff(
      ({ original, modified }) => original !== "" && modified.includes("meanLevel"),
    );
    expect(texts.original).toContain("let height = 0;");
    await story.picture("against-workspace");
  });

  it("V3 Save As asks for a name", async () => {
    const { workbench } = story;
    await workbench.run("Checkpoint: Save As…");
    await story.picture("name-prompt");
    await workbench.quickInput.answer("before the mean level");
    await workbench.statusBar.waitFor(/saved: before the mean level/);
    const [newest] = await checkpointRows(workbench, 3);
    expect(newest?.label).toBe("before the mean level");
    expect(newest?.description).toContain("#3");
  });

  it("V3 Rename, Pin and Unpin from the tree and from the palette", async () => {
    const { workbench } = story;
    await workbench.views.contextMenu(CHECKPOINTS, "before the mean level", "Rename…");
    await workbench.quickInput.answer("mean level, first try");
    await workbench.views.waitForRows(CHECKPOINTS, (rows) => rows.some((row) => row.label === "mean level, first try"));

    await workbench.views.contextMenu(CHECKPOINTS, "mean level, first try", "Pin");
    const menu = await until("the menu to know the pin", async () => {
      const entries = await workbench.views.contextMenu(CHECKPOINTS, "mean level, first try");
      return entries.includes("Unpin") && entries;
    });
    expect(menu).not.toContain("Pin");
    await story.picture("pinned");

    // From the palette it is about the selected checkpoint.
    await workbench.views.click(CHECKPOINTS, "mean level, first try");
    await workbench.run("Checkpoint: Rename…");
    await workbench.quickInput.answer("as forecast in the paper");
    await workbench.views.waitForRows(CHECKPOINTS, (rows) =>
      rows.some((row) => row.label === "as forecast in the paper"),
    );
  });

  it("V3 two selected checkpoints can be compared", async () => {
    const { workbench } = story;
    await workbench.views.click(CHECKPOINTS, / #1$/);
    await workbench.views.click(CHECKPOINTS, "as forecast in the paper", ["Control"]);
    await workbench.views.contextMenu(CHECKPOINTS, / #1$/, "Compare Two Checkpoints…");
    const entries = await workbench.editors.multiDiff(3);
    expect(entries.map((entry) => entry.title).sort()).toEqual(["angle.ts", "stations.md", "tide.ts"]);
    const tide = entries.find((entry) => entry.title === "tide.ts");
    expect(tide?.original).toContain("Math.PI");
    expect(tide?.modified).toContain("meanLevel");
    await story.picture("two-checkpoints");
  });

  it("V3 Delete asks first, and takes several", async () => {
    const { workbench } = story;
    await workbench.views.contextMenu(CHECKPOINTS, "as forecast in the paper", "Delete…");
    const refusal = await workbench.dialogs.waitFor(/./);
    await refusal.press("Cancel");
    await checkpointRows(workbench, 3);

    story.write("docs/moved.md", "The stations are in the wiki.\n");
    await saveCheckpoint(workbench, 4);
    await workbench.views.click(CHECKPOINTS, / #2$/);
    await workbench.views.click(CHECKPOINTS, "as forecast in the paper", ["Control"]);
    await workbench.views.contextMenu(CHECKPOINTS, / #2$/, "Delete…");
    const question = await workbench.dialogs.waitFor(/2 checkpoints/);
    await story.picture("delete-question");
    await question.press("Delete");
    // One of them is pinned, which is asked about once more.
    const again = await workbench.dialogs.waitFor(/as forecast in the paper.*pinned/);
    await again.press("Delete Pinned");
    const rows = await checkpointRows(workbench, 2);
    expect(rows.map((row) => row.label.split(" ").at(-1))).toEqual(["#4", "#1"]);
  });

  it("V3 F2 and Delete are about the selected checkpoint", async () => {
    const { workbench } = story;
    await workbench.views.click(CHECKPOINTS, / #1$/);
    await workbench.page.keyboard.press("F2");
    await workbench.quickInput.answer("as it came");
    await workbench.views.waitForRows(CHECKPOINTS, (rows) => rows.some((row) => row.label === "as it came"));
    await workbench.views.click(CHECKPOINTS, "as it came");
    await workbench.page.keyboard.press("Delete");
    const question = await workbench.dialogs.waitFor(/Delete checkpoint as it came/);
    expect(question.text).toContain("no other checkpoint holds");
    await question.press("Cancel");
  });
});
