/**
 * The contestants. Each has its own workspace and store, and:
 *
 *   reset()      an empty store          save(label)   → sample; sets lastId
 *   restore(id)  → sample                incremental   knows what changed since the last save
 *
 * A sample is { wall, cpu } in seconds and { rssKb }, the process's peak memory.
 */
import { fork, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

const CREATE = {
  checkpoint: createCheckpoint,
  engine: createEngine,
  git: createGit,
  tar: createTar,
  chkpt: createChkpt,
};

export async function createPeers(names, setting) {
  const peers = [];
  for (const name of new Set(names)) {
    const create = CREATE[name];
    if (create === undefined) throw new Error(`There is no peer "${name}"; known: ${Object.keys(CREATE).join(", ")}.`);
    const folder = path.join(setting.work, name);
    fs.mkdirSync(folder);
    peers.push(
      await create({ ...setting, name, workspace: path.join(folder, "ws"), store: path.join(folder, "store") }),
    );
  }
  return peers;
}

/** One timed process. GNU time's own start costs every contestant the same millisecond. */
function timed(command, args, { cwd, env = {} }) {
  const timeFile = path.join(path.dirname(cwd), "time.txt");
  const started = process.hrtime.bigint();
  const done = spawnSync("/usr/bin/time", ["-q", "-o", timeFile, "-f", "%U %S %M", command, ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const wall = Number(process.hrtime.bigint() - started) / 1e9;
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${done.status}: ${done.stderr}`);
  const [user, system, rssKb] = fs.readFileSync(timeFile, "utf8").trim().split(" ").map(Number);
  return { sample: { wall, cpu: user + system, rssKb }, stdout: done.stdout };
}

/** What the user's own git or checkpoint settings would change must not reach a measurement. */
function cleanEnvironment() {
  const env = Object.entries(process.env).filter(([name]) => !/^(GIT_|CHECKPOINT_|CHKPT_)/.test(name));
  return { ...Object.fromEntries(env), LC_ALL: "C", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
}

function emptyFolder(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
}

/** The command line, whole process. */
function createCheckpoint({ name, workspace, store, project }) {
  const cli = path.join(project, "dist", "cli.js");
  const env = { CHECKPOINT_STORE: store };
  return {
    name,
    version: "command line",
    workspace,
    store,
    incremental: true,
    reset: () => emptyFolder(store),
    save(label) {
      const { sample, stdout } = timed(process.execPath, [cli, "save", "--json", ...nameOf(label)], {
        cwd: workspace,
        env,
      });
      this.lastId = JSON.parse(stdout).id;
      return sample;
    },
    restore: (id) => timed(process.execPath, [cli, "restore", id, "--json"], { cwd: workspace, env }).sample,
  };
}

/** A name forces a checkpoint; "same" is the save that finds nothing changed. */
const nameOf = (label) => (label === "same" ? [] : ["-m", label]);

/** The engine in a process that already runs. Peak memory is the process's so far. */
function createEngine({ name, workspace, store, project }) {
  const runner = fork(path.join(project, "out", "bench", "engineRunner.cjs"));
  const ask = (request) =>
    new Promise((resolve, reject) => {
      runner.once("message", (answer) => (answer.error ? reject(new Error(answer.error)) : resolve(answer)));
      runner.once("exit", (code) => reject(new Error(`The engine's process ended with ${code}.`)));
      runner.send(request);
    }).finally(() => runner.removeAllListeners());
  return {
    name,
    version: "running process",
    workspace,
    store,
    incremental: true,
    async reset() {
      await ask({ type: "close" });
      emptyFolder(store);
      await ask({ type: "open", folder: workspace, storeRoot: store, dist: path.join(project, "dist") });
    },
    async save(label) {
      const { sample, id } = await ask({ type: "save", ...(label === "same" ? {} : { name: label }) });
      this.lastId = id;
      return sample;
    },
    restore: async (id) => (await ask({ type: "restore", id })).sample,
    end: () => void runner.kill(),
  };
}

/** The shadow repository agents' extensions use: own GIT_DIR, everything added and committed. */
function createGit({ name, workspace, store }) {
  const env = { GIT_DIR: path.join(store, ".git") };
  const git = (...args) => {
    const done = spawnSync("git", args, {
      cwd: path.dirname(workspace),
      env: { ...cleanEnvironment(), ...env },
      encoding: "utf8",
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
      git("init", "-q");
      for (const [key, value] of GIT_CONFIG(workspace)) git("config", key, value);
    },
    save(label) {
      const script = 'git add -A . && git commit -q --allow-empty --no-verify -m "$1"';
      const { sample } = timed("sh", ["-c", script, "sh", label], { cwd: workspace, env });
      this.lastId = git("rev-parse", "HEAD");
      return sample;
    },
    restore: (id) =>
      timed("sh", ["-c", 'git reset -q --hard "$1" && git clean -q -fd', "sh", id], { cwd: workspace, env }).sample,
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

function createChkpt({ name, workspace, store, work, chkpt }) {
  const binary = chkpt ?? installChkpt(work);
  const env = { HOME: store, CHKPT_HOME: store };
  return {
    name,
    version: spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout.trim(),
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

function installChkpt(work) {
  const folder = path.join(work, "chkpt-package");
  const install = [
    "install",
    "--no-save",
    "--ignore-scripts",
    "--prefix",
    folder,
    "@chkpt/platform-linux-x64-gnu@0.1.2",
  ];
  const done = spawnSync("npm", install, { encoding: "utf8" });
  const found = fs
    .readdirSync(path.join(folder, "node_modules/@chkpt/platform-linux-x64-gnu"), { recursive: true })
    .find((file) => path.basename(file) === "chkpt");
  if (done.status !== 0 || found === undefined) throw new Error(`chkpt could not be installed: ${done.stderr}`);
  const binary = path.join(folder, "node_modules/@chkpt/platform-linux-x64-gnu", found);
  fs.chmodSync(binary, 0o755);
  return binary;
}
