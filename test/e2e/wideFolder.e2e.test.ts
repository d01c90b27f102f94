import { describe, expect, it } from "vitest";
import { checkpointRows, saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";

describe("the home folder as a workspace", () => {
  const story = tellStory({
    firstPicture: 140,
    isHome: true,
    settings: { "checkpoint.autoSave.intervalMinutes": 0.04 },
  });
  const status = (text: string) => story.workbench.page.locator(`.statusbar-item [aria-label*="${text}"]`);

  it("C18 is warned of, and automatic saves stay off", async () => {
    const { workbench } = story;
    const warning = await workbench.notifications.waitFor(/is your home folder/);
    expect([...warning.buttons].sort()).toEqual(["Keep Off", "Turn On"]);
    await status("Automatic saves are off").first().waitFor();
    await story.picture("home-folder");
    story.write("notes.txt", "something to save\n");
    await checkpointRows(workbench, 0);
  });

  it("C18 the first save by hand asks, and says how much it would be", async () => {
    const { workbench } = story;
    await workbench.run("Checkpoint: Save");
    const question = await workbench.dialogs.waitFor(/Save all of .*harbor-lights/);
    expect(question.text).toMatch(/is your home folder.*It would hold about \d+ files, [\d.]+ (kB|bytes)/s);
    await story.picture("home-folder-question");
    await question.press("Cancel");
    await checkpointRows(workbench, 0);

    await workbench.run("Checkpoint: Save");
    await (await workbench.dialogs.waitFor(/Save all of/)).press("Save All of It");
    await checkpointRows(workbench, 1);
    // Once is enough.
    story.write("notes.txt", "something else to save\n");
    await saveCheckpoint(workbench, 2);
  });

  it("C18 automatic saves begin once somebody turned them on", async () => {
    const { workbench } = story;
    await workbench.reload();
    await (await workbench.notifications.waitFor(/is your home folder/)).press("Turn On");
    await status("Next automatic save").first().waitFor();
    story.write("notes.txt", "a third thing to save\n");
    const [newest] = await checkpointRows(workbench, 3);
    expect(newest?.description).toContain("automatic");
    await workbench.reload();
    await status("Next automatic save").first().waitFor();
    expect((await workbench.notifications.shown()).filter(({ text }) => /home folder/.test(text))).toEqual([]);
  });
});
