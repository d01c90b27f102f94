import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CHECKPOINTS, checkpointRows, saveCheckpoint } from "./checkpointView";
import { CliProcess } from "./cliProcess";
import { tellStory } from "./story";
import { until } from "./workbench/until";
import type { Workbench } from "./workbench/workbench";

const FILES = 4_000;

describe("two windows and a terminal on one folder", () => {
  const story = tellStory({
    firstPicture: 130,
    settings: { "checkpoint.autoSave.enabled": false, "files.watcherExclude": { "**/many/**": true } },
  });
  let other: Workbench;
  let stopped: number | undefined;
  const windows = () => [story.workbench, other];

  // One that stayed stopped would hold the lock for ever.
  afterAll(() => {
    if (stopped !== undefined) process.kill(stopped, "SIGKILL");
  });

  it("V14 each sees what the others save, without a reload", async () => {
    other = await story.workbench.openWindow();
    await saveCheckpoint(story.workbench, 1);
    await checkpointRows(other, 1);
    story.edit("README.md", ["small harbors", "large harbors"]);
    await saveCheckpoint(other, 2);
    await checkpointRows(story.workbench, 2);

    const cli = new CliProcess(story);
    story.write("docs/terminal.md", "from a terminal\n");
    cli.text("save", "-m", "from a terminal");
    for (const window of windows()) {
      const [newest] = await checkpointRows(window, 3);
      expect(newest?.label).toBe("from a terminal");
    }
    cli.text("rename", "3", "by another name");
    for (const window of windows())
      await window.views.waitForRows(CHECKPOINTS, (rows) => rows.some(({ label }) => label === "by another name"));
    const listed = cli.json<{ checkpoints: { number: number }[] }>("list");
    expect(listed.checkpoints.map(({ number }) => number)).toEqual([3, 2, 1]);
    await story.picture("two-windows");
  });

  it("V14 a restore in one window can be undone in the other", async () => {
    story.edit("README.md", ["large harbors", "no harbors"]);
    const cli = new CliProcess(story);
    cli.text("restore", "2", "README.md");
    await until("the other window to offer Undo", async () => {
      await other.run("Checkpoint: Undo Last Restore");
      return true;
    });
    await other.notifications.waitFor(/restore was undone/);
    const rows = await checkpointRows(other, 4);
    expect((await checkpointRows(story.workbench, 4)).map(({ label }) => label)).toEqual(
      rows.map(({ label }) => label),
    );
  });

  it("V14 while one saves, the other waits, says for whom, and then saves", async () => {
    for (let i = 0; i < FILES; i++) story.write(`many/${i}.txt`, `${i} of many\n`.repeat(20));
    const cli = new CliProcess(story);
    const saving = cli.start("save", "-m", "a long one");
    const ended = new Promise<number | null>((resolve) => saving.once("exit", resolve));
    const locks = path.join(cli.store, "locks");
    await until("the terminal to hold the lock", () => readdirSync(locks).includes("project.lock"));
    stopped = saving.pid ?? 0;
    process.kill(stopped, "SIGSTOP");
    expect(readdirSync(locks)).toContain("project.lock");

    await other.run("Checkpoint: Save As…");
    await other.quickInput.answer("after the long one");
    const waiting = await other.notifications.waitFor(/waiting for the store: in use by/);
    expect(waiting.text).toContain(`process ${stopped}`);
    process.kill(stopped, "SIGCONT");
    expect(await ended).toBe(0);
    stopped = undefined;
    for (const window of windows()) {
      const rows = await checkpointRows(window, 6);
      expect(rows.slice(0, 2).map(({ label }) => label)).toEqual(["after the long one", "a long one"]);
    }
  });
});
