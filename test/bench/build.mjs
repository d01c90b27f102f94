/** Builds what is measured, and the packages (P9). */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import esbuild from "esbuild";
import { RELEASE_OPTIONS } from "../../esbuild.config.mjs";

/**
 * Answers where the programs to measure are: copies in `work`, so that a build made elsewhere during the run changes
 * nothing; and the sizes of the packages by name.
 */
export async function build(project, work) {
  const packed = spawnSync(process.execPath, ["scripts/package.mjs"], {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (packed.status !== 0) throw new Error("Building the packages failed; see above.");
  const dist = path.join(work, "dist");
  fs.cpSync(path.join(project, "dist"), dist, { recursive: true, filter: (file) => !file.endsWith(".map") });
  const runner = path.join(work, "engineRunner.cjs");
  await esbuild.build({
    ...RELEASE_OPTIONS,
    entryPoints: [path.join(project, "test/bench/engineRunner.ts")],
    outfile: runner,
    logLevel: "warning",
  });
  const { version } = JSON.parse(fs.readFileSync(path.join(project, "package.json"), "utf8"));
  const packages = {};
  for (const name of [`checkpoint-${version}.vsix`, `checkpoint-${version}-timeline.vsix`])
    packages[name] = fs.statSync(path.join(project, "out", name)).size;
  return { dist, runner, packages };
}
