// Opens VS Code with the extension: `npm start`, or `npm start -- DIR` on a folder of yours.
//
// Desktop VS Code is used when `code` is on PATH. Otherwise VS Code runs here and is used from a browser: it listens on
// 127.0.0.1 only, and the printed address carries a random token without which it answers nobody.
// `--browser` takes the browser even so; `--check` starts it, asks for the page once, and ends.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { packageBoth } from "./package.mjs";
import { writeSampleWorkspace } from "./sampleWorkspace.mjs";
import { cacheFolder, NEWEST, provisionServer } from "./vscodeServer/provision.mjs";
import { startServer } from "./vscodeServer/serve.mjs";

const root = path.resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean" }, browser: { type: "boolean" } },
});

try {
  const folder = workspaceFolder(positionals[0]);
  if (!values.browser && !values.check && onPath("code")) openDesktop(folder);
  else await openBrowser(folder);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** The folder asked for, or the sample, which keeps what was done to it at an earlier start. */
function workspaceFolder(wanted) {
  if (wanted === undefined) {
    const sample = path.join(cacheFolder(), "sample", "harbor-lights");
    if (!existsSync(sample)) writeSampleWorkspace(sample);
    return sample;
  }
  // npm runs scripts in the package's folder; a relative path means where the person is.
  const folder = path.resolve(process.env.INIT_CWD ?? process.cwd(), wanted);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Error(`There is no folder ${folder}.`);
  return folder;
}

function openDesktop(folder) {
  execFileSync(process.execPath, ["esbuild.config.mjs"], { cwd: root, stdio: "inherit" });
  execFileSync("code", ["--new-window", `--extensionDevelopmentPath=${root}`, folder], { stdio: "inherit" });
  console.log(`VS Code opens ${folder} with Checkpoint.`);
}

async function openBrowser(folder) {
  const { timeline, id } = await packageBoth();
  const install = await provisionServer(NEWEST, console.log);
  const home = path.join(cacheFolder(), "start");
  mkdirSync(home, { recursive: true });
  const server = await startServer(install, home, { vsix: timeline, proposedApi: id });
  const stop = () => void server.stop();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  console.log(`\nVS Code ${install.version} with Checkpoint on ${folder}\n\n    ${server.open(folder)}\n`);
  if (values.check) await check(server, folder);
  else console.log("Open the address in a browser on this machine. Ctrl+C ends it.");
  await server.ended;
}

async function check(server, folder) {
  try {
    // The first answer sets the token's cookie and sends on to the address without it.
    const first = await fetch(server.open(folder), { redirect: "manual" });
    const cookie = first.headers
      .getSetCookie()
      .map((text) => text.split(";")[0])
      .join("; ");
    const next = new URL(first.headers.get("location") ?? "", server.url);
    const page = await fetch(next, { headers: { cookie } });
    const stranger = await fetch(new URL("/", server.url));
    console.log(`The page answers HTTP ${page.status}; without the token, HTTP ${stranger.status}.`);
    if (page.status !== 200 || stranger.status !== 403) throw new Error(`VS Code's server said:\n${server.output()}`);
  } finally {
    await server.stop();
  }
}

function onPath(command) {
  return (process.env.PATH ?? "").split(path.delimiter).some((folder) => existsSync(path.join(folder, command)));
}
