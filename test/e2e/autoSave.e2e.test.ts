import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
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
    // Before the setting: a save is due the moment it is changed.
    story.edit("README.md", ["--days 3", "--days 5"]);
    await workbench.changeSettings({ "checkpoint.autoSave.intervalMinutes": SHORT_MINUTES });
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

  it("V12 P3 what other programs do is saved by looking at what changed alone: files, folders moved in, folders removed", async () => {
    const { workbench, folder } = story;
    /** The saves that made a checkpoint, as logged. */
    const saves = () =>
      [...workbench.logs().matchAll(/saved #(\d+) in \d+ ms, having looked at (.*)/g)].map(([, number, scope]) => ({
        number: Number(number),
        isHinted: /^\d+ changed paths$/.test(scope ?? ""),
      }));
    const last = () => saves().at(-1)?.number ?? 0;
    /** Waits for saves until they hold so many changes in total; false when one of them looked at everything. */
    const saved = async (since: number, counts: { added: number; changed: number; removed: number }) => {
      const isComplete = (rows: readonly Row[]) => {
        const fresh = rows.filter((row) => Number(/#(\d+)$/.exec(row.label)?.[1]) > since);
        const sum = (sign: string) =>
          fresh.reduce((all, row) => all + Number(new RegExp(`\\${sign}(\\d+)`).exec(row.description)?.[1] ?? 0), 0);
        return sum("+") === counts.added && sum("~") === counts.changed && sum("−") === counts.removed;
      };
      await workbench.views.waitForRows(CHECKPOINTS, (rows) => isComplete(rows.filter(isCheckpoint)));
      return saves().every(({ number, isHinted }) => number <= since || isHinted);
    };

    // The watcher is believed once it was heard before a save that looked at everything.
    let theme = 0;
    const isTrusted = async () => {
      const before = last();
      story.write("styles/night.css", `:root { --theme: ${theme++}; }\n`);
      await until("a save of it", () => last() > before, ROUND_MS);
      return saves().at(-1)?.isHinted;
    };
    await until("a save that looks at what changed alone", isTrusted, 2 * ROUND_MS);

    const outside = path.join(path.dirname(folder), "arrivals");
    mkdirSync(path.join(outside, "from", "afar"), { recursive: true });
    writeFileSync(path.join(outside, "near.txt"), "near\n");
    writeFileSync(path.join(outside, "from", "afar", "far.txt"), "far\n");
    let since = last();
    renameSync(outside, path.join(folder, "arrivals"));
    rmSync(path.join(folder, "docs"), { recursive: true });
    story.write("styles/night.css", ":root { --theme: dark; }\n");
    expect(await saved(since, { added: 2, changed: 1, removed: 1 })).toBe(true);

    // Linux reports nothing from inside a folder that was moved in.
    since = last();
    story.write("arrivals/from/afar/far.txt", "farther\n");
    story.write("styles/night.css", ":root { --theme: darker; }\n");
    expect(await saved(since, { added: 0, changed: 2, removed: 0 })).toBe(true);
  });
});
