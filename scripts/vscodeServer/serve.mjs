// Runs a provisioned VS Code server for one user on 127.0.0.1, behind a random connection token.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** A server that does not end on SIGTERM within this time gets SIGKILL. */
const STOP_GRACE_MS = 3000;

/**
 * @typedef {object} Server
 * @property {URL} url  the workbench without a folder; carries the connection token
 * @property {(folder: string) => string} open  address that opens a folder
 * @property {() => string} output  what it printed so far
 * @property {Promise<void>} ended
 * @property {() => Promise<void>} stop  ends the server, its extension hosts and watchers; may be called twice
 */

/**
 * @param {import("./provision.mjs").Install} install
 * @param {string} home  folder for user data, extensions and logs; kept, so a later start finds it again
 * @param {object} options
 * @param {string | readonly string[]} [options.vsix]  extensions to install first
 * @param {string} [options.proposedApi]  id of the extension that may use the API proposals it declares
 * @param {Record<string, unknown>} [options.settings]  user settings, replacing what is there
 * @param {readonly string[]} [options.flags]  more switches of the server
 * @returns {Promise<Server>}
 */
export async function startServer(install, home, { vsix, proposedApi, settings, flags = [] }) {
  const main = path.join(install.server, "out", "server-main.js");
  const extensions = path.join(home, "extensions");
  const folders = ["--server-data-dir", path.join(home, "data"), "--extensions-dir", extensions];
  folders.push("--user-data-dir", path.join(home, "user"));
  if (settings) {
    const file = settingsFile(home);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(settings, null, 2));
  }
  if (vsix) await installExtensions(install.node, [main, ...folders], [vsix].flat(), extensions);

  const token = randomBytes(16).toString("hex");
  const where = ["--host", "127.0.0.1", "--port", "0", "--connection-token", token];
  const quiet = ["--accept-server-license-terms", "--telemetry-level", "off"];
  const proposals = proposedApi ? ["--enable-proposed-api", proposedApi] : [];
  const child = spawn(install.node, [main, ...folders, ...where, ...quiet, ...proposals, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group: extension hosts and file watchers can be ended with it.
    detached: true,
  });
  let output = "";
  let hasEnded = false;
  const ended = new Promise((resolve) => {
    child.once("exit", () => {
      hasEnded = true;
      resolve();
    });
  });
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {
      // The group is already gone, which is what was wanted.
    }
  };
  const killAtExit = () => signal("SIGKILL");
  process.once("exit", killAtExit);

  const port = await new Promise((resolve, reject) => {
    const take = (chunk) => {
      output += chunk;
      const found = /Web UI available at \S+?:(\d+)/.exec(output) ?? /agent listening on (\d+)/.exec(output);
      if (found) resolve(found[1]);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`VS Code's server ended with ${code}:\n${output}`)));
  });

  const url = new URL(`http://127.0.0.1:${port}/?tkn=${token}`);
  // Servers up to 1.117 ignore the switch and take the permission, for all extensions, from the address.
  if (proposedApi) url.searchParams.set("payload", JSON.stringify([["enableProposedApi", ""]]));
  return {
    url,
    open: (folder) => {
      const address = new URL(url);
      address.searchParams.set("folder", path.resolve(folder));
      return address.href;
    },
    output: () => output,
    ended,
    stop: async () => {
      process.off("exit", killAtExit);
      if (!hasEnded) signal("SIGTERM");
      const hard = setTimeout(() => signal("SIGKILL"), STOP_GRACE_MS);
      await ended;
      clearTimeout(hard);
      signal("SIGKILL");
    },
  };
}

/** The user settings of a server started with that home; VS Code applies changes of the file at once. */
export function settingsFile(home) {
  return path.join(home, "user", "User", "settings.json");
}

async function installExtensions(node, args, packages, extensions) {
  const wanted = packages.flatMap((vsix) => ["--install-extension", vsix]);
  const { stdout, stderr } = await promisify(execFile)(node, [...args, ...wanted, "--force"]).catch((error) => error);
  const list = path.join(extensions, "extensions.json");
  const installed = existsSync(list) ? JSON.parse(await readFile(list, "utf8")) : [];
  if (installed.length < packages.length)
    throw new Error(`VS Code did not install ${packages.join(" and ")}:\n${stdout}\n${stderr}`);
}
