/** Running one process and measuring all of it: wall clock, CPU seconds, peak memory. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/**
 * One timed process: `sample` is { wall, cpu } in seconds and { rssKb }. Throws when it fails. GNU time's own start costs
 * every contestant the same millisecond.
 */
export function timed(command, args, { cwd, env = {} }) {
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
export function cleanEnvironment() {
  const env = Object.entries(process.env).filter(([name]) => !/^(GIT_|CHECKPOINT_|CHKPT_)/.test(name));
  return { ...Object.fromEntries(env), LC_ALL: "C", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
}

/** Runs a process that is not measured. Throws when it fails. */
export function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")} failed; see above.`);
}

/** A copy of a tree, read once, so that its pages are in the cache. */
export function copyTree(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  run("cp", ["-a", from, to]);
  run("sh", ["-c", "tar c . | cat >/dev/null"], to);
}

export function emptyFolder(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
}
