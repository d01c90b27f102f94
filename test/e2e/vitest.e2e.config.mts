import path from "node:path";
import { defineConfig } from "vitest/config";
import { NEWEST, OLDEST } from "../../scripts/vscodeServer/provision.mjs";

/** V22: releases to test in, by code-server's version: CHECKPOINT_E2E_VERSIONS="4.139.1" takes one only. */
const releases = (process.env.CHECKPOINT_E2E_VERSIONS ?? `${OLDEST},${NEWEST}`).split(",");

/** A whole story in one test takes seconds; the limit is for a loaded machine. */
const STORY_MS = 180_000;

const here = (file: string) => path.resolve(import.meta.dirname, file);
const root = here("../..");

export default defineConfig({
  root,
  test: {
    globalSetup: [here("packageOnce.ts")],
    maxWorkers: 1,
    projects: releases.map((release, index) => ({
      root,
      test: {
        name: `vscode-${release}`,
        include: ["test/e2e/*.e2e.test.ts"],
        globalSetup: [here("installVsCode.ts")],
        provide: { release },
        // One VS Code with its browser fills two cores.
        fileParallelism: false,
        sequence: { groupOrder: index },
        testTimeout: STORY_MS,
        hookTimeout: STORY_MS,
      },
    })),
  },
});
