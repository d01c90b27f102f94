/** A store with so many small packs that they are merged. */
import * as fs from "node:fs";
import { expect } from "vitest";
import type { Snapshot } from "../../support/snapshotTree";
import { openTestEngine, type TestOptions, type TestWorkspace } from "../../support/testEngine";

/** More than a tier may have. */
export const SAVES = 34;

export interface ManyPacks {
  readonly w: TestWorkspace;
  /** By id. */
  readonly states: ReadonlyMap<string, Snapshot>;
}

/** A store of 34 blob packs and as many tree packs, each of one small save. */
export async function manyPacks(options: TestOptions = {}, chunkBytes = 0): Promise<ManyPacks> {
  const w = await openTestEngine({ d: { e: { f: "0" } } }, { housekeeping: { idleMs: 0 }, ...options });
  const states = new Map<string, Snapshot>();
  for (let i = 0; i < SAVES; i++) {
    w.write(`f${i % 5}`, `version ${i} ${"of some text ".repeat(i)}`);
    w.write("d/e/f", `version ${i}`);
    const { id } = await w.checkpoint({ packChunkBytes: chunkBytes });
    states.set(id, w.snapshot());
  }
  return { w, states };
}

export const packsIn = (w: TestWorkspace, folder: string): string[] =>
  fs.readdirSync(`${w.store}/${folder}`).filter((name) => /\.dat$|\.parts\.json$/.test(name));

export async function expectRestorable({ w, states }: ManyPacks): Promise<void> {
  for (const [id, state] of states) {
    await w.restore(id, { safety: false });
    expect(w.snapshot()).toEqual(state);
  }
}
