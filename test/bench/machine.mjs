/** What the figures depend on beside the program: processor, load, file system. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";

/** From here on others take part of the processor, and times say little. */
const BUSY_LOAD = 0.5;

/** What a run says about where it ran; `warnings` is what spoils its figures. */
export function describeMachine(work) {
  const load = os.loadavg()[0];
  const fileSystem = describeFileSystem(work);
  const warnings = [];
  if (load > BUSY_LOAD)
    warnings.push(`The machine is busy (load ${load.toFixed(2)} at the start): times are too long, ratios less so.`);
  if (fileSystem.journal === false)
    warnings.push("The file system has no journal: creating files gets slower each round. See test/bench/bench.mjs.");
  return {
    cpu: os.cpus()[0]?.model ?? "",
    cores: os.cpus().length,
    memory: os.totalmem(),
    node: process.version,
    kernel: os.release(),
    load,
    fileSystem,
    warnings,
  };
}

/** `journal` is undefined where it cannot be told. */
function describeFileSystem(folder) {
  const found = spawnSync("findmnt", ["-n", "-o", "FSTYPE,SOURCE", "-T", folder], { encoding: "utf8" });
  const [type = "unknown", source = ""] = (found.stdout ?? "").trim().split(/\s+/);
  if (type !== "ext4" || !fs.existsSync(source)) return { type };
  const head = spawnSync("dumpe2fs", ["-h", source], { encoding: "utf8" });
  return head.status === 0 ? { type, journal: head.stdout.includes("has_journal") } : { type };
}
