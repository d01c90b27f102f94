/**
 * A tree with very many checkpoints: a cold save, then edits of about five files each, spread over the tree: most
 * change a file, some add, remove or rename one. Always the same for the same tree. One file changes in every third
 * checkpoint, one never.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { randomFrom } from "../support/randomNumbers.mjs";
import { appendEdit, textFiles } from "./corpus.mjs";

const SEED = 0x1000;
const EDITS = 5;
const HOT_EVERY = 3;
/** A word that no tree holds, once in every added file: what a search looks for. */
export const NEEDLE = "quixotic-flugelhorn";

/**
 * Edits of the files in `workspace`. `next()` makes one round of them and answers the paths it touched. `unique`: bytes
 * of different contents that there have been so far, by hash; filled for what the edits make.
 */
export function createEdits(workspace) {
  const random = randomFrom(SEED);
  const files = textFiles(workspace);
  const [hot, cold] = [files[files.length >> 2], files[files.length >> 1]];
  const live = files.filter((file) => file !== hot && file !== cold);
  const unique = new Map();
  let round = 0;
  const full = (file) => path.join(workspace, file);
  const note = (file) => {
    const content = fs.readFileSync(full(file));
    unique.set(createHash("sha1").update(content).digest("base64"), content.length);
    return file;
  };
  const edit = (file) => {
    appendEdit(workspace, file, round);
    return note(file);
  };
  const one = () => {
    const at = Math.floor(random() * live.length);
    const file = live[at];
    const dice = random();
    if (dice < 0.7) return [edit(file)];
    const fresh = path.join(path.dirname(file), `round${round}-${at}${path.extname(file)}`);
    if (dice < 0.82) {
      fs.writeFileSync(full(fresh), `// ${NEEDLE} ${round}\n${"int value;\n".repeat(1 + (at % 400))}`);
      live.push(fresh);
      return [note(fresh)];
    }
    if (dice < 0.92) {
      fs.rmSync(full(file));
      live.splice(at, 1);
      return [file];
    }
    fs.renameSync(full(file), full(fresh));
    live[at] = fresh;
    return [file, fresh];
  };
  return {
    hot,
    cold,
    unique,
    next() {
      round++;
      const touched = [];
      if (round % HOT_EVERY === 0) touched.push(edit(hot));
      while (touched.length < EDITS) touched.push(...one());
      return touched;
    },
  };
}

/**
 * Makes `count` checkpoints of the tree in `workspace`, and as many commits by `git`, if there is one. `base`: the tree's
 * contents, bytes by hash. Answers { hot, cold, uniqueBytes, saves }: paths, bytes of different contents in all
 * checkpoints together, and what each save took.
 */
export async function makeLongHistory({ engine, git, workspace, count, base }) {
  const edits = createEdits(workspace);
  for (const [hash, size] of base) edits.unique.set(hash, size);
  const saves = [(await engine.save("base")).sample];
  git?.save("base");
  for (let i = 1; i < count; i++) {
    const touched = edits.next();
    saves.push((await engine.save(`round ${i}`, touched)).sample);
    git?.record(`round ${i}`, touched);
    if (i % 100 === 0) console.error(`long history: ${i} of ${count}`);
  }
  let uniqueBytes = 0;
  for (const size of edits.unique.values()) uniqueBytes += size;
  return { hot: edits.hot, cold: edits.cold, uniqueBytes, saves };
}
