/**
 * Places in a Markdown file that runs write: what stands between `<!-- bench: NAME begin -->` and `<!-- bench: NAME end -->`
 * is replaced as a whole, the rest of the file is left alone.
 */
import * as fs from "node:fs";

/** Throws when the file lacks one of the places: to be called before a long run, whose figures would otherwise be lost on it. */
export function requireSections(file, names) {
  const text = fs.readFileSync(file, "utf8");
  for (const name of names) placeOf(text, name, file);
}

/** Replaces what stands in that place. Throws, and writes nothing, when the file has no such place. */
export function writeSection(file, name, lines) {
  const text = fs.readFileSync(file, "utf8");
  const { from, to } = placeOf(text, name, file);
  fs.writeFileSync(file, `${text.slice(0, from)}\n${lines.join("\n")}\n${text.slice(to)}`);
}

function placeOf(text, name, file) {
  const [begin, end] = [`<!-- bench: ${name} begin -->`, `<!-- bench: ${name} end -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  if (!text.includes(begin) || to < from)
    throw new Error(`${file} has no "${begin}" followed by "${end}"; nothing was written.`);
  return { from, to };
}
