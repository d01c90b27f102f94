// Bundles the four programs: the extension, the engine worker, the lane worker and the command line.
// `--watch` rebuilds on change; `--test` keeps names and source maps only (no minification).
import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import esbuild from "esbuild";

const watch = process.argv.includes("--watch");
const debug = watch || process.argv.includes("--debug");
const require = createRequire(import.meta.url);

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: {
    extension: "src/extension.ts",
    worker: "src/core/worker.ts",
    lane: "src/core/lane.ts",
    cli: "src/cli/main.ts",
  },
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  // lz4-wasm is written for bundlers that understand wasm modules; we instantiate its bytes ourselves.
  loader: { ".wasm": "binary" },
  minify: !debug,
  sourcemap: debug,
  legalComments: "none",
  logLevel: "info",
};

await mkdir("dist", { recursive: true });
await copyFile(require.resolve("sql.js/dist/sql-wasm.wasm"), "dist/sql-wasm.wasm");
if (watch) await (await esbuild.context(options)).watch();
else await esbuild.build(options);
