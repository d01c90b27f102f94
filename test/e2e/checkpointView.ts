import { expect } from "vitest";
import type { Row } from "./workbench/views";
import type { Workbench } from "./workbench/workbench";

/** Title of the view container and of its tree. */
export const CHECKPOINTS = "Checkpoints";

/** The tree's rows once it shows that many checkpoints (rows one below the days). */
export async function checkpointRows(workbench: Workbench, count: number): Promise<Row[]> {
  await workbench.views.openContainer(CHECKPOINTS);
  const rows = await workbench.views.waitForRows(CHECKPOINTS, (shown) => checkpointsOf(shown).length === count);
  return checkpointsOf(rows);
}

function checkpointsOf(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.level === 2);
}

/** Saves by the palette and waits until the new checkpoint stands on top. */
export async function saveCheckpoint(workbench: Workbench, number: number): Promise<void> {
  await workbench.run("Checkpoint: Save");
  await workbench.statusBar.waitFor(new RegExp(`saved: #${number}\\b`));
  const [newest] = await checkpointRows(workbench, number);
  expect(newest?.label).toMatch(new RegExp(` #${number}$`));
}

/** Saves under a name by the palette. */
export async function saveCheckpointAs(workbench: Workbench, name: string): Promise<void> {
  await workbench.run("Checkpoint: Save As…");
  await workbench.quickInput.answer(name);
  await workbench.statusBar.waitFor(new RegExp(`saved: ${name}`));
}
