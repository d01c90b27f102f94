import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CHECKPOINTS, saveCheckpoint } from "./checkpointView";
import { CliProcess } from "./cliProcess";
import { folderState } from "./folderState";
import { tellStory } from "./story";
import { until } from "./workbench/until";

/** Enough that a restore is under way for some time. */
const FILES = 6_000;
const TRIES = 10;
const PREVIEW = "Restore Preview";
const INTERRUPTED = /A restore of #1 was interrupted/;

describe("restores that were killed", () => {
  const story = tellStory({
    firstPicture: 120,
    settings: { "checkpoint.autoSave.enabled": false, "files.watcherExclude": { "**/many/**": true } },
    hasProbe: true,
    // The host is killed in the middle of a call.
    expectedErrors: /extension host|Extension host|Canceled/i,
  });
  let first: Record<string, string> = {};
  let worked: Record<string, string> = {};
  const fill = (version: string) => {
    for (let i = 0; i < FILES; i++) story.write(`many/${i % 10}/file${i}.txt`, `${version} of file ${i}\n`);
  };
  const isWarned = () => story.workbench.page.locator('.statusbar-item [aria-label*="was interrupted"]').count();

  it("C3 a killed command line is noticed after a reload; Later, then Finish by the command, then Undo", async () => {
    const { workbench, folder } = story;
    fill("first");
    await saveCheckpoint(workbench, 1);
    first = folderState(folder);
    fill("second");
    story.remove("docs");
    worked = folderState(folder);

    const cli = new CliProcess(story);
    await killInTheMiddle(cli);
    expect(mixed()).toBe(true);
    await workbench.reload();
    await workbench.views.openContainer(CHECKPOINTS);
    const offer = await workbench.notifications.waitFor(INTERRUPTED);
    expect([...offer.buttons].sort()).toEqual(["Finish", "Later", "Roll Back"]);
    await story.picture("restore-interrupted");
    await offer.press("Later");
    await until("the status bar to warn", isWarned);
    expect(mixed()).toBe(true);

    await workbench.run("Checkpoint: Finish or Roll Back Interrupted Restore…");
    await workbench.quickInput.pick("Finish");
    const done = await workbench.notifications.waitFor(/restore of #1 was finished/);
    expect(folderState(folder)).toEqual(first);
    expect(done.buttons).toContain("Undo");
    await until("the status bar to be quiet", async () => !(await isWarned()));
    await done.press("Undo");
    await workbench.notifications.waitFor(/restore was undone/);
    expect(folderState(folder)).toEqual(worked);
    await workbench.notifications.clear();
  });

  it("C3 a window that dies in the middle of its own restore offers to roll it back when it is back", async () => {
    const { workbench, folder } = story;
    const { store } = new CliProcess(story);
    await workbench.run("Checkpoint: Restore…");
    await workbench.quickInput.pick(/^#1\b/);
    await workbench.views.waitForRows(PREVIEW, (rows) => rows.length > 1);
    const host = hostPid();
    await workbench.views.titleAction(PREVIEW, "Restore Selected");
    await untilUnderWay(store);
    process.kill(host, "SIGKILL");
    expect(mixed()).toBe(true);
    // Nothing is opened: the offer comes by itself.
    await workbench.views.openContainer("Explorer");
    await workbench.reload();
    await (await workbench.notifications.waitFor(INTERRUPTED)).press("Roll Back");
    await workbench.notifications.waitFor(/rolled back: your files are as before/);
    expect(folderState(folder)).toEqual(worked);
    expect(existsSync(journalIn(store))).toBe(false);
    await story.picture("restore-rolled-back");
  });

  const journalIn = (store: string) => path.join(store, "journal", "restore.json");

  function versions(): Set<string> {
    const found = new Set<string>();
    for (let i = 0; i < FILES; i++) {
      const file = path.join(story.folder, `many/${i % 10}/file${i}.txt`);
      found.add(existsSync(file) ? (readFileSync(file, "utf8").split(" ")[0] ?? "") : "gone");
    }
    return found;
  }

  const mixed = () => versions().size > 1;

  /** Resolves once some files, and not all, are as they are to be. */
  async function untilUnderWay(store: string, isOver: () => boolean = () => false): Promise<boolean> {
    const probes = [0, 1, 2, 3].map((i) => path.join(story.folder, `many/${i}/file${i}.txt`));
    const end = Date.now() + 60_000;
    while (!isOver() && Date.now() < end) {
      const isBegun = () => probes.some((file) => existsSync(file) && readFileSync(file, "utf8").startsWith("first"));
      if (existsSync(journalIn(store)) && isBegun()) return true;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return false;
  }

  async function killInTheMiddle(cli: CliProcess): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const restore = cli.start("restore", "1");
      const ended = new Promise<void>((resolve) => restore.once("exit", () => resolve()));
      await untilUnderWay(cli.store, () => restore.exitCode !== null);
      restore.kill("SIGKILL");
      await ended;
      if (existsSync(journalIn(cli.store)) && mixed()) return;
      // It was too fast, or had not begun: back to where it was.
      if (existsSync(journalIn(cli.store))) cli.text("recover", "--roll-back");
      else if (restore.exitCode === 0) cli.text("undo");
    }
    throw new Error(`No restore of ${TRIES} could be killed in the middle.`);
  }

  /** Of the newest extension host: its probe's socket is named by it. */
  function hostPid(): number {
    const folder = String(story.probe.settings["hostProbe.folder"]);
    const sockets = readdirSync(folder).filter((name) => name.endsWith(".sock"));
    const born = (name: string) => statSync(path.join(folder, name)).birthtimeMs;
    const [newest = ""] = sockets.sort((a, b) => born(b) - born(a));
    return Number.parseInt(newest, 10);
  }
});
