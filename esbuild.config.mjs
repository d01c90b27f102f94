// Bundles the four programs: the extension, the engine worker, the lane worker and the command line.
// `--watch` rebuilds on change; `--debug` keeps names and writes source maps (no minification).
import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import esbuild from "esbuild";

/**
 * How each program is bundled for a release; also for tests and measurements that bundle one of them once more.
 * @satisfies {esbuild.BuildOptions}
 */
export const RELEASE_OPTIONS = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  // lz4-wasm is written for bundlers that understand wasm modules; we instantiate its bytes ourselves.
  loader: { ".wasm": "binary" },
  minify: true,
  legalComments: "none",
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build();

async function build() {
  const watch = process.argv.includes("--watch");
  const debug = watch || process.argv.includes("--debug");
  const options = {
    ...RELEASE_OPTIONS,
    entryPoints: {
      extension: "src/extension.ts",
      worker: "src/core/worker.ts",
      lane: "src/core/lane.ts",
      cli: "src/cli/main.ts",
    },
    outdir: "dist",
    minify: !debug,
    sourcemap: debug,
    logLevel: "info",
  };
  await mkdir("dist", { recursive: true });
  await copyFile(createRequire(import.meta.url).resolve("sql.js/dist/sql-wasm.wasm"), "dist/sql-wasm.wasm");
  if (watch) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}
