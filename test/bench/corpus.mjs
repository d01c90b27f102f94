/** The generated tree, and the five edits every incremental operation is measured with. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { randomFrom } from "../support/randomNumbers.mjs";

const SEED = 0x5eed;
const FILES = 7000;
const FOLDERS = 384;
const MEAN_BYTES = 8000;

/** About 7,000 files that look and compress like TypeScript, 56 MB, always the same. */
export function generateTree(folder) {
  const random = randomFrom(SEED);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const word = () => {
    let text = "";
    for (let i = 2 + Math.floor(random() * 3); i > 0; i--) text += pick(SYLLABLES);
    return text;
  };
  const vocabulary = Array.from({ length: 4000 }, word);
  // Words as a program has them: few often, most seldom.
  const name = () => vocabulary[Math.floor(random() ** 3 * vocabulary.length)];
  const folders = [folder];
  while (folders.length < FOLDERS) folders.push(path.join(pick(folders.slice(-60)), word()));
  for (const each of folders) fs.mkdirSync(each, { recursive: true });
  for (let i = 0; i < FILES; i++) {
    // Most files are small and a few are large: an exponential distribution.
    const bytes = Math.min(400_000, Math.max(200, -Math.log(1 - random()) * MEAN_BYTES));
    const lines = [];
    for (let size = 0; size < bytes; ) {
      const line = pick(LINES)(name, Math.floor(random() * 1e6));
      lines.push(line);
      size += line.length + 1;
    }
    fs.writeFileSync(path.join(pick(folders), `${word()}${i}.ts`), `${lines.join("\n")}\n`);
  }
}

const SYLLABLES =
  "ac am an ar be co de di ed el en er es et ex fi ge he in is it le lo ma me mi na ne no on or ou pa po ra re ro se si st ta te ti to tr un ur us ve".split(
    " ",
  );

const LINES = [
  (name) => `import { ${name()}, ${name()} } from "./${name()}/${name()}";`,
  (name, n) => `export const ${name()}_${n} = ${name()}.${name()}(${n});`,
  (name) => `  if (${name()}.${name()} === undefined) throw new Error("${name()} ${name()} ${name()}");`,
  (name) => `  readonly ${name()}: ${name()}<${name()}>;`,
  (name) => `/** The ${name()} of a ${name()}, or ${name()} when it has no ${name()}. */`,
  (name, n) => `  return this.${name()}.${name()}((${name()}) => ${name()}.${name()} > ${n});`,
  () => "",
  () => "}",
];

const TEXT = /\.(c|h|ts|js|py|md|rs)$/;

/** Text files of 1 to 60 kB, in order of their paths. */
export function textFiles(workspace) {
  const found = [];
  const walk = (folder) => {
    for (const entry of fs.readdirSync(path.join(workspace, folder), { withFileTypes: true })) {
      if (entry.name.startsWith(".") || entry.name === "target" || entry.name === "node_modules") continue;
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile() && TEXT.test(entry.name)) found.push(name);
    }
  };
  walk("");
  found.sort();
  const middling = found.filter((name) => {
    const { size } = fs.statSync(path.join(workspace, name));
    return size > 1000 && size < 60_000;
  });
  if (middling.length < 5) throw new Error("The corpus has too few text files of 1 to 60 kB.");
  return middling;
}

/** Five of them, spread over the tree. */
export function pickFive(workspace) {
  const files = textFiles(workspace);
  return [1, 3, 5, 7, 9].map((tenth) => files[Math.floor((files.length * tenth) / 10)]);
}

/** Edits each of them; different every time. */
export function editFive(workspace, files, edit) {
  for (const name of files) appendEdit(workspace, name, edit);
}

/** About 190 new bytes at the end of a file, no two alike for different numbers. */
export function appendEdit(workspace, name, edit) {
  const text = `// edit ${edit} of ${name}\n// ${String(edit * 7919).padStart(150, "0")}\n`;
  fs.appendFileSync(path.join(workspace, name), text);
}

/** What the five files take compressed, each for itself: the part of a store's growth that is content. */
export function framesOf(workspace, files) {
  let bytes = 0;
  for (const name of files)
    bytes += spawnSync("lz4", ["-q", "-1", "-c", name], { cwd: workspace, maxBuffer: 1 << 26 }).stdout.length;
  return bytes;
}
