/** Options of the measuring scripts: what is mistyped is refused before hours are spent on it. */
import { parseArgs } from "node:util";

/** Like `parseArgs`; prints what is wrong with an option and ends with 2. `numbers`: the least value of each number. */
export function readOptions(options, numbers = {}) {
  try {
    const { values } = parseArgs({ options });
    for (const [name, least] of Object.entries(numbers))
      if (values[name] !== undefined) values[name] = wholeNumber(name, values[name], least);
    return values;
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

function wholeNumber(name, text, least) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least)
    throw new Error(`--${name} takes a whole number from ${least} on, not "${text}".`);
  return value;
}
