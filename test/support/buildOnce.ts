import { execFileSync } from "node:child_process";

/** Lanes and the command line run from their bundles, as they do for a user: build them once before any test. */
export default function setup(): void {
  execFileSync(process.execPath, ["esbuild.config.mjs"], { stdio: ["ignore", "ignore", "inherit"] });
}
