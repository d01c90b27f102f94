// Makes the unpacked VS Code server installable without a compiler, small, and as strict as VS Code itself.
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { writeStandIns } from "./standIns.mjs";

/** Names the folder where ripgrep belongs, in releases whose own install script would have downloaded it. */
export const RIPGREP_WANTED = ".ripgrep-wanted";

/** Not loaded for a browser window: AI agents, proxies, Windows-only modules, other processes' secret storage. */
const UNNEEDED = [
  /^@github\/copilot/,
  /^@microsoft\/mxc-sdk$/,
  /^@vscode\/(sandbox-runtime|copilot-api|sqlite3|windows-.*|deviceid)$/,
  /^@devcontainers\/cli$/,
  /^kerberos$/,
  /^ssh2$/,
  /^node-pty$/,
];

/** Built-in extensions with code that stay. The others (AI, language servers, sign-in) slow the start and pop up. */
const KEPT_EXTENSIONS = new Set([
  "git",
  "git-base",
  "merge-conflict",
  "search-result",
  "configuration-editing",
  "media-preview",
]);

/** A tarball of a registry has this path whatever the registry's host is; a git address has not. */
const REGISTRY_TARBALL = /^https?:\/\/[^/]+\/.*\/-\/[^/]+\.tgz$/;

/** Run before `npm install` in the server's folder: drops what is not needed and what only git could deliver. */
export async function prepareInstall(root) {
  const manifestFile = path.join(root, "package.json");
  const lockFile = path.join(root, "npm-shrinkwrap.json");
  const manifest = await readJson(manifestFile);
  const lock = await readJson(lockFile);

  for (const name of Object.keys(manifest.dependencies))
    if (UNNEEDED.some((pattern) => pattern.test(name))) delete manifest.dependencies[name];
  // Some releases take a dependency from a git address: take the same version from the registry.
  for (const [name, spec] of Object.entries(manifest.dependencies))
    if (/[:/]/.test(spec)) manifest.dependencies[name] = lock.packages[`node_modules/${name}`].version;
  for (const entry of Object.values(lock.packages)) {
    if (!entry.resolved || REGISTRY_TARBALL.test(entry.resolved)) continue;
    delete entry.resolved;
    delete entry.integrity;
  }
  lock.packages[""].dependencies = manifest.dependencies;
  await writeFile(manifestFile, JSON.stringify(manifest, null, 2));
  await writeFile(lockFile, JSON.stringify(lock, null, 2));

  for (const name of await readdir(path.join(root, "extensions"))) {
    const folder = path.join(root, "extensions", name);
    if (KEPT_EXTENSIONS.has(name) || !existsSync(path.join(folder, "package.json"))) continue;
    const { main, browser } = await readJson(path.join(folder, "package.json"));
    if (main || browser) await rm(folder, { recursive: true });
  }
}

/** Run after `npm install`: replaces compiled modules, undoes the proposal patch, drops source maps. */
export async function finishInstall(root) {
  await writeStandIns(root);
  await keepOneRipgrep(root);
  const bundles = (await readdir(path.join(root, "out"), { recursive: true })).map((name) =>
    path.join(root, "out", name),
  );
  await respectProposals(bundles.filter((file) => file.endsWith(".js")));
  for (const file of bundles) if (file.endsWith(".map")) await rm(file);
}

/** New releases carry ripgrep (Quick Open needs it) for every platform; old ones carry none. */
async function keepOneRipgrep(root) {
  const universal = path.join(root, "node_modules", "@vscode", "ripgrep-universal", "bin");
  if (existsSync(universal)) {
    for (const name of await readdir(universal))
      if (name !== `${process.platform}-${process.arch}`) await rm(path.join(universal, name), { recursive: true });
  } else if (existsSync(path.join(root, "node_modules", "@vscode", "ripgrep"))) {
    await writeFile(path.join(root, RIPGREP_WANTED), path.join("node_modules", "@vscode", "ripgrep", "bin"));
  }
}

/**
 * code-server switches every proposed API on for every extension, which would prove nothing about VS Code itself.
 * Two places in its bundles are put back, so that a proposal needs both the extension's declaration and the switch
 * --enable-proposed-api. Fails when a release looks different, rather than testing something else in silence.
 */
async function respectProposals(bundles) {
  let gates = 0;
  let switches = 0;
  for (const file of bundles) {
    const before = await readFile(file, "utf8");
    if (!before.includes("CANNOT use API proposal")) continue;
    const after = before
      .replace(
        /function ([\w$]+)\(([\w$]+),([\w$]+)\)\{return!0\}(?=function [\w$]+\([\w$]+,[\w$]+\)\{if\(!\1\()/g,
        (_, name, extension, proposal) => {
          gates++;
          const declared = `${extension}.enabledApiProposals`;
          return `function ${name}(${extension},${proposal}){return!!(${declared}&&${declared}.includes(${proposal}))}`;
        },
      )
      .replace(
        /(\(([\w$]+)\.extensionEnabledProposedApi\?\?\[\]\)\.map\([^;]{1,60}?\)\),this\.[\w$]+=)!0/g,
        (_, head, environment) => {
          switches++;
          const allowed = `${environment}.extensionEnabledProposedApi`;
          return `${head}Array.isArray(${allowed})&&${allowed}.length===0`;
        },
      );
    if (after !== before) await writeFile(file, after);
  }
  if (!gates || !switches)
    throw new Error(`This release's check of proposed APIs was not found (gates ${gates}, switches ${switches}).`);
}

const readJson = async (file) => JSON.parse(await readFile(file, "utf8"));
