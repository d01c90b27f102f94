/** What a person does with a large folder, step by step, each with the delays of the extension host's event loop. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { HostProbe, type LoopDelays } from "../e2e/hostProbe";
import { until } from "../e2e/workbench/until";
import { launchWorkbench, type Workbench } from "../e2e/workbench/workbench";
import { editFive, pickFive } from "./corpus.mjs";
import { type LongRun, longestRuns } from "./editorProfile";

export interface EditorRun {
  readonly server: string;
  readonly node: string;
  readonly version: string;
  readonly chromium: string;
  readonly project: string;
  readonly folder: string;
  readonly vsix: string;
  readonly extensionId: string;
  /** Where CPU profiles go; undefined = none are taken. */
  readonly profiles: string | undefined;
  readonly say: (line: string) => void;
}

export interface Phase extends LoopDelays {
  readonly name: string;
  /** With a profile: where the extension ran longest without a break. */
  readonly longRuns?: readonly LongRun[];
}

export interface EditorFigures {
  /** Loading the code and running `activate`, as VS Code measured it, window by window. */
  readonly activationsMs: readonly number[];
  /** The same windows: CPU time of the host's thread for it, loading and activating; null where Node does not tell. */
  readonly activationCpuMs: readonly (number | null)[];
  /** With a profile. */
  readonly activationRuns: readonly LongRun[];
  readonly workersAfterActivation: number;
  readonly phases: readonly Phase[];
}

const VIEW = "Checkpoints";
const PREVIEW = "Restore Preview";
/** VS Code's own start-up (extensions, file watcher, search index) is not to be measured as ours. */
const SETTLE_MS = 15_000;
const IDLE_MS = 10_000;
/** What comes after an action: events of changed files, refreshed views. */
const AFTER_MS = 2_000;
const PATIENCE_MS = 180_000;
const ACTIVATIONS = 5;
/** Three seconds. */
const SHORT_MINUTES = 0.05;

export async function measureEditor(run: EditorRun): Promise<EditorFigures> {
  const probe = await HostProbe.pack(run.project);
  let workbench: Workbench | undefined;
  try {
    if (run.profiles !== undefined) mkdirSync(run.profiles, { recursive: true });
    workbench = await launchWorkbench({
      ...run,
      companions: [probe.vsix],
      proposals: false,
      settings: {
        "checkpoint.autoSave.enabled": false,
        ...probe.settings,
        ...(run.profiles === undefined ? {} : probe.profileActivation(run.extensionId).settings),
      },
    });
    const activationsMs: number[] = [];
    const activationCpuMs: (number | null)[] = [];
    for (let window = 0; window < ACTIVATIONS; window++) {
      if (window > 0) await workbench.reload();
      activationsMs.push(await activationMs(workbench, run.extensionId));
      const took = await probe.ask("activation", { id: run.extensionId });
      if (took === null) throw new Error("The probe did not see the extension being activated.");
      const { load, activate } = took;
      activationCpuMs.push(load.cpuMs === null || activate.cpuMs === null ? null : load.cpuMs + activate.cpuMs);
    }
    await workbench.run("View: Close All Editors");
    const activationRuns =
      run.profiles === undefined ? [] : await longestRuns(probe.profileActivation(run.extensionId).file, run);
    const workersAfterActivation = await probe.ask("workers", { id: run.extensionId });
    const phases: Phase[] = [];
    for await (const phase of measurePhases(run, workbench, probe)) {
      phases.push(phase);
      run.say(`${phase.name}: ${phase.maxMs.toFixed(1)} ms at most`);
    }
    return { activationsMs, activationCpuMs, activationRuns, workersAfterActivation, phases };
  } catch (error) {
    if (workbench) await workbench.picture(path.join(run.project, "out/bench/editor-failed.png"));
    throw error;
  } finally {
    await workbench?.close();
    probe.dispose();
  }
}

/** The editor "Running Extensions" says "Activation: 12ms". */
async function activationMs(workbench: Workbench, extensionId: string): Promise<number> {
  await workbench.run("Developer: Show Running Extensions");
  const name = extensionId.split(".").at(-1) ?? extensionId;
  const row = workbench.page.locator(".runtime-extensions-editor .monaco-list-row").filter({
    has: workbench.page.locator(".name", { hasText: new RegExp(`^\\s*${name}\\s*$`, "i") }),
  });
  const found = await until("the activation time", async () =>
    /(\d+)\s*ms/.exec((await row.locator(".activation-time").first().textContent({ timeout: 1000 })) ?? ""),
  );
  return Number(found[1]);
}

async function* measurePhases(run: EditorRun, workbench: Workbench, probe: HostProbe): AsyncGenerator<Phase> {
  const { views, quickInput, notifications, page } = workbench;
  const pause = (ms: number) => page.waitForTimeout(ms);
  const command = (id: string) => probe.ask("command", { command: id });
  let edits = 0;
  const five = pickFive(run.folder);
  const edit = () => editFive(run.folder, five, edits++);

  const phase = async (name: string, act: () => Promise<unknown>): Promise<Phase> => {
    const file = run.profiles && path.join(run.profiles, `${name.replace(/\W+/g, "-")}.cpuprofile`);
    if (file !== undefined) await probe.ask("startProfile", {});
    await probe.ask("beginSamples", {});
    await act();
    await pause(AFTER_MS);
    const delays = await probe.ask("endSamples", {});
    if (file === undefined) return { name, ...delays };
    await probe.ask("stopProfile", { file });
    return { name, ...delays, longRuns: await longestRuns(file, run) };
  };

  await pause(SETTLE_MS);
  yield await phase("idle", () => pause(IDLE_MS));
  yield await phase("first save", () => command("checkpoint.save"));
  yield await phase("save, nothing changed", () => command("checkpoint.save"));
  await notifications.clear();
  // The files' own events belong to whoever changed them, so they are let pass.
  edit();
  await pause(AFTER_MS);
  yield await phase("5-file save", () => command("checkpoint.save"));
  yield await phase("open the view", async () => {
    await views.openContainer(VIEW);
    await views.waitForRows(VIEW, (rows) => rows.some((row) => / #1$/.test(row.label)));
  });
  yield await phase("expand the first checkpoint", async () => {
    await views.expand(VIEW, / #1$/);
    await views.waitForRows(VIEW, (rows) => rows.some((row) => row.level > 2), PATIENCE_MS);
  });
  yield await phase("expand a folder in it", async () => {
    const rows = await views.rows(VIEW);
    const count = (row: { description: string }) => Number(row.description.replace(/\D/g, "") || 0);
    const [largest] = rows.filter((row) => row.level === 3).sort((a, b) => count(b) - count(a));
    await views.expand(VIEW, largest?.label ?? "");
    await views.waitForRows(VIEW, (shown) => shown.some((row) => row.level > 3), PATIENCE_MS);
  });
  edit();
  await pause(AFTER_MS);
  yield await phase("5-file save, view open", () => command("checkpoint.save"));
  const compare = async () => {
    await workbench.run("Checkpoint: Compare Workspace with Checkpoint…");
    await quickInput.pick(/^#1\b/);
    await workbench.editors.waitForTab(/↔ now/);
  };
  yield await phase("compare workspace", compare);
  await workbench.run("View: Close All Editors");

  for (const name of readdirSync(run.folder)) rmSync(path.join(run.folder, name), { recursive: true });
  // VS Code tells every extension of every deleted file; that is measured, but not ours to answer for.
  yield await phase("everything deleted by others", () => pause(SETTLE_MS));
  yield await phase("compare workspace, all deleted", compare);
  await workbench.run("View: Close All Editors");
  await notifications.clear();
  yield await phase("restore preview, all deleted", async () => {
    await workbench.run("Checkpoint: Restore…");
    await quickInput.pick(/^#1\b/);
    await views.waitForRows(PREVIEW, (rows) => rows.some((row) => row.label === "Brought back"), PATIENCE_MS);
  });
  yield await phase("untick and tick all", async () => {
    for (const ticked of [false, true]) await views.setCheckbox(PREVIEW, "Brought back", ticked);
  });
  yield await phase("restore, all deleted", async () => {
    await views.titleAction(PREVIEW, "Restore Selected");
    await notifications.waitFor(/Restored [\d.,]+ file/, PATIENCE_MS);
  });
  await pause(SETTLE_MS);
  const saved = () => workbench.logs().match(/: saved #/g)?.length ?? 0;
  await workbench.changeSettings({
    "checkpoint.autoSave.enabled": true,
    "checkpoint.autoSave.intervalMinutes": SHORT_MINUTES,
  });
  await pause(SETTLE_MS);
  yield await phase("automatic save", async () => {
    const before = saved();
    edit();
    await until("the automatic save", () => saved() > before, PATIENCE_MS);
  });
}
