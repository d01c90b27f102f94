/**
 * The pattern for `checkpoint.files.exclude` that means this path of the workspace and no other; undefined for one that
 * no pattern can name: with a line feed, or with bytes that are no valid UTF-8 (shown as \xHH).
 */
export function excludePattern(path: string): string | undefined {
  if (/[\n\r]|\\x[0-9a-f]{2}/.test(path)) return undefined;
  return `/${path.replace(/[\\*?[\]!#\s]/g, "\\$&")}`;
}
