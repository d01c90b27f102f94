import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CHECKPOINTS, checkpointRows, saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";
import { until } from "./workbench/until";

const STORAGE = "Storage";
/** The shortest interval the setting accepts: three seconds. */
const SHORT_MINUTES = 0.05;
const GONE_ID = "0011223344556677";

describe("what checkpoints take, and making room", () => {
  const story = tellStory({
    firstPicture: 130,
    settings: { "checkpoint.autoSave.enabled": false },
    expectedErrors: /\[disk-low\]/,
  });

  /** Settings of machine scope lie beside the server, not with the user's. */
  function changeMachineSettings(changes: Readonly<Record<string, unknown>>): void {
    const folder = path.join(story.workbench.home, "user", "Machine");
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, "settings.json");
    const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as object) : {};
    writeFileSync(file, JSON.stringify({ ...known, ...changes }));
  }

  /** The folder that holds the stores. */
  function stores(): string {
    const parent = path.join(story.workbench.home, "user", "User", "globalStorage");
    const [own] = readdirSync(parent).filter((name) => existsSync(path.join(parent, name, "stores")));
    return path.join(parent, own ?? "", "stores");
  }

  /** Gives the view all the room there is: only rows that are drawn are seen. */
  async function openStorage(): Promise<void> {
    const { page, views } = story.workbench;
    await views.openContainer(CHECKPOINTS);
    await views.pane(STORAGE);
    const header = page.locator('.pane-header[aria-label^="Checkpoints Section"]');
    await until("the other view to collapse", async () => {
      if ((await header.getAttribute("aria-expanded")) === "false") return true;
      await header.click({ timeout: 2000 });
      return false;
    });
  }

  it("C19 the Storage view shows what the store consists of, and the paths that take most", async () => {
    const { workbench } = story;
    story.write("media/tides.bin", randomBytes(300_000));
    await saveCheckpoint(workbench, 1);
    story.write("media/tides.bin", randomBytes(300_000));
    story.write("docs/long.txt", randomBytes(20_000).toString("hex"));
    await saveCheckpoint(workbench, 2);
    await openStorage();
    await workbench.views.expand(STORAGE, "harbor-lights");
    const rows = await workbench.views.waitForRows(STORAGE, (shown) => shown.length > 6);
    const described = new Map(rows.map((row) => [row.label, row.description]));
    expect(described.get("harbor-lights")).toMatch(/^\d+ kB$|^\d+\.\d kB$/);
    expect(described.get("Files' contents")).toMatch(/kB$/);
    expect(described.get("Checkpoints")).toBe("2");
    await workbench.views.expand(STORAGE, "Largest in the checkpoints");
    const paths = await workbench.views.waitForRows(STORAGE, (shown) => shown.some((row) => row.label === "tides.bin"));
    const first = paths[paths.findIndex((row) => row.label === "Largest in the checkpoints") + 1];
    expect(first?.label).toBe("tides.bin");
    expect(first?.description).toMatch(/^60\d(\.\d)? kB · 2 versions · media$/);
    await story.picture("storage-view");
  });

  it("C19 Exclude says what it means, and the next checkpoint is without it", async () => {
    const { workbench, folder } = story;
    await workbench.views.inlineAction(STORAGE, "tides.bin", "Exclude");
    const question = await workbench.dialogs.waitFor(/Leave media\/tides\.bin out/);
    expect(question.text).toContain("It stays in the checkpoints that hold it");
    await story.picture("exclude-question");
    await question.press("Exclude");
    await workbench.statusBar.waitFor(/left out from now on/);
    const settings = path.join(folder, ".vscode", "settings.json");
    await until("the setting", () => existsSync(settings) && readFileSync(settings, "utf8").includes("tides"));
    expect(JSON.parse(readFileSync(settings, "utf8"))).toMatchObject({
      "checkpoint.files.exclude": ["/media/tides.bin"],
    });
    await saveCheckpoint(workbench, 3);
    await workbench.views.expand(CHECKPOINTS, / #3$/);
    await workbench.views.waitForRows(CHECKPOINTS, (shown) =>
      shown.some((row) => row.label === "tides.bin" && row.description === "D"),
    );
    expect(existsSync(path.join(folder, "media", "tides.bin"))).toBe(true);
  });

  it("C19 the store of a folder that is gone is listed, and deleted after a question", async () => {
    const { workbench } = story;
    const workspace = path.join(workbench.home, "no-such-harbor");
    const gone = path.join(stores(), GONE_ID);
    mkdirSync(path.join(gone, "packs"), { recursive: true });
    writeFileSync(path.join(gone, "packs", "some"), randomBytes(50_000));
    writeFileSync(
      path.join(gone, "store.json"),
      JSON.stringify({ formatVersion: 1, workspace, root: "1:1", rootBorn: 1, hasCatalog: false }),
    );
    await openStorage();
    await workbench.views.titleAction(STORAGE, "Count Again");
    await workbench.views.expand(STORAGE, "All stores");
    await workbench.views.waitForRows(STORAGE, (shown) =>
      shown.some((row) => row.label === "no-such-harbor" && row.description.includes("not there")),
    );
    await workbench.views.inlineAction(STORAGE, "no-such-harbor", "Delete");
    const question = await workbench.dialogs.waitFor(/Delete the checkpoints of .*no-such-harbor/);
    expect(question.text).toContain("not connected");
    expect(question.text).toMatch(/50(\.\d)? kB/);
    await question.press("Delete");
    await workbench.views.waitForRows(STORAGE, (shown) => !shown.some((row) => row.label === "no-such-harbor"));
    expect(existsSync(gone)).toBe(false);
    expect(readdirSync(stores())).toHaveLength(1);
  });

  it("C19 V12 automatic saves pause while too little of the disk is free, and go on when there is more", async () => {
    const { workbench } = story;
    const warning = workbench.page.locator('.statusbar [aria-label*="Automatic saves pause"]');
    const tooMuch = { "checkpoint.retention.enabled": false, "checkpoint.retention.minFreeDiskGB": 1_000_000 };
    changeMachineSettings(tooMuch);
    await workbench.changeSettings({
      "checkpoint.autoSave.enabled": true,
      "checkpoint.autoSave.intervalMinutes": SHORT_MINUTES,
    });
    story.edit("README.md", ["--days 3", "--days 4"]);
    await until("the warning", async () => (await warning.count()) > 0, 60_000);
    await story.picture("disk-low");
    const before = (await checkpointRows(workbench, 3)).length;
    // One by hand is made all the same.
    await workbench.run("Checkpoint: Save");
    await workbench.notifications.waitFor(/Only .* are free on the disk/);
    await checkpointRows(workbench, before + 1);
    await workbench.notifications.clear();
    changeMachineSettings({ "checkpoint.retention.minFreeDiskGB": 0 });
    story.edit("README.md", ["--days 4", "--days 5"]);
    await checkpointRows(workbench, before + 2);
    await until("the warning to go", async () => (await warning.count()) === 0, 60_000);
  });

  it("C19 Clean Up shows what would go, asks, and deletes automatic checkpoints alone", async () => {
    const { workbench } = story;
    story.edit("README.md", ["--days 5", "--days 6"]);
    await checkpointRows(workbench, 6);
    await workbench.changeSettings({ "checkpoint.autoSave.enabled": false });
    changeMachineSettings({
      "checkpoint.retention.keepAllHours": 0,
      "checkpoint.retention.keepHourlyDays": 0,
      "checkpoint.retention.keepDailyDays": 0,
      "checkpoint.retention.keepWeeklyWeeks": 0,
    });
    await until("something to clean up", async () => {
      await workbench.run("Checkpoint: Clean Up…");
      const labels = await Promise.race([
        workbench.quickInput.labels(),
        workbench.notifications.waitFor(/nothing to clean up/).then(() => undefined),
      ]);
      if (labels) return labels;
      await workbench.notifications.clear();
      return undefined;
    }).then((labels) => expect(labels.filter((label) => label.startsWith("#"))).toEqual(["#5"]));
    await story.picture("clean-up");
    await workbench.page.keyboard.press("Enter");
    const question = await workbench.dialogs.waitFor(/Delete 1 checkpoint\?/);
    expect(question.text).toContain("become free");
    await question.press("Delete");
    const rows = await checkpointRows(workbench, 5);
    expect(rows.map((row) => Number(/#(\d+)/.exec(`${row.label} ${row.description}`)?.[1]))).toEqual([6, 4, 3, 2, 1]);
  });
});
