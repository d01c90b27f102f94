import type { TestProject } from "vitest/node";
import { findChromium, type Install, provisionServer } from "../../scripts/vscodeServer/provision.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** code-server's version of the project. */
    readonly release: string;
    readonly install: Install;
    readonly chromium: string;
  }
}

/** One VS Code for each project; the first run downloads it. */
export default async function setup(project: TestProject): Promise<void> {
  const { release } = project.config.provide;
  if (release === undefined) throw new Error("The project of vitest.e2e.config.ts names no release.");
  project.provide("chromium", await findChromium());
  project.provide("install", await provisionServer(release, console.log));
}
