import type { TestProject } from "vitest/node";
import { packageBoth } from "../../scripts/package.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** Both packages, and the extension's id. */
    readonly packages: Awaited<ReturnType<typeof packageBoth>>;
  }
}

/** What is tested is what is shipped. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide("packages", await packageBoth());
}
