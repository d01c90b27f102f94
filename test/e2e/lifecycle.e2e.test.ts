import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CHECKPOINTS, checkpointRows, saveCheckpoint } from "./checkpointView";
import { tellStory } from "./story";
import { until } from "./workbench/until";

const STOPPED = /engine stopped unexpectedly and was restarted/;
/** What every WebAssembly module begins with, in the base64 in which bundles carry it. */
const WASM = "AGFzbQ";

describe("the life of the engine", () => {
  const story = tellStory({
    firstPicture: 95,
    settings: { "checkpoint.autoSave.enabled": false },
    hasProbe: true,
    expectedErrors: /The engine stopped|\[worker-gone\]/,
  });
  const workers = () => story.probe.ask("workers", { id: story.extensionId });
  const crashWith = (command: string) => story.probe.ask("crashThenCommand", { id: story.extensionId, command });
  const messages = async () => (await story.workbench.notifications.shown()).filter(({ text }) => STOPPED.test(text));
  /** Calls that failed because the engine was gone, and the one report of its death. */
  const losses = () => story.workbench.logs().match(/\[worker-gone\]/g)?.length ?? 0;

  it("V20 P9 activation starts no thread, and its bundle holds no part of the engine", async () => {
    const { workbench, probe, extensionId: id } = story;
    await until("the extension to be active", () => probe.ask("isActive", { id }));
    expect(await workers()).toBe(0);

    const extensions = path.join(workbench.home, "extensions");
    const installed = readdirSync(extensions).find((name) => name.startsWith(`${id}-`));
    const bundle = (name: string) => readFileSync(path.join(extensions, installed ?? "", "dist", name), "utf8");
    expect(bundle("worker.js")).toContain(WASM);
    expect(bundle("extension.js")).not.toContain(WASM);
    expect(bundle("extension.js")).not.toContain("sql-wasm");

    await workbench.views.openContainer(CHECKPOINTS);
    await until("the engine's thread", async () => (await workers()) === 1);
  });

  it("V20 a crash is said once, and what only reads is asked again of a new engine", async () => {
    const { workbench } = story;
    await saveCheckpoint(workbench, 1);
    await crashWith("checkpoint.refresh");
    await workbench.notifications.waitFor(STOPPED);
    expect(await messages()).toHaveLength(1);
    await story.picture("engine-restarted");
    await until("the report of the death", () => losses() > 0);
    // And nothing else: the refresh itself did not fail.
    expect(losses()).toBe(1);
    expect(await workers()).toBe(1);
    await checkpointRows(workbench, 1);
    await workbench.notifications.clear();
  });

  it("V20 a save that is lost with the engine is not repeated; the next one works", async () => {
    const { workbench } = story;
    story.write("src/moon.ts", "export const phase = 0.25;\n");
    const before = losses();
    await crashWith("checkpoint.save");
    await workbench.notifications.waitFor(STOPPED);
    expect(await messages()).toHaveLength(1);
    await until("the reports of the death and of the lost save", () => losses() === before + 2);
    await workbench.notifications.clear();
    await checkpointRows(workbench, 1);
    await saveCheckpoint(workbench, 2);
    expect(await workers()).toBe(1);
  });
});
