import { existsSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ExtractTask } from "../../../src/core/pipeline/extractTask";
import { LanePool } from "../../../src/core/pipeline/lanes";
import { createSharedWork } from "../../../src/core/pipeline/sharedWork";
import { tempFolder } from "../../support/tempFolders";

/** A lane that answers at once or late (and leaves a file named like the task), with an error, or dies: as the task's root says. */
const SCRIPT = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", ({ id, task }) => {
    if (task.root === "dies") process.exit(1);
    if (task.root === "fails") parentPort.postMessage({ id, error: { code: "disk-full", message: "full", details: {} } });
    else setTimeout(() => {
      require("node:fs").writeFileSync(__dirname + "/" + task.root, "");
      parentPort.postMessage({ id, result: { failed: [] } });
    }, task.root === "slow" ? 300 : 0);
  });`;

const task = (root: string): ExtractTask => ({ kind: "extract", root, work: createSharedWork([]) });

function openPool(size: number, folder = tempFolder()): LanePool {
  writeFileSync(`${folder}/lane.cjs`, SCRIPT);
  return new LanePool(`${folder}/lane.cjs`, size);
}

describe("lanes", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("are given back when they rest, but not while another batch is at work", async () => {
    const pool = openPool(2);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const slow = pool.run("", [task("slow"), task("slow")]);
    await pool.run("", [task("fast")]);
    vi.advanceTimersByTime(60_000);
    expect(await slow).toEqual([{ failed: [] }, { failed: [] }]);
    vi.advanceTimersByTime(60_000);
    expect(await pool.run("", [task("fast")])).toHaveLength(1);
    await pool.dispose();
  });

  it("come to rest before an error is passed on", async () => {
    const folder = tempFolder();
    const pool = openPool(2, folder);
    await expect(pool.run("", [task("fails"), task("slow")])).rejects.toMatchObject({ code: "disk-full" });
    expect(existsSync(`${folder}/slow`)).toBe(true);
    await pool.dispose();
  });

  it("that die fail what they had, and are replaced", async () => {
    const pool = openPool(2);
    await expect(pool.run("", [task("dies"), task("slow")])).rejects.toMatchObject({ code: "worker-gone" });
    expect(await pool.run("", [task("fast"), task("fast")])).toHaveLength(2);
    await pool.dispose();
  });
});
