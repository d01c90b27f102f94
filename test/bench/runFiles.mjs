/** Runs kept as JSON in out/bench, so that they can be looked at, and rendered again, without measuring. */
import * as fs from "node:fs";
import * as path from "node:path";

export const OUT = path.resolve(import.meta.dirname, "../../out/bench");

/** What distinguishes the files of a run. */
export function stampOf({ date }) {
  return date.replaceAll(":", "-").slice(0, 19);
}

/** Writes OUT/<name>.json and says where. */
export function keepRun(name, results) {
  fs.mkdirSync(OUT, { recursive: true });
  const file = path.join(OUT, `${name}.json`);
  fs.writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  console.error(`Kept as ${path.relative(process.cwd(), file)}`);
}

export function readRun(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}
