/**
 * Whether the editor ever stutters: a real VS Code with the packed extension, a second extension in the same extension
 * host that watches the host's event loop, and everything a person does with a large folder.
 *
 *   npm run bench:editor -- [--corpus DIR] [--vscode newest|oldest] [--profile] [--work DIR] [--package FILE]
 *
 *   --corpus DIR    the folder to open; it is copied, never written to. Without it: about 7,000 generated files.
 *   --vscode WHICH  the newest release the extension is tested in (default), or the oldest.
 *   --profile       also takes a CPU profile of the host in each phase, prints what of the extension ran longest at a
 *                   stretch, and leaves the profiles in out/bench. Profiling slows the host down: not for figures.
 *   --work DIR      where the copy goes (default: the temporary folder).
 *   --package FILE  a VSIX to measure, instead of packing this work tree.
 *
 * Every phase is given as p50, p99 and maximum of how much later than asked a timer of 1 ms fired, beside the same of the
 * idle host: VS Code and its own extensions run on that thread too, and so do their reactions to files that change. On a
 * loaded machine delays are longer than they should be, never shorter: "at work" is the longest stretch by the thread's
 * CPU time, which does not grow while others have the processor.
 *
 * Needs Chromium and npm's registry (VS Code is installed into the cache of the workbench tests). Results also go to
 * out/bench/editor-<date>.json.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import esbuild from "esbuild";
import { packageBoth } from "../../scripts/package.mjs";
import { findChromium, NEWEST, OLDEST, provisionServer } from "../../scripts/vscodeServer/provision.mjs";
import { generateTree } from "./corpus.mjs";
import { formatEditorFigures, judgeEditor } from "./editorReport.mjs";

const project = path.resolve(import.meta.dirname, "../..");
const out = path.join(project, "out/bench");
const { values: options } = parseArgs({
  options: {
    corpus: { type: "string" },
    vscode: { type: "string", default: "newest" },
    profile: { type: "boolean", default: false },
    work: { type: "string", default: os.tmpdir() },
    package: { type: "string" },
  },
});
const release = { newest: NEWEST, oldest: OLDEST }[options.vscode];
if (!release) throw new Error(`--vscode is "newest" or "oldest", not "${options.vscode}".`);

fs.mkdirSync(options.work, { recursive: true });
const work = fs.mkdtempSync(path.join(options.work, "checkpoint-editor-"));
try {
  await main();
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

async function main() {
  const install = await provisionServer(release, console.error);
  const packages = await packageBoth();
  const folder = path.join(work, "workspace");
  if (options.corpus === undefined) generateTree(folder);
  else if (spawnSync("cp", ["-a", path.resolve(options.corpus), folder], { stdio: "inherit" }).status !== 0)
    throw new Error(`${options.corpus} could not be copied; see above.`);

  const date = new Date().toISOString();
  fs.mkdirSync(out, { recursive: true });
  const { measureEditor } = await bundled("editorPhases.ts");
  const vsix = options.package ?? packages.marketplace;
  const figures = await measureEditor({
    ...install,
    chromium: await findChromium(),
    project,
    folder,
    vsix,
    extensionId: packages.id,
    profiles: options.profile ? path.join(out, `editor-${stamp(date)}`) : undefined,
    say: console.error,
  });
  const results = {
    date,
    machine: { cpu: os.cpus()[0]?.model ?? "", cores: os.cpus().length, kernel: os.release(), load: os.loadavg()[0] },
    vscode: install.version,
    corpus: options.corpus === undefined ? "generated" : path.basename(options.corpus),
    vsixBytes: fs.statSync(vsix).size,
    ...figures,
  };
  const rows = judgeEditor(results);
  console.log(formatEditorFigures(results, rows));
  const file = path.join(out, `editor-${stamp(date)}.json`);
  fs.writeFileSync(file, `${JSON.stringify({ ...results, rows }, null, 1)}\n`);
  console.log(`\n${path.relative(process.cwd(), file)}`);
}

/** The modules that drive the workbench are TypeScript, shared with its tests. */
async function bundled(module) {
  const outfile = path.join(out, module.replace(/\.ts$/, ".mjs"));
  await esbuild.build({
    entryPoints: [path.join(import.meta.dirname, module)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}

function stamp(date) {
  return date.replaceAll(":", "-").slice(0, 19);
}
