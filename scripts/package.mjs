// Builds both packages of the extension from one code base:
//   out/checkpoint-<version>.vsix            for the Marketplace, which refuses proposed API
//   out/checkpoint-<version>-timeline.vsix   declares the "timeline" proposal, for those who allow it
// Both are packed from copies in a temp folder, so the work tree's package.json stays as it is.
import { execFileSync } from "node:child_process";
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
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { createVSIX, PackageManager } from "@vscode/vsce";

const root = path.resolve(import.meta.dirname, "..");

/** The whole extension, engine and all, stays smaller than one photograph. */
const MAX_BYTES = 1.5 * 1024 * 1024;

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
    const create = () =>
      createVSIX({
        cwd: stage,
        packagePath: vsix,
        packageManager: PackageManager.None,
        dependencies: false,
        allowMissingRepository: true,
        // Pictures of README.md can only be pointed to where a repository shows them.
        rewriteRelativeLinks: manifest.repository !== undefined,
        skipLicense: !existsSync(path.join(stage, "LICENSE")),
      });
    await (isListed ? create() : withoutListing(create));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  const { size } = statSync(vsix);
  console.log(`${path.relative(root, vsix)}: ${(size / 1024).toFixed(0)} KiB`);
  if (size > MAX_BYTES) throw new Error(`${vsix} takes ${size} bytes; the limit is ${MAX_BYTES}.`);
}

/** vsce prints the contents of what it packs and has no option against it. Warnings and errors still come through. */
export async function withoutListing(work) {
  const { log } = console;
  console.log = () => undefined;
  try {
    await work();
  } finally {
    console.log = log;
  }
}
