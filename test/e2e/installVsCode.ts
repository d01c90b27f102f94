import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { findChromium, type Install, provisionServer } from "../../scripts/vscodeServer/provision.mjs";
import { FAILED, picturesFolder } from "./pictures";

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
  if (release === undefined) throw new Error("The project of vitest.e2e.config.mts names no release.");
  project.provide("chromium", await findChromium());
  const install = await provisionServer(release, console.log);
  project.provide("install", install);
  removeFailures(picturesFolder(install.version));
}

/** What an earlier run left behind would be taken for this one's. */
function removeFailures(pictures: string): void {
  if (!existsSync(pictures)) return;
  for (const name of readdirSync(pictures)) if (name.startsWith(FAILED)) rmSync(path.join(pictures, name));
}
