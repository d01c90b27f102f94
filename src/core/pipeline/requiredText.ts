/**
 * The longest piece of plain text that every match of a regular expression contains, so that contents without it need
 * not be decoded and split into lines.
 *
 *   /colou?r: (\w+)\.png$/u   →   "colo", "r: ", ".png"   →   "colo"
 *
 * Only what stands outside of groups and classes is looked at, and only syntax that is understood for sure: an
 * alternation at that level, or an escape that is not in the lists below, and the answer is that there is none.
 */

/** Shorter ones are in nearly every content. */
const MIN_CHARACTERS = 3;
/** Escapes that stand for a set of characters, or for a place. */
const ESCAPED_SETS = "dDwWsSbB";
const SYNTAX = "^$\\.*+?()[]{}|/-";
/** Bytes that are no valid UTF-8 are decoded to it, so it is not found as bytes. */
const REPLACEMENT = "\ufffd";

/**
 * `source`: of a valid expression with the flag `u`. Undefined: there is none that is sure, or none worth looking for.
 */
export function requiredText(source: string): string | undefined {
  const characters = Array.from(source);
  const runs: string[][] = [[]];
  const run = (): string[] => runs.at(-1) as string[];
  const endRun = (): void => void runs.push([]);
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    switch (character) {
      case "|":
        return undefined;
      case "\\": {
        const escaped = characters[++i] ?? "";
        if (SYNTAX.includes(escaped)) run().push(escaped);
        else if (ESCAPED_SETS.includes(escaped)) endRun();
        else return undefined;
        break;
      }
      case "(":
      case "[":
        i = endOf(characters, i);
        endRun();
        break;
      case "*":
      case "?":
      case "{":
        // Maybe none of the character before. After a group, a class or another quantifier there is none to take away.
        run().pop();
        endRun();
        if (character === "{") i = characters.indexOf("}", i);
        break;
      case "+":
      case "^":
      case "$":
      case ".":
        endRun();
        break;
      default:
        run().push(character);
    }
  }
  const longest = runs.reduce((best, each) => (each.length > best.length ? each : best));
  const isSure = longest.every((each) => each !== REPLACEMENT && !/^\p{Surrogate}$/u.test(each));
  return isSure && longest.length >= MIN_CHARACTERS ? longest.join("") : undefined;
}

/** Where the group or class that opens at `start` closes. */
function endOf(characters: readonly string[], start: number): number {
  let depth = 0;
  let inClass = false;
  for (let i = start; i < characters.length; i++) {
    const character = characters[i];
    if (character === "\\") i++;
    else if (inClass) inClass = character !== "]";
    else if (character === "[") inClass = true;
    else if (character === "(") depth++;
    else if (character === ")") depth--;
    if (depth === 0 && !inClass) return i;
  }
  return characters.length;
}
