/**
 * Whether the editor ever stutters: a real VS Code with the packed extension, a second extension in the same extension
 * host that watches the host's event loop, and everything a person does with a large folder.
 *
 *   npm run bench:editor -- [--corpus DIR] [--vscode newest|oldest] [--profile] [--work DIR] [--package FILE] [--markdown FILE]
 *   npm run bench:editor -- --from FILE [--markdown FILE]
 *
 *   --corpus DIR    the folder to open; it is copied, never written to. Without it: about 7,000 generated files.
 *   --vscode WHICH  the newest release the extension is tested in (default), or the oldest.
 *   --profile       also takes a CPU profile of the host in each phase, prints what of the extension ran longest at a
 *                   stretch, and leaves the profiles in out/bench. Profiling slows the host down: not for figures.
 *   --work DIR      where the copy goes (default: the temporary folder).
 *   --package FILE  a VSIX to measure, instead of packing this work tree.
 *   --markdown FILE writes the figures into a Markdown file, between its marks "editor" (docs/PERFORMANCE.md has them).
 *   --from FILE     measures nothing: shows a kept run again, by today's targets.
 *
 * Every phase is given as p50, p99 and maximum of how much later than asked a timer of 1 ms fired, beside the same of the
 * idle host: VS Code and its own extensions run on that thread too, and so do their reactions to files that change. On a
 * loaded machine delays are longer than they should be, never shorter: "at work" is the longest stretch by the thread's
 * CPU time, which does not grow while others have the processor.
 *
 * Needs Chromium and npm's registry (VS Code is installed into the cache of the workbench tests). Results also go to
 * out/bench/editor-<date>.json.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import esbuild from "esbuild";
import { packageBoth } from "../../scripts/package.mjs";
import { findChromium, NEWEST, OLDEST, provisionServer } from "../../scripts/vscodeServer/provision.mjs";
import { generateTree } from "./corpus.mjs";
import { formatEditorFigures, judgeEditor, SECTION, writeEditorMarkdown } from "./editorReport.mjs";
import { describeMachine } from "./machine.mjs";
import { requireSections } from "./markdownSections.mjs";
import { readOptions } from "./options.mjs";
import { keepRun, OUT, readRun, stampOf } from "./runFiles.mjs";
import { copyTree } from "./timedProcess.mjs";

const project = path.resolve(import.meta.dirname, "../..");
const options = readOptions({
  corpus: { type: "string" },
  vscode: { type: "string", default: "newest" },
  profile: { type: "boolean", default: false },
  work: { type: "string", default: os.tmpdir() },
  package: { type: "string" },
  markdown: { type: "string" },
  from: { type: "string" },
});
const release = { newest: NEWEST, oldest: OLDEST }[options.vscode];
if (!release) throw new Error(`--vscode is "newest" or "oldest", not "${options.vscode}".`);

if (options.markdown !== undefined) requireSections(options.markdown, [SECTION]);
if (options.from !== undefined) report(readRun(options.from));
else {
  fs.mkdirSync(options.work, { recursive: true });
  const work = fs.mkdtempSync(path.join(options.work, "checkpoint-editor-"));
  try {
    await measure(work);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

function report(results) {
  const rows = judgeEditor(results);
  console.log(formatEditorFigures(results, rows));
  if (options.markdown !== undefined) writeEditorMarkdown(options.markdown, results, rows);
}

async function measure(work) {
  // Before anything is installed or packed: that is load as well.
  const machine = describeMachine(work);
  for (const warning of machine.warnings) console.error(`WARNING  ${warning}`);
  const install = await provisionServer(release, console.error);
  const packages = await packageBoth();
  const folder = path.join(work, "workspace");
  if (options.corpus === undefined) generateTree(folder);
  else copyTree(path.resolve(options.corpus), folder);

  const date = new Date().toISOString();
  fs.mkdirSync(OUT, { recursive: true });
  const { measureEditor } = await bundled("editorPhases.ts");
  const vsix = options.package ?? packages.marketplace;
  const figures = await measureEditor({
    ...install,
    chromium: await findChromium(),
    project,
    folder,
    vsix,
    extensionId: packages.id,
    profiles: options.profile ? path.join(OUT, `editor-${stampOf({ date })}`) : undefined,
    say: console.error,
  });
  const results = {
    date,
    machine,
    vscode: install.version,
    corpus: options.corpus === undefined ? "generated" : path.basename(options.corpus),
    vsixBytes: fs.statSync(vsix).size,
    ...figures,
  };
  keepRun(`editor-${stampOf(results)}`, { ...results, rows: judgeEditor(results) });
  report(results);
}

/** The modules that drive the workbench are TypeScript, shared with its tests. */
async function bundled(module) {
  const outfile = path.join(OUT, module.replace(/\.ts$/, ".mjs"));
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
