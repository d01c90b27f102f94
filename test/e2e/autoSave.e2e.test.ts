import { describe, expect, it } from "vitest";
import { CHECKPOINTS, checkpointRows } from "./checkpointView";
import { tellStory } from "./story";
import { until } from "./workbench/until";
import type { Row } from "./workbench/views";

/** The shortest interval the setting accepts: three seconds. */
const SHORT_MINUTES = 0.05;
const LONG_MINUTES = 600;
/** Without a sign of activity a round comes at a multiple of the interval. */
const ROUND_MS = 60_000;

describe("saving automatically", () => {
  const story = tellStory({
    firstPicture: 50,
    settings: { "checkpoint.autoSave.enabled": true, "checkpoint.autoSave.intervalMinutes": LONG_MINUTES },
  });
  const isCheckpoint = (row: Row) => row.level === 2;

  it("V12 a shorter interval takes effect at once, and the label says why", async () => {
    const { workbench } = story;
    await workbench.views.openContainer(CHECKPOINTS);
    await workbench.changeSettings({ "checkpoint.autoSave.intervalMinutes": SHORT_MINUTES });
    story.edit("README.md", ["--days 3", "--days 5"]);
    const [first] = await checkpointRows(workbench, 1);
    expect(first?.description).toContain("automatic");
    await story.picture("automatic");
  });

  it("V12 no checkpoint is made when nothing changed", async () => {
    const { workbench } = story;
    const emptyRounds = () => workbench.logs().match(/nothing changed/g)?.length ?? 0;
    const before = emptyRounds();
    await until("a round that finds nothing changed", () => emptyRounds() > before, ROUND_MS);
    expect((await workbench.views.rows(CHECKPOINTS)).filter(isCheckpoint)).toHaveLength(1);
    story.edit("README.md", ["--days 5", "--days 9"]);
    await checkpointRows(workbench, 2);
  });

  it("V12 it can be turned off and on", async () => {
    const { workbench } = story;
    await workbench.changeSettings({ "checkpoint.autoSave.enabled": false });
    // Until VS Code has read its settings file, a round may still pass.
    await workbench.page.waitForTimeout(SHORT_MINUTES * 60_000);
    const known = (await workbench.views.rows(CHECKPOINTS)).filter(isCheckpoint).length;
    story.edit("README.md", ["--days 9", "--days 2"]);
    await workbench.page.waitForTimeout(SHORT_MINUTES * 60_000 * 4);
    expect((await workbench.views.rows(CHECKPOINTS)).filter(isCheckpoint)).toHaveLength(known);
    await workbench.changeSettings({ "checkpoint.autoSave.enabled": true });
    await checkpointRows(workbench, known + 1);
  });
});
