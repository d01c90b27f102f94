// Builds both packages of the extension from one code base:
//   out/checkpoint-<version>.vsix            for the Marketplace, which refuses proposed API
//   out/checkpoint-<version>-timeline.vsix   declares the "timeline" proposal, for those who allow it
// Both are packed from copies in a temp folder, so the work tree's package.json stays as it is.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.resolve(import.meta.dirname, "..");

/** The whole extension, engine and all, stays smaller than one photograph. */
export const MAX_PACKAGE_BYTES = 1.5e6;

/** What is staged beside package.json, and what says which of it is packed. The code is bundled into dist. */
const CONTENT = [
  /^dist$/,
  /^media$/,
  /^l10n$/,
  /^package\.nls(\.[\w-]+)?\.json$/,
  /^(README|CHANGELOG)\.md$/,
  /^LICENSE$/,
  /^\.vscodeignore$/,
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await packageBoth({ isListed: true });

/**
 * Builds minified bundles and packs them. Rejects when a package grows beyond its limit.
 * @param {{ isListed?: boolean }} options isListed prints what each package holds
 * @returns {Promise<{ marketplace: string, timeline: string, id: string }>} paths, and the extension's id
 */
export async function packageBoth({ isListed = false } = {}) {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const out = path.join(root, "out");
  mkdirSync(out, { recursive: true });
  execFileSync(process.execPath, ["esbuild.config.mjs"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const marketplace = path.join(out, `checkpoint-${manifest.version}.vsix`);
  const timeline = path.join(out, `checkpoint-${manifest.version}-timeline.vsix`);
  await pack(manifest, marketplace, isListed);
  await pack({ ...manifest, enabledApiProposals: ["timeline"] }, timeline, isListed);
  return { marketplace, timeline, id: `${manifest.publisher}.${manifest.name}` };
}

async function pack(manifest, vsix, isListed) {
  const stage = mkdtempSync(path.join(tmpdir(), "checkpoint-package-"));
  try {
    // Maps are left behind by a debug build.
    for (const name of readdirSync(root).filter((entry) => CONTENT.some((pattern) => pattern.test(entry))))
      cpSync(path.join(root, name), path.join(stage, name), {
        recursive: true,
        filter: (file) => !/\.map$/.test(file),
      });
    // What only a checkout needs would make vsce look for things to install and to run.
    const { scripts: _s, devDependencies: _d, dependencies: _b, private: _p, ...published } = manifest;
    writeFileSync(path.join(stage, "package.json"), JSON.stringify(published, null, 2));
    const flags = [
      // Pictures of README.md can only be pointed to where a repository shows them.
      ...(manifest.repository === undefined ? ["--no-rewrite-relative-links"] : []),
      ...(existsSync(path.join(stage, "LICENSE")) ? [] : ["--skip-license"]),
    ];
    await runVsce(stage, vsix, flags, { isListed });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  const { size } = statSync(vsix);
  console.log(`${path.relative(root, vsix)}: ${(size / 1000).toFixed(0)} kB`);
  if (size > MAX_PACKAGE_BYTES) throw new Error(`${vsix} takes ${size} bytes; the limit is ${MAX_PACKAGE_BYTES}.`);
}

/**
 * Packs the extension in `folder`, as it is there, into the file `vsix`. vsce prints what it packs and has no option
 * against it, so it runs in a process of its own; its warnings and errors come through. Rejects when it fails.
 * @param {string} folder
 * @param {string} vsix
 * @param {readonly string[]} flags more options of `vsce package`
 * @param {{ isListed?: boolean }} options isListed lets the list through
 */
export async function runVsce(folder, vsix, flags, { isListed = false } = {}) {
  const program = createRequire(import.meta.url).resolve("@vscode/vsce/vsce");
  const args = [program, "package", "--no-dependencies", "--allow-missing-repository", "--out", vsix, ...flags];
  const stdio = ["ignore", isListed ? "inherit" : "ignore", "inherit"];
  const [code] = await once(spawn(process.execPath, args, { cwd: folder, stdio }), "exit");
  if (code !== 0) throw new Error(`${path.basename(vsix)} could not be packed; see above.`);
}
