/**
 * The contestants. Each has its own workspace and store, and:
 *
 *   reset()                        an empty store
 *   save(label, changedPaths)      → sample; sets lastId
 *   restore(id)                    → sample
 *   incremental                    knows what changed since the last save
 *
 * A sample is { wall, cpu } in seconds and { rssKb }, the process's peak memory.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { startEngineProcess } from "./engineProcess.mjs";
import { cleanEnvironment, emptyFolder, run, timed } from "./timedProcess.mjs";

const CREATE = {
  checkpoint: createCheckpoint,
  engine: createEngine,
  "small tree": createEngine,
  git: createGit,
  tar: createTar,
  chkpt: createChkpt,
};

/**
 * `setting`: `work` (everything lies below it), `build` (see build.mjs), `chkpt` (binary; absent: the npm package, kept in
 * `cache`). `workspace` makes all of them use that one tree.
 */
export function createPeers(names, setting) {
  const unknown = names.find((name) => CREATE[name] === undefined);
  if (unknown !== undefined)
    throw new Error(`There is no peer "${unknown}"; known: ${Object.keys(CREATE).join(", ")}.`);
  return [...new Set(names)].map((name) => {
    const folder = path.join(setting.work, name.replace(" ", "-"));
    fs.mkdirSync(folder, { recursive: true });
    const workspace = setting.workspace ?? path.join(folder, "ws");
    return CREATE[name]({ ...setting, name, workspace, store: path.join(folder, "store") });
  });
}

/** The command line, whole process. `store` may be one that others use too. */
export function createCheckpoint({ name, workspace, store, build }) {
  const command = (...args) =>
    timed(process.execPath, [path.join(build.dist, "cli.js"), ...args, "--json"], {
      cwd: workspace,
      env: { CHECKPOINT_STORE: store },
    });
  return {
    name,
    version: "command line, whole process",
    workspace,
    store,
    incremental: true,
    reset: () => emptyFolder(store),
    save(label) {
      const { sample, stdout } = command("save", ...nameOf(label));
      this.lastSave = JSON.parse(stdout);
      this.lastId = this.lastSave.id;
      return sample;
    },
    restore: (id) => command("restore", id).sample,
    /** → sample of any other command. */
    ask: (...args) => command(...args).sample,
  };
}

/** A name forces a checkpoint; "same" is the save that finds nothing changed. */
const nameOf = (label) => (label === "same" ? [] : ["-m", label]);

/** The engine in a process that already runs. Peak memory is the process's so far. */
function createEngine({ name, workspace, store, build }) {
  const engine = startEngineProcess(build);
  return {
    name,
    version: "engine in a running process",
    workspace,
    store,
    incremental: true,
    reset() {
      emptyFolder(store);
      return engine.open(workspace, store);
    },
    async save(label, changedPaths) {
      const { sample, id } = await engine.save(label === "same" ? undefined : label, changedPaths);
      this.lastId = id;
      return sample;
    },
    restore: async (id) => (await engine.restore(id)).sample,
    end: () => engine.end(),
  };
}

/** The shadow repository agents' extensions use: own GIT_DIR, everything added and committed. */
export function createGit({ name, workspace, store }) {
  const env = { GIT_DIR: path.join(store, ".git") };
  const git = (args, input) => {
    const done = spawnSync("git", args, {
      cwd: workspace,
      env: { ...cleanEnvironment(), ...env },
      encoding: "utf8",
      input,
    });
    if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
    return done.stdout.trim();
  };
  return {
    name,
    version: spawnSync("git", ["--version"], { encoding: "utf8" }).stdout.trim(),
    workspace,
    store,
    incremental: true,
    reset() {
      emptyFolder(store);
      git(["init", "-q"]);
      for (const [key, value] of GIT_CONFIG(workspace)) git(["config", key, value]);
    },
    save(label) {
      const script = 'git add -A . && git commit -q --allow-empty --no-verify -m "$1"';
      const { sample } = timed("sh", ["-c", script, "sh", label], { cwd: workspace, env });
      this.lastId = git(["rev-parse", "HEAD"]);
      return sample;
    },
    restore: (id) =>
      timed("sh", ["-c", 'git reset -q --hard "$1" && git clean -q -fd', "sh", id], { cwd: workspace, env }).sample,
    /** Commits these paths and looks at no others: for making a long history in bearable time. Not timed. */
    record(label, paths) {
      git(["update-index", "--add", "--remove", "-z", "--stdin"], `${paths.join("\0")}\0`);
      git(["commit", "-q", "--allow-empty", "--no-verify", "-m", label]);
    },
    /** → sample of any other git command. */
    ask: (...args) => timed("git", args, { cwd: workspace, env }).sample,
  };
}

const GIT_CONFIG = (workspace) => [
  ["core.bare", "false"],
  ["core.worktree", workspace],
  ["commit.gpgSign", "false"],
  ["user.name", "bench"],
  ["user.email", "bench@example.invalid"],
  ["gc.auto", "0"],
];

/** Not a rival but a floor: reading everything and compressing it, with nothing remembered. */
function createTar({ name, workspace, store }) {
  return {
    name,
    version: "tar c . | lz4 -1",
    workspace,
    store,
    incremental: false,
    reset: () => emptyFolder(store),
    save: () =>
      timed("sh", ["-c", 'tar c . | lz4 -q -1 >"$1"', "sh", path.join(store, "tree.tar.lz4")], { cwd: workspace })
        .sample,
  };
}

/** The version that npm has. Rows against it are for the eye: the targets are against 0.3. */
const CHKPT_PACKAGE = "@chkpt/platform-linux-x64-gnu";
const CHKPT_VERSION = "0.1.2";

/** 0.1.2 takes its home from HOME, later versions from CHKPT_HOME. */
function createChkpt({ name, workspace, store, chkpt, cache }) {
  const binary = chkpt ?? installChkpt(cache);
  const env = { HOME: store, CHKPT_HOME: store };
  return {
    name,
    version: chkpt ?? `${CHKPT_PACKAGE} ${CHKPT_VERSION}`,
    decides: chkpt !== undefined,
    workspace,
    store,
    incremental: true,
    reset: () => emptyFolder(store),
    save(label) {
      const { sample, stdout } = timed(binary, ["save", "-m", label], { cwd: workspace, env });
      this.lastId = /^Checkpoint saved: (\S+)/m.exec(stdout)?.[1] ?? this.lastId;
      return sample;
    },
    restore: (id) => timed(binary, ["restore", id], { cwd: workspace, env }).sample,
  };
}

function installChkpt(cache) {
  const folder = path.join(cache, `chkpt-${CHKPT_VERSION}`);
  const binary = path.join(folder, "node_modules", CHKPT_PACKAGE, "chkpt");
  if (!fs.existsSync(binary)) {
    fs.mkdirSync(folder, { recursive: true });
    const flags = ["--no-save", "--ignore-scripts", "--no-package-lock", "--silent", "--prefix", folder];
    run("npm", ["install", ...flags, `${CHKPT_PACKAGE}@${CHKPT_VERSION}`]);
    fs.chmodSync(binary, 0o755);
  }
  return binary;
}
